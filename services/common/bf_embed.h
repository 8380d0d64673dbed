// A file carried in the program, as it was when that was built.
//
//   BF_EMBED(openapi_yaml, "services/my-service/openapi.yaml")     defines struct bf_str openapi_yaml(void)
//
// Stands alone in a .c file, declared in a header. The path is from the project's folder, where make runs;
// the Makefile says that the object depends on the file.
#ifndef BF_EMBED_H
#define BF_EMBED_H

#include "bf_base.h"

#define BF_EMBED(name, path)                                                       \
    __asm__(".section .rodata\n"                                                   \
            ".local " #name "_start\n"                                             \
            ".local " #name "_end\n" #name "_start:\n"                             \
            ".incbin \"" path "\"\n" #name "_end:\n"                               \
            ".byte 0\n"                                                            \
            ".previous\n");                                                        \
    extern const char name##_start[] __attribute__((visibility("hidden")));        \
    extern const char name##_end[] __attribute__((visibility("hidden")));          \
    struct bf_str name(void)                                                       \
    {                                                                              \
        return (struct bf_str){name##_start, (size_t)(name##_end - name##_start)}; \
    }

#endif

// openapi.yaml, carried in the program. The path is from the project's folder, where make runs.
#include "openapi.h"

__asm__(".section .rodata\n"
        "openapi_start:\n"
        ".incbin \"services/tenant-registry/openapi.yaml\"\n"
        "openapi_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char openapi_start[], openapi_end[];

struct bf_str openapi_yaml(void)
{
    return (struct bf_str){openapi_start, (size_t)(openapi_end - openapi_start)};
}

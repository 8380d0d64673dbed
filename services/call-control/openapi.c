// openapi.yaml, carried in the program. The path is from the project's folder, where make runs.
#include "openapi.h"

__asm__(".section .rodata\n"
        "openapi_calls_start:\n"
        ".incbin \"services/call-control/openapi.yaml\"\n"
        "openapi_calls_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char openapi_calls_start[], openapi_calls_end[];

struct bf_str openapi_yaml(void)
{
    return (struct bf_str){openapi_calls_start, (size_t)(openapi_calls_end - openapi_calls_start)};
}

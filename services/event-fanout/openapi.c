// openapi.yaml, carried in the program. The path is from the project's folder, where make runs.
#include "openapi.h"

__asm__(".section .rodata\n"
        "openapi_events_start:\n"
        ".incbin \"services/event-fanout/openapi.yaml\"\n"
        "openapi_events_end:\n"
        ".byte 0\n"
        ".previous\n");

extern const char openapi_events_start[], openapi_events_end[];

struct bf_str openapi_yaml(void)
{
    return (struct bf_str){openapi_events_start, (size_t)(openapi_events_end - openapi_events_start)};
}

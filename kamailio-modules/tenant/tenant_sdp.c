// Line by line.
#include "tenant_sdp.h"

#include <string.h>

static bool names_ssrc(struct bf_str line)
{
    const struct bf_str prefix = BF_STR("a=ssrc");

    return line.len >= prefix.len && memcmp(line.at, prefix.at, prefix.len) == 0;
}

struct bf_str tenant_sdp_without_ssrc(struct bf_str sdp, char *into)
{
    size_t len = 0;

    while (sdp.len > 0) {
        const char *end = memchr(sdp.at, '\n', sdp.len);
        struct bf_str line = {sdp.at, end ? (size_t)(end - sdp.at) + 1 : sdp.len};
        if (!names_ssrc(line)) {
            memcpy(into + len, line.at, line.len);
            len += line.len;
        }
        sdp.at += line.len;
        sdp.len -= line.len;
    }
    return (struct bf_str){into, len};
}

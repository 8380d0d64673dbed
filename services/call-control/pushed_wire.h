// call.v1's protobuf of Pushed -> our structs.
#ifndef PUSHED_WIRE_H
#define PUSHED_WIRE_H

#include "bf_buf.h"
#include "bf_err.h"
#include "pushed.h"

struct wire_pushed {
    struct pushed lines[PUSHED_LINES_MAX];
    size_t count;
    void *message; // what the texts borrow from
};
// BF_INVALID says why in `error`. An id that is none is nil.
bf_must_check enum bf_err wire_read_pushed(struct bf_str body, struct wire_pushed *ret_pushed,
                                           struct bf_buf *error);
void wire_release_pushed(struct wire_pushed *pushed);

#endif

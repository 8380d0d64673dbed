// openapi.yaml as it was when this program was built. Any thread.
#ifndef OPENAPI_H
#define OPENAPI_H

#include "bf_base.h"

struct bf_str openapi_yaml(void);

#endif

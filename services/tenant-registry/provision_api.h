// What a phone gets that asks the URL of a provisioning link.
#ifndef PROVISION_API_H
#define PROVISION_API_H

#include "bf_http.h"

enum bf_err provision_api_serve(struct bf_http_call *call, void *ctx); // ctx is the registry

#endif

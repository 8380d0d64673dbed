// openapi.yaml, carried in the program.
#include "openapi.h"

#include "bf_embed.h"

BF_EMBED(openapi_yaml, "services/event-fanout/openapi.yaml")

// What is a good push device.
#include "push_device.h"

#include <string.h>

#include "bf_crypto.h"

#define MADE_ID_BYTES 16 // of a digest

struct push_device_fault push_device_check(const struct push_device *device)
{
    const struct push_device_fault checks[] = {
        {"number", push_number_check(bf_str(device->number))},
        {"platform", push_platform_check(bf_str(device->platform))},
        {"device_id", *device->device_id && strlen(device->device_id) <= PUSH_DEVICE_ID_BYTES_MAX
                          ? push_device_id_check(bf_str(device->device_id))
                          : "must be 1 to 255 bytes"},
        {"token", push_token_check(device->provider, device->token)},
        {"topic", *device->topic ? push_topic_check(bf_str(device->topic)) : NULL},
    };

    for (size_t i = 0; i < BF_LEN(checks); i++)
        if (checks[i].wrong)
            return checks[i];
    return (struct push_device_fault){NULL, NULL};
}

// A phone that does not say what it is is its token.
static char *device_id_of(const char *instance, const char *prid)
{
    uint8_t digest[BF_SHA256_BYTES];
    char hex[2 * MADE_ID_BYTES + 1];

    if (*instance)
        return bf_xstrdup(instance);
    bf_sha256(prid, strlen(prid), digest);
    return bf_xasprintf("pn-%s", bf_hex(digest, MADE_ID_BYTES, hex));
}

bool push_device_sip(struct bf_id tenant, struct bf_id extension, const char *number, const char *provider,
                     const char *prid, const char *param, const char *instance,
                     struct push_device_sip *ret_sip, struct push_device_fault *ret_fault)
{
    enum push_provider known;

    if (!push_provider_parse(bf_str(provider), &known)) {
        *ret_fault = (struct push_device_fault){"provider", "is none that pushes are sent by"};
        return false;
    }
    struct push_device_sip sip = {.token = push_pn_token(prid),
                                  .topic = push_pn_topic(known, param),
                                  .device_id = device_id_of(instance, prid)};
    sip.device = (struct push_device){.id = bf_id_new(),
                                      .tenant = tenant,
                                      .extension = extension,
                                      .provider = known,
                                      .number = number,
                                      .platform = known == PUSH_APNS ? "ios" : "android",
                                      .device_id = sip.device_id,
                                      .token = sip.token,
                                      .topic = sip.topic,
                                      .prid = prid,
                                      .source = "sip"};
    *ret_fault = push_device_check(&sip.device);
    if (ret_fault->field) {
        push_device_sip_release(&sip);
        return false;
    }
    *ret_sip = sip;
    return true;
}

void push_device_sip_release(struct push_device_sip *sip)
{
    free(sip->token);
    free(sip->topic);
    free(sip->device_id);
}

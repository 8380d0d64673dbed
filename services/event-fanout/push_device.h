// A push device as it is registered: by REST, by the old app, by a phone's REGISTER (RFC 8599). Rules only.
#ifndef PUSH_DEVICE_H
#define PUSH_DEVICE_H

#include "bf_buf.h"
#include "push.h"

// Borrowed texts, never NULL.
struct push_device {
    struct bf_id id, tenant, extension; // extension: whose it is
    enum push_provider provider;
    const char *number, *platform, *device_id, *token;
    const char *topic;  // the app at the provider; "": the credential's
    const char *prid;   // RFC 8599; "": not by SIP
    const char *source; // rest, app, sip
};

struct push_device_fault {
    const char *field, *wrong;
};
// What is wrong with it: field NULL when it is good.
struct push_device_fault push_device_check(const struct push_device *device);

// What phones say in REGISTER. False: *ret_wrong says why. The texts it makes are freed by
// push_device_sip_release.
struct push_device_sip {
    struct push_device device;
    char *token, *topic, *device_id;
};
bool push_device_sip(struct bf_id tenant, struct bf_id extension, const char *number, const char *provider,
                     const char *prid, const char *param, const char *instance,
                     struct push_device_sip *ret_sip, struct push_device_fault *ret_fault);
void push_device_sip_release(struct push_device_sip *sip);

#endif

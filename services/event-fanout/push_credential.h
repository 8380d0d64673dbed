// What a provider is asked with: kept as a sealed JSON object, used as keys and names. Pure. Any thread.
#ifndef PUSH_CREDENTIAL_H
#define PUSH_CREDENTIAL_H

#include <jansson.h>

#include "push.h"
#include "push_jwt.h"

// As REST gives them: one of the three, by the provider; NULL: absent.
struct push_credential_texts {
    const char *access_token;                                     // Expo
    const char *project_id, *client_email, *key_id, *private_key; // FCM, of the service account
    const char *apns_team, *apns_key_id, *apns_key, *apns_topic, *apns_environment;
};

struct push_credential {
    enum push_provider provider;
    char *access_token;              // Expo; "": none
    char *project_id, *client_email; // FCM
    char *team_id, *topic;           // APNs; topic "": each device has its own
    char *key_id;                    // FCM, APNs
    bool sandbox;                    // APNs
    struct push_jwt_key *key;        // FCM, APNs
};

// The JSON object that is sealed: what makes sense only. On a fault NULL, and *ret_field and *ret_wrong say
// what and why. The caller wipes and frees it (bf_vault_forget).
char *push_credential_pack(enum push_provider provider, const struct push_credential_texts *texts,
                           const char **ret_field, const char **ret_wrong);

// From such a text. NULL: it is none.
struct push_credential *push_credential_new(enum push_provider provider, const char *text);
void push_credential_free(struct push_credential *credential); // NULL is fine

// What of it may be shown: {"project_id", ...}, nothing secret. New.
json_t *push_credential_show(const struct push_credential *credential);

#endif

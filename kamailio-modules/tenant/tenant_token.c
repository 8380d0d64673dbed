// Keys, and what is asked of a token besides its signature.
#include "tenant_token.h"

#include <pthread.h>
#include <string.h>

struct tenant_keys {
    pthread_mutex_t lock;
    size_t count;
    struct bf_app_key list[BF_APP_KEYS_MAX];
};

// ---- keys

size_t tenant_keys_bytes(void)
{
    return sizeof(struct tenant_keys);
}

struct tenant_keys *tenant_keys_init(void *memory)
{
    struct tenant_keys *keys = memory;
    pthread_mutexattr_t shared;

    memset(keys, 0, sizeof(*keys));
    pthread_mutexattr_init(&shared);
    pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&keys->lock, &shared);
    pthread_mutexattr_destroy(&shared);
    return keys;
}

void tenant_keys_put(struct tenant_keys *keys, const struct bf_app_key *list, size_t count)
{
    pthread_mutex_lock(&keys->lock);
    keys->count = count < BF_APP_KEYS_MAX ? count : BF_APP_KEYS_MAX;
    memcpy(keys->list, list, keys->count * sizeof(keys->list[0]));
    pthread_mutex_unlock(&keys->lock);
}

static size_t keys_copy(struct tenant_keys *keys, struct bf_app_key list[BF_APP_KEYS_MAX])
{
    size_t count;

    pthread_mutex_lock(&keys->lock);
    count = keys->count;
    memcpy(list, keys->list, count * sizeof(list[0]));
    pthread_mutex_unlock(&keys->lock);
    return count;
}

size_t tenant_keys_count(struct tenant_keys *keys)
{
    struct bf_app_key list[BF_APP_KEYS_MAX];

    return keys_copy(keys, list);
}

// ---- tokens

bool tenant_token_of_header(struct bf_str value, struct bf_str *ret_token)
{
    const struct bf_str scheme = BF_STR("Bearer ");

    if (value.len <= scheme.len || !bf_str_case_eq((struct bf_str){value.at, scheme.len}, scheme))
        return false;
    value.at += scheme.len;
    value.len -= scheme.len;
    while (value.len > 0 && *value.at == ' ') {
        value.at++;
        value.len--;
    }
    *ret_token = value;
    return true;
}

// A number that is made again is another extension.
static const char *whose(const struct bf_app_token *token, const struct tenant_token_user *user)
{
    bool same = bf_id_is_nil(token->extension) || bf_id_is_nil(user->extension) ||
                bf_id_eq(token->extension, user->extension);

    if (!bf_id_eq(token->tenant, user->tenant))
        return "this token is of another tenant";
    if (!bf_str_eq(bf_str(token->number), user->number))
        return "this token is of another extension";
    return user->known && same ? "" : "the extension of this token is gone";
}

enum tenant_token_verdict tenant_token_judge(struct tenant_keys *keys, struct bf_str text,
                                             const struct tenant_token_user *user, uint64_t now_s,
                                             struct tenant_token_answer *ret_answer)
{
    struct bf_app_key list[BF_APP_KEYS_MAX];
    size_t count = keys_copy(keys, list);
    struct bf_app_token token;
    enum bf_app_verdict verdict;

    *ret_answer = (struct tenant_token_answer){.why = "app tokens cannot be looked at now"};
    if (count == 0)
        return TENANT_TOKEN_NO_KEYS;
    verdict = bf_app_token_check(text, list, count, now_s, &token);
    ret_answer->why = verdict == BF_APP_GOOD ? whose(&token, user) : bf_app_verdicts[verdict];
    if (verdict == BF_APP_UNKNOWN_KEY)
        return TENANT_TOKEN_UNKNOWN_KEY;
    if (*ret_answer->why)
        return TENANT_TOKEN_REFUSED;
    ret_answer->seconds = (uint32_t)(token.expires_s - now_s);
    return TENANT_TOKEN_GOOD;
}

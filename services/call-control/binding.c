// A device's registration.
#include "binding.h"

#include <stdio.h>
#include <string.h>

#define NUMBER_BYTES_MAX 64
#define RUID_BYTES_MAX   64

static bool is_word(const char *text, const char *punctuation, size_t bytes_max)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        bool word = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!word && !strchr(punctuation, c))
            return false;
    }
    return len > 0 && len <= bytes_max;
}

// These travel in SIP headers: nothing may end one or begin another.
static bool is_line(const char *text, size_t bytes_max)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return len <= bytes_max;
}

static bool is_uri(const char *text)
{
    return is_line(text, BINDING_URI_BYTES_MAX) && !strpbrk(text, "<>\" ") &&
           (strncasecmp(text, "sip:", 4) == 0 || strncasecmp(text, "sips:", 5) == 0);
}

const char *binding_key_check(const char *number, const char *ruid)
{
    if (!is_word(number, "._+-", NUMBER_BYTES_MAX))
        return "number must be 1 to 64 of 0-9, A-Z, a-z and ._+-";
    if (!is_word(ruid, "._-", RUID_BYTES_MAX))
        return "ruid must be 1 to 64 of 0-9, A-Z, a-z and ._-";
    return NULL;
}

const char *binding_check(const struct binding *binding)
{
    const char *wrong = binding_key_check(binding->number, binding->ruid);

    if (wrong)
        return wrong;
    if (!is_uri(binding->contact))
        return "contact must be a SIP URI without spaces, quotes or angle brackets, at most 1024 bytes";
    if (binding->received[0] && !is_uri(binding->received))
        return "received must be empty or a SIP URI";
    if (!is_line(binding->path, BINDING_URI_BYTES_MAX))
        return "path must be one line of at most 1024 bytes";
    const char *texts[] = {binding->transport, binding->user_agent, binding->call_id, binding->instance,
                           binding->socket};
    for (size_t i = 0; i < BF_LEN(texts); i++)
        if (!is_line(texts[i], BINDING_TEXT_BYTES_MAX))
            return "texts must be lines of at most 512 bytes";
    return NULL;
}

static const char *where(const struct binding *binding)
{
    return binding->received[0] ? binding->received : binding->contact;
}

bool binding_same_device(const struct binding *a, const struct binding *b)
{
    if (strcmp(a->number, b->number) != 0)
        return false;
    if (a->instance[0] && b->instance[0])
        return strcmp(a->instance, b->instance) == 0;
    return strcmp(a->contact, b->contact) == 0 && strcmp(where(a), where(b)) == 0;
}

// "IP:PORT" of "sip:user@IP:PORT;transport=tcp".
static struct bf_str host_port(const char *uri)
{
    const char *at = strchr(uri, ':');
    const char *user = strrchr(uri, '@');

    at = user ? user + 1 : at ? at + 1 : uri;
    return (struct bf_str){at, strcspn(at, ";?>")};
}

bool binding_is_at(const struct binding *binding, const char *source)
{
    const char *address = strchr(source, ':');

    return address && bf_str_case_eq(host_port(where(binding)), bf_str(address + 1));
}

bool binding_is_of(const struct binding *binding, struct bf_id extension)
{
    return bf_id_is_nil(binding->extension) || bf_id_is_nil(extension) ||
           memcmp(binding->extension.bytes, extension.bytes, sizeof(extension.bytes)) >= 0;
}

#define TEXT(member) offsetof(struct binding, member)

static const size_t texts[] = {
    TEXT(edge),    TEXT(number),    TEXT(ruid),       TEXT(contact),  TEXT(received),
    TEXT(path),    TEXT(transport), TEXT(call_id),    TEXT(instance), TEXT(socket),
    TEXT(pn_prid), TEXT(pn_param),  TEXT(user_agent), TEXT(wake),     TEXT(pn_provider),
};

static const char **text_at(const struct binding *binding, size_t i)
{
    return (const char **)((char *)binding + texts[i]);
}

struct binding *binding_dup(const struct binding *binding)
{
    size_t bytes = sizeof(*binding);

    for (size_t i = 0; i < BF_LEN(texts); i++)
        bytes += *text_at(binding, i) ? strlen(*text_at(binding, i)) + 1 : 1;
    struct binding *copy = bf_xcalloc(1, bytes);
    char *to = (char *)(copy + 1);
    *copy = *binding;
    for (size_t i = 0; i < BF_LEN(texts); i++) {
        const char *from = *text_at(binding, i) ? *text_at(binding, i) : "";
        size_t len = strlen(from) + 1;
        memcpy(to, from, len);
        *text_at(copy, i) = to;
        to += len;
    }
    return copy;
}

void bindings_init(struct bindings *bindings)
{
    *bindings = (struct bindings){.count = 0};
}

struct binding *bindings_add(struct bindings *bindings, void *owned)
{
    if (bindings->count == bindings->room) {
        bindings->room = bindings->room ? bindings->room * 2 : 16;
        bindings->at = realloc(bindings->at, bindings->room * sizeof(*bindings->at));
        bindings->owned = realloc(bindings->owned, bindings->room * sizeof(*bindings->owned));
        if (!bindings->at || !bindings->owned)
            abort();
    }
    bindings->owned[bindings->count] = owned;
    return &bindings->at[bindings->count++];
}

void bindings_remove(struct bindings *bindings, size_t at, void (*free_owned)(void *owned))
{
    size_t last = --bindings->count;

    if (bindings->owned[at])
        free_owned(bindings->owned[at]);
    bindings->at[at] = bindings->at[last];
    bindings->owned[at] = bindings->owned[last];
}

void bindings_release(struct bindings *bindings, void (*free_owned)(void *owned))
{
    for (size_t i = 0; i < bindings->count; i++)
        if (bindings->owned[i])
            free_owned(bindings->owned[i]);
    free(bindings->at);
    free(bindings->owned);
    bindings_init(bindings);
}

// Layout of the block: head, slots of one cache line each, then the texts that are too long for a slot.
//
// A slot holds all that a look-up gives, so that most look-ups touch one line beside the head. Those whose
// hash means the same slot are a chain: one stands there, the others in free slots near by. What a patch
// removes stays in its chain as `gone`, a slot for the next that joins it.
#include "tenant_table.h"

#include <string.h>
#include "tenant_master.h"

#define LINE 64

// Its text is the domain, then the slug unless it is a part of the domain (it mostly is), then the realm with
// its length in one byte in front, unless it is the domain.
struct slot {
    uint32_t next : 22;  // of the chain: counted from 1; 0: the last
    uint32_t status : 2; // enum tenant_status
    uint32_t slug_len : 6;
    uint32_t far : 1; // the text stands behind the slots
    uint32_t realm_apart : 1;
    uint16_t tag;       // of the hash
    uint8_t domain_len; // 0: free; or GONE
    uint8_t slug_at;    // in the text
    struct bf_id id;
    struct tenant_limits limits;
    union {
        char text[28];
        uint32_t far_at; // offset from the first slot
    };
};

#define GONE UINT8_MAX // as long as no domain is

#define SLOTS_MIN 16
#define ROOM_MIN  4096 // for texts of patches; at least
#define ROOM_PART 64   // and this part of the block

struct tenant_table {
    uint64_t bytes;
    uint64_t used; // from the first slot on
    struct tenant_hash_key key;
    uint32_t slots_at; // offset: the next line, wherever this block stands
    uint32_t slots;    // 5/4 of the domains at first
    uint32_t filled;   // of them, with those of what is gone; at most 9/10
    uint32_t domains;
    uint32_t tenants;
};

#define HEAD_MAX (sizeof(struct tenant_table) + LINE - 1) // slots_at is not more

_Static_assert(sizeof(struct slot) == LINE, "a slot is a line");
_Static_assert(TENANT_SUSPENDED < 1 << 2 && TENANT_SLUG_MAX < 1 << 6 && TENANT_DOMAIN_MAX < GONE &&
                   TENANT_MASTER_DOMAINS_MAX / 4 * 5 + SLOTS_MIN < 1 << 22,
               "all that a slot may say fits into its bits");

char tenant_lower(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c;
}

bool tenant_domain_normal(struct bf_str text, char ret_name[TENANT_DOMAIN_MAX + 1], size_t *ret_len)
{
    size_t len = text.len;

    if (len > 0 && text.at[len - 1] == '.')
        len--;
    if (len == 0 || len > TENANT_DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < len; i++)
        ret_name[i] = tenant_lower(text.at[i]);
    ret_name[len] = '\0';
    *ret_len = len;
    return true;
}

// ---- reading ----------------------------------------------------------------------------------------------

static struct slot *slots_of(const struct tenant_table *table)
{
    return (void *)((char *)table + table->slots_at);
}

// Where a hash belongs: its upper half, as a fraction of the slots.
static struct slot *slot_home(const struct tenant_table *table, uint64_t hash)
{
    return slots_of(table) + ((hash >> 32) * table->slots >> 32);
}

static const char *text_of(const struct tenant_table *table, const struct slot *slot)
{
    return slot->far ? (char *)slots_of(table) + slot->far_at : slot->text;
}

static size_t realm_at(const struct slot *slot)
{
    size_t slug_end = (size_t)slot->slug_at + slot->slug_len;

    return slug_end > slot->domain_len ? slug_end : slot->domain_len;
}

static size_t text_len(const struct tenant_table *table, const struct slot *slot)
{
    size_t at = realm_at(slot);

    return slot->realm_apart ? at + 1 + (uint8_t)text_of(table, slot)[at] : at;
}

static struct slot *slot_find(const struct tenant_table *table, struct bf_str name, uint64_t hash)
{
    struct slot *slot = slot_home(table, hash);

    for (;; slot = slots_of(table) + slot->next - 1) {
        if (slot->tag == (uint16_t)hash && slot->domain_len == name.len &&
            memcmp(text_of(table, slot), name.at, name.len) == 0)
            return slot;
        if (!slot->next)
            return NULL;
    }
}

static uint8_t text_copy(char *into, struct bf_str text)
{
    memcpy(into, text.at, text.len);
    into[text.len] = '\0';
    return (uint8_t)text.len;
}

bool tenant_table_find(const struct tenant_table *table, struct bf_str domain, struct tenant_match *ret_match)
{
    char name[TENANT_DOMAIN_MAX + 1];
    struct bf_str normal = {name, 0}, realm;
    const struct slot *slot;
    const char *text;

    if (!tenant_domain_normal(domain, name, &normal.len))
        return false;
    slot = slot_find(table, normal, tenant_hash(&table->key, normal.at, normal.len));
    if (!slot)
        return false;
    text = text_of(table, slot);
    realm = normal;
    if (slot->realm_apart)
        realm = (struct bf_str){text + realm_at(slot) + 1, (uint8_t)text[realm_at(slot)]};
    ret_match->id = slot->id;
    ret_match->status = (enum tenant_status)slot->status;
    ret_match->limits = slot->limits;
    ret_match->slug_len = text_copy(ret_match->slug, (struct bf_str){text + slot->slug_at, slot->slug_len});
    ret_match->realm_len = text_copy(ret_match->realm, realm);
    ret_match->domain_len = text_copy(ret_match->domain, normal);
    return true;
}

uint32_t tenant_table_domains(const struct tenant_table *table)
{
    return table->domains;
}

uint32_t tenant_table_tenants(const struct tenant_table *table)
{
    return table->tenants;
}

size_t tenant_table_size(const struct tenant_table *table)
{
    return table->bytes;
}

// ---- building ---------------------------------------------------------------------------------------------

// Where the slug stands in the domain's text: mostly in front. Behind it when it is no part of it.
static uint8_t slug_place(const struct tenant_domain *domain, const char *slug, size_t len)
{
    const char *found;

    if (strncmp(domain->name, slug, len) == 0)
        return 0;
    found = memmem(domain->name, domain->len, slug, len);
    return found ? (uint8_t)(found - domain->name) : domain->len;
}

// What a slot says of its domain's text, for now without the text. Returns the text's length.
static size_t slot_shape(struct slot *slot, const struct tenant_domain *domain)
{
    const struct tenant_entry *entry = domain->tenant;
    size_t slug_len = strlen(entry->slug), realm_len = strlen(entry->realm);

    slot->domain_len = domain->len;
    slot->slug_at = slug_place(domain, entry->slug, slug_len);
    slot->slug_len = (uint32_t)slug_len;
    slot->realm_apart = realm_len != domain->len || memcmp(entry->realm, domain->name, realm_len) != 0;
    return realm_at(slot) + (slot->realm_apart ? 1 + realm_len : 0);
}

static void plan_domain(const struct tenant_domain *domain, void *ctx)
{
    struct tenant_table_need *plan = ctx;
    struct slot slot;
    size_t len = slot_shape(&slot, domain);

    if (len > sizeof(slot.text))
        plan->bytes += len;
}

struct tenant_table_need tenant_table_plan(const struct tenant_master *master)
{
    uint32_t domains = tenant_master_domains(master);
    struct tenant_table_need plan = {.slots = domains + domains / 4 + SLOTS_MIN};

    plan.bytes = HEAD_MAX + (size_t)plan.slots * sizeof(struct slot);
    tenant_master_each_domain(master, plan_domain, &plan);
    plan.bytes += plan.bytes / ROOM_PART + ROOM_MIN;
    return plan;
}

// The next `len` bytes behind the slots, or 0.
static uint32_t room_take(struct tenant_table *table, size_t len)
{
    uint32_t at = (uint32_t)table->used;

    if (HEAD_MAX + table->used + len > table->bytes)
        return 0;
    table->used += len;
    return at;
}

// A slot for a name that is not here, in its chain. The nearest free one: by XOR, so that it mostly is in the
// same pair of lines, or at least in the same page.
static struct slot *slot_new(struct tenant_table *table, uint64_t hash)
{
    struct slot *slots = slots_of(table), *slot = slot_home(table, hash);
    uint32_t from, i = 1;

    while (slot->domain_len != GONE && slot->next)
        slot = &slots[slot->next - 1];
    if (slot->domain_len != 0 && slot->domain_len != GONE) {
        from = (uint32_t)(slot - slots);
        while ((from ^ i) >= table->slots || slots[from ^ i].domain_len != 0)
            i++;
        slot->next = (from ^ i) + 1;
        slot = &slots[from ^ i];
    }
    table->filled += slot->domain_len == 0;
    return slot;
}

static void text_write(char *into, const struct slot *slot, const struct tenant_domain *domain)
{
    const struct tenant_entry *entry = domain->tenant;
    size_t at = realm_at(slot), realm_len;

    memcpy(into, domain->name, domain->len);
    memcpy(into + slot->slug_at, entry->slug, slot->slug_len);
    if (!slot->realm_apart)
        return;
    realm_len = strlen(entry->realm);
    into[at] = (char)realm_len;
    memcpy(into + at + 1, entry->realm, realm_len);
}

// False: no room for the text. One that is no longer than that of before takes its place.
static bool slot_write(struct tenant_table *table, struct slot *slot, const struct tenant_domain *domain)
{
    const struct tenant_entry *entry = domain->tenant;
    struct slot made = {.next = slot->next,
                        .status = entry->status,
                        .tag = (uint16_t)domain->hash,
                        .id = entry->id,
                        .limits = entry->limits};
    size_t len = slot_shape(&made, domain);

    made.far = len > sizeof(made.text);
    if (made.far)
        made.far_at = slot->far && text_len(table, slot) >= len ? slot->far_at : room_take(table, len);
    if (made.far && !made.far_at)
        return false;
    text_write(made.far ? (char *)slots_of(table) + made.far_at : made.text, &made, domain);
    *slot = made;
    return true;
}

struct build {
    struct tenant_table *table;
    const struct tenant_domain **late; // whose home was taken
    uint32_t late_count;
};

// First come those that find their home free: the more of them, the fewer look-ups that touch two lines.
static void build_domain(const struct tenant_domain *domain, void *ctx)
{
    struct build *build = ctx;
    struct slot *home = slot_home(build->table, domain->hash);

    if (home->domain_len != 0)
        build->late[build->late_count++] = domain;
    else
        (void)slot_write(build->table, slot_new(build->table, domain->hash), domain); // planned: it has room
}

// The first slot begins a line, wherever the block stands.
static uint32_t slots_place(const void *memory)
{
    uintptr_t at = (uintptr_t)memory + HEAD_MAX;

    return (uint32_t)(at / LINE * LINE - (uintptr_t)memory);
}

struct tenant_table *tenant_table_build(const struct tenant_master *master, struct tenant_table_need plan,
                                        void *memory)
{
    struct tenant_table *table = memory;
    struct build build = {table, bf_xcalloc(tenant_master_domains(master) + 1, sizeof(void *)), 0};

    *table = (struct tenant_table){
        .bytes = plan.bytes,
        .used = (uint64_t)plan.slots * sizeof(struct slot),
        .key = *tenant_master_key(master),
        .slots_at = slots_place(memory),
        .slots = plan.slots,
        .domains = tenant_master_domains(master),
        .tenants = tenant_master_tenants(master),
    };
    memset(slots_of(table), 0, table->used);
    tenant_master_each_domain(master, build_domain, &build);
    for (uint32_t i = 0; i < build.late_count; i++)
        (void)slot_write(table, slot_new(table, build.late[i]->hash), build.late[i]);
    free(build.late);
    return table;
}

// ---- patching ---------------------------------------------------------------------------------------------

static bool patch_domain(struct tenant_table *table, const struct tenant_master *master, struct bf_str name)
{
    const struct tenant_domain *domain = tenant_master_domain(master, name);
    uint64_t hash = tenant_hash(&table->key, name.at, name.len);
    struct slot *slot = slot_find(table, name, hash);

    if (!domain) {
        if (slot)
            *slot = (struct slot){.next = slot->next, .domain_len = GONE};
        return true;
    }
    if (!slot && ((uint64_t)table->filled + 1) * 10 > (uint64_t)table->slots * 9)
        return false;
    return slot_write(table, slot ? slot : slot_new(table, hash), domain);
}

static bool patch_tenant(struct tenant_table *table, const struct tenant_master *master, struct bf_id id)
{
    const struct tenant_entry *entry = tenant_master_tenant(master, id);
    const struct tenant_domain *domain = entry ? entry->first : NULL;

    while (domain && patch_domain(table, master, (struct bf_str){domain->name, domain->len}))
        domain = domain->sibling;
    return !domain;
}

struct tenant_table *tenant_table_patch(const struct tenant_table *old, struct tenant_master *master,
                                        void *memory)
{
    struct tenant_journal *journal = tenant_master_journal(master);
    struct tenant_table *table = memory;
    bool fits = !journal->whole;

    if (fits) {
        *table = *old;
        table->slots_at = slots_place(memory);
        memcpy(slots_of(table), slots_of(old), old->used);
    }
    for (uint32_t i = 0; fits && i < journal->domain_count; i++)
        fits =
            patch_domain(table, master, (struct bf_str){journal->domains[i].name, journal->domains[i].len});
    for (uint32_t i = 0; fits && i < journal->tenant_count; i++)
        fits = patch_tenant(table, master, journal->tenants[i]);
    if (!fits) {
        tenant_journal_whole(journal);
        return NULL;
    }
    table->domains = tenant_master_domains(master);
    table->tenants = tenant_master_tenants(master);
    return table;
}

// ---- sharing ----------------------------------------------------------------------------------------------

size_t tenant_share_bytes(uint32_t readers)
{
    return sizeof(struct tenant_share) + readers * sizeof(((struct tenant_share *)0)->slots[0]);
}

void tenant_share_init(struct tenant_share *share, uint32_t readers)
{
    memset(share, 0, tenant_share_bytes(readers));
    share->readers = readers;
}

enum tenant_found tenant_share_find(struct tenant_share *share, uint32_t reader, struct bf_str domain,
                                    struct tenant_match *ret_match)
{
    struct tenant_table *table;
    bool found = false;

    // Announce, then look again: only a block that was still current after the announcement is safe to read.
    do {
        table = atomic_load(&share->current);
        atomic_store(&share->slots[reader].reading, table);
    } while (table != atomic_load(&share->current));
    if (table)
        found = tenant_table_find(table, domain, ret_match);
    atomic_store_explicit(&share->slots[reader].reading, NULL, memory_order_release);
    if (!table)
        return TENANT_NO_TABLE;
    return found ? TENANT_FOUND : TENANT_NOT_FOUND;
}

struct tenant_table *tenant_share_swap(struct tenant_share *share, struct tenant_table *next)
{
    return atomic_exchange(&share->current, next);
}

bool tenant_share_read(struct tenant_share *share, const struct tenant_table *table)
{
    for (uint32_t i = 0; i < share->readers; i++) {
        if (atomic_load(&share->slots[i].reading) == table)
            return true;
    }
    return false;
}

/*
 * The names of the application: a hash table in shared memory, without locks between processes.
 *
 * A bucket is one word: a version, and the first record of a chain. A record that hangs in a chain does not
 * change, but for its state. Whoever adds a name writes a record that nobody sees yet, with the chain as it is
 * behind it, and puts it in front with one exchange of the word, which fails if anybody has changed the bucket
 * meanwhile. So of two who want a name one comes later, and sees the other's; and nothing half-made is ever
 * seen: a process that is killed or stopped in the midst of this holds nothing but a record of its own.
 *
 * Readers walk the chain and then look whether the word is still the same. If so, no record that they read was
 * taken out meanwhile, let alone used anew; if not, they begin again.
 *
 * States. A name is reserved, then found, then gone. That is an exchange of the record's state, in which a
 * serial of the record's uses makes sure that it is still the same use; and then of the bucket's word. The
 * latter is for those who were about to replace the record by a copy (below): the copy would be of the state
 * before, and now they fail.
 *
 * Taking out. What is gone, or whose node does not live any more, is nobody's name, and stays in the chain until
 * somebody has to change the bucket. He puts in the place of the chain's beginning, up to the last record of
 * this kind, copies of the others, and gives back what was there. Without records for copies it stays as it is.
 *
 * Records. Each says which process holds it, that is, has written it; 0: unused. What a process held and had
 * not yet hung into a chain when it was killed, or had taken out and not yet given back, is found when no record
 * is unused: it is in no chain, and its process is dead, or it is this process, in which one thread at a time
 * changes the table. So nothing is lost for good.
 *
 * Believing. Other processes may write anything here. Every number is checked before it is used, a walk has at
 * most TR_NAMES_ALIKE steps, every repetition has an end: the answer may be wrong then, but it comes. The
 * incarnations that live are mapped read-only in all processes but the keeper's.
 *
 * Reads of records are acquiring and writes releasing throughout: who reads what a later use has written must
 * also see that the word had changed before.
 */
#include "services/name_table.h"

#include <string.h>

#include "base/assert.h"
#include "base/hash.h"

enum { TEXT_WORDS = TR_NAME_MAX / 8, PAGES = 65536, TRIES = 100000 };

/* The two low bits of a record's state; above them the serial. */
enum kind { GONE, RESERVED, FOUND, KINDS_MASK = 3 };

struct record {
    _Atomic uint64_t holder;
    _Atomic uint64_t state;
    _Atomic uint64_t next; /* the next one's number << 8 | size of the name */
    _Atomic uint64_t node; /* of the name's owner: node << 32 | incarnation */
    _Atomic uint64_t cell; /* slot << 32 | generation */
    _Atomic uint64_t text[TEXT_WORDS]; /* the name, with zeros behind it */
} __attribute__((aligned(128)));

/* Records have the numbers 1 to TR_NAMES_MAX; 0 is none. */
struct tr_name_page {
    _Atomic uint64_t buckets[TR_NAMES_MAX]; /* version << 24 | number of the first */
    struct record records[TR_NAMES_MAX];
};

enum { NUMBER_BITS = 24 };
#define NUMBER_MASK ((UINT64_C(1) << NUMBER_BITS) - 1)

/* What a record says of a name. */
struct key {
    uint32_t bucket;
    uint64_t size, text[TEXT_WORDS];
};

struct entry {
    uint32_t number, next;
    bool same; /* it is the name that is looked for */
    uint64_t size, holder, state, node, cell;
};

/* A bucket as it was at one moment. */
struct chain {
    uint64_t word;
    uint32_t count;
    struct entry entries[TR_NAMES_ALIKE];
};

static uint64_t get(const _Atomic uint64_t *word) { return atomic_load_explicit(word, memory_order_acquire); }

static void put(_Atomic uint64_t *word, uint64_t value) {
    atomic_store_explicit(word, value, memory_order_release);
}

static bool exchange(_Atomic uint64_t *word, uint64_t before, uint64_t after) {
    return atomic_compare_exchange_strong(word, &before, after);
}

/* ---- The memory ---- */

size_t tr_names_keepers_size(uint64_t nodes) {
    return (((size_t)nodes + 1) * sizeof(uint64_t) + PAGES - 1) / PAGES * PAGES;
}

size_t tr_names_size(uint64_t nodes) { return tr_names_keepers_size(nodes) + sizeof(struct tr_name_page); }

void tr_names_set_alive(void *memory, uint64_t node, uint64_t incarnation) {
    _Atomic uint64_t *alive = memory;
    atomic_store(&alive[node], incarnation);
}

static uint64_t pair(uint64_t high, uint64_t low) { return high << 32 | (uint32_t)low; }

void tr_names_open(struct tr_names *names, void *memory, uint64_t nodes, uint64_t node, uint64_t incarnation) {
    *names = (struct tr_names){ .alive = memory, .nodes = nodes, .process = pair(node, incarnation) };
    names->page = (void *)((char *)memory + tr_names_keepers_size(nodes));
    pthread_mutex_init(&names->lock, NULL);
}

void tr_names_close(struct tr_names *names) { pthread_mutex_destroy(&names->lock); }

static bool is_alive(const struct tr_names *names, uint64_t node) {
    uint64_t number = node >> 32, incarnation = (uint32_t)node;
    return incarnation != 0 && number <= names->nodes && atomic_load(&names->alive[number]) == incarnation;
}

static struct record *record_at(const struct tr_names *names, uint32_t number) {
    tr_assert(number >= 1 && number <= TR_NAMES_MAX);
    return &names->page->records[number - 1];
}

/* ---- Reading ---- */

static struct key key_of(const char *name) {
    struct key key = { .size = strlen(name) };
    tr_assert(key.size >= 1 && key.size <= TR_NAME_MAX);
    memcpy(key.text, name, key.size);
    key.bucket = (uint32_t)(tr_hash(name, key.size) % TR_NAMES_MAX);
    return key;
}

static bool has_text(const struct record *record, const uint64_t *text) {
    for (uint32_t i = 0; i < TEXT_WORDS; i++)
        if (get(&record->text[i]) != text[i]) return false;
    return true;
}

static struct entry read_entry(const struct tr_names *names, uint32_t number, const struct key *key) {
    const struct record *record = record_at(names, number);
    uint64_t next = get(&record->next);
    struct entry entry = { .number = number, .next = (uint32_t)(next >> 8), .size = next & 0xff,
                           .holder = get(&record->holder), .state = get(&record->state),
                           .node = get(&record->node), .cell = get(&record->cell) };
    entry.same = entry.size == key->size && has_text(record, key->text);
    return entry;
}

/* What is cut off by a number that cannot be, or is too long, was written by somebody out of his mind. */
static bool read_once(const struct tr_names *names, const struct key *key, struct chain *chain) {
    const _Atomic uint64_t *bucket = &names->page->buckets[key->bucket];
    chain->word = get(bucket);
    chain->count = 0;
    uint64_t next = chain->word & NUMBER_MASK;
    while (next >= 1 && next <= TR_NAMES_MAX && chain->count < TR_NAMES_ALIKE) {
        struct entry *entry = &chain->entries[chain->count++];
        *entry = read_entry(names, (uint32_t)next, key);
        next = entry->next;
    }
    return get(bucket) == chain->word;
}

static bool read_chain(const struct tr_names *names, const struct key *key, struct chain *chain) {
    for (uint32_t i = 0; i < TRIES; i++)
        if (read_once(names, key, chain)) return true;
    return false;
}

static enum kind kind_of(const struct entry *entry) { return (enum kind)(entry->state & KINDS_MASK); }

static bool is_taken(const struct tr_names *names, const struct entry *entry) {
    return kind_of(entry) != GONE && is_alive(names, entry->node);
}

/* Who has the name; NULL: nobody. */
static struct entry *taken_by(const struct tr_names *names, struct chain *chain) {
    for (uint32_t i = 0; i < chain->count; i++)
        if (chain->entries[i].same && is_taken(names, &chain->entries[i])) return &chain->entries[i];
    return NULL;
}

troupe_address tr_names_find(const struct tr_names *names, const char *name) {
    struct key key = key_of(name);
    struct chain chain;
    if (!read_chain(names, &key, &chain)) return (troupe_address){ 0 };
    const struct entry *entry = taken_by(names, &chain);
    if (entry == NULL || kind_of(entry) != FOUND) return (troupe_address){ 0 };
    return (troupe_address){ entry->node >> 32, (uint32_t)(entry->cell >> 32), (uint32_t)entry->cell };
}

/* ---- Records ---- */

/* 0: all are in use. */
static uint32_t take(struct tr_names *names) {
    for (uint32_t i = 0; i < TR_NAMES_MAX; i++) {
        uint32_t number = (names->cursor + i) % TR_NAMES_MAX + 1;
        struct record *record = record_at(names, number);
        if (get(&record->holder) != 0 || !exchange(&record->holder, 0, names->process)) continue;
        names->cursor = number % TR_NAMES_MAX;
        return number;
    }
    return 0;
}

/* Unless somebody else has found it meanwhile, after the death of its holder. */
static void give_back(struct tr_names *names, uint32_t number, uint64_t holder) {
    if (exchange(&record_at(names, number)->holder, holder, 0)) names->cursor = number - 1;
}

static void set_state(struct record *record, enum kind kind) {
    put(&record->state, ((get(&record->state) >> 2) + 1) << 2 | kind);
}

/* What does not depend on the place in the chain. */
static void write_record(struct record *record, const struct key *key, const struct tr_name_owner *owner) {
    put(&record->node, pair(owner->address.node, owner->incarnation));
    put(&record->cell, pair(owner->address.slot, owner->address.generation));
    for (uint32_t i = 0; i < TEXT_WORDS; i++) put(&record->text[i], key->text[i]);
}

static uint32_t copy(struct tr_names *names, const struct entry *entry, uint32_t next) {
    uint32_t number = take(names);
    if (number == 0) return 0;
    struct record *record = record_at(names, number);
    const struct record *from = record_at(names, entry->number);
    put(&record->node, entry->node);
    put(&record->cell, entry->cell);
    for (uint32_t i = 0; i < TEXT_WORDS; i++) put(&record->text[i], get(&from->text[i]));
    put(&record->next, (uint64_t)next << 8 | entry->size);
    set_state(record, kind_of(entry));
    return number;
}

/* ---- Changing a bucket ---- */

/* The beginning of a chain that may take the place of the one there is. */
struct change {
    uint32_t first;    /* of the new one */
    uint32_t replaced; /* so many at the beginning of the old one are not in it */
    uint32_t copies, copied[TR_NAMES_ALIKE];
};

static void drop_copies(struct tr_names *names, struct change *change) {
    for (uint32_t i = 0; i < change->copies; i++) give_back(names, change->copied[i], names->process);
    change->copies = 0;
}

/* Up to the last that is nobody's name. */
static uint32_t to_replace(const struct tr_names *names, const struct chain *chain) {
    uint32_t count = chain->count;
    while (count > 0 && is_taken(names, &chain->entries[count - 1])) count--;
    return count;
}

/* The chain without names that are nobody's; if there are no records for that, the chain as it is. */
static struct change clean(struct tr_names *names, const struct chain *chain) {
    struct change change = { .replaced = to_replace(names, chain) };
    if (change.replaced > 0) change.first = chain->entries[change.replaced - 1].next;
    else change.first = (uint32_t)(chain->word & NUMBER_MASK);
    for (uint32_t i = change.replaced; i-- > 0;) {
        if (!is_taken(names, &chain->entries[i])) continue;
        uint32_t number = copy(names, &chain->entries[i], change.first);
        if (number == 0) {
            drop_copies(names, &change);
            return (struct change){ .first = (uint32_t)(chain->word & NUMBER_MASK) };
        }
        change.copied[change.copies++] = number;
        change.first = number;
    }
    return change;
}

/* False: somebody else was quicker, and nothing has changed. */
static bool commit(struct tr_names *names, uint32_t bucket, const struct chain *chain, struct change *change,
                   uint32_t first) {
    uint64_t version = (chain->word >> NUMBER_BITS) + 1;
    if (!exchange(&names->page->buckets[bucket], chain->word, version << NUMBER_BITS | (first & NUMBER_MASK))) {
        drop_copies(names, change);
        return false;
    }
    for (uint32_t i = 0; i < change->replaced; i++)
        give_back(names, chain->entries[i].number, chain->entries[i].holder);
    return true;
}

/* ---- When no record is unused ---- */

static bool is_in(const struct chain *chain, uint32_t number) {
    for (uint32_t i = 0; i < chain->count; i++)
        if (chain->entries[i].number == number) return true;
    return false;
}

/* The bucket where this record hangs, if it hangs anywhere. */
static bool key_of_record(const struct record *record, struct key *key) {
    *key = (struct key){ .size = get(&record->next) & 0xff };
    for (uint32_t i = 0; i < TEXT_WORDS; i++) key->text[i] = get(&record->text[i]);
    if (key->size > TR_NAME_MAX) return false;
    key->bucket = (uint32_t)(tr_hash(key->text, key->size) % TR_NAMES_MAX);
    return true;
}

static void sweep_record(struct tr_names *names, uint32_t number) {
    const struct record *record = record_at(names, number);
    uint64_t holder = get(&record->holder);
    struct key key;
    struct chain chain;
    if (holder == 0 || !key_of_record(record, &key) || !read_chain(names, &key, &chain)) return;
    if (!is_in(&chain, number)) {
        if (holder == names->process || !is_alive(names, holder)) give_back(names, number, holder);
    } else if (to_replace(names, &chain) > 0) {
        struct change change = clean(names, &chain);
        commit(names, key.bucket, &chain, &change, change.first);
    }
}

/* The caller holds no record that is not in a chain. */
static uint32_t take_or_sweep(struct tr_names *names) {
    uint32_t number = take(names);
    if (number != 0) return number;
    for (uint32_t i = 1; i <= TR_NAMES_MAX; i++) sweep_record(names, i);
    return take(names);
}

/* ---- Adding ---- */

static bool is_owner(const struct entry *entry, const struct tr_name_owner *owner) {
    return entry->node == pair(owner->address.node, owner->incarnation) &&
           entry->cell == pair(owner->address.slot, owner->address.generation);
}

/* Has somebody got it already, and what is said to the owner then? */
static bool is_decided(const struct tr_names *names, struct chain *chain, const struct tr_name_owner *owner,
                       enum troupe_status *status) {
    const struct entry *entry = taken_by(names, chain);
    if (entry == NULL) return false;
    *status = is_owner(entry, owner) ? TROUPE_OK : TROUPE_EXISTS;
    return true;
}

/* The record is written but for its place. `*in`: it hangs in the table now. */
static enum troupe_status hang_in(struct tr_names *names, const struct key *key,
                                  const struct tr_name_owner *owner, uint32_t number, bool *in) {
    struct chain chain;
    enum troupe_status status;
    for (uint32_t i = 0; i < TRIES; i++) {
        if (!read_chain(names, key, &chain)) return TROUPE_UNREACHABLE;
        if (is_decided(names, &chain, owner, &status)) return status;
        struct change change = clean(names, &chain);
        if (chain.count - change.replaced + change.copies >= TR_NAMES_ALIKE) {
            drop_copies(names, &change);
            return TROUPE_LIMIT;
        }
        put(&record_at(names, number)->next, (uint64_t)change.first << 8 | key->size);
        *in = commit(names, key->bucket, &chain, &change, number);
        if (*in) return TROUPE_OK;
    }
    return TROUPE_UNREACHABLE;
}

static enum troupe_status add(struct tr_names *names, const struct key *key, const struct tr_name_owner *owner,
                              bool reserved) {
    struct chain chain;
    enum troupe_status status;
    bool in = false;
    if (!read_chain(names, key, &chain)) return TROUPE_UNREACHABLE;
    if (is_decided(names, &chain, owner, &status)) return status;
    uint32_t number = take_or_sweep(names);
    if (number == 0) return TROUPE_LIMIT;
    write_record(record_at(names, number), key, owner);
    set_state(record_at(names, number), reserved ? RESERVED : FOUND);
    status = hang_in(names, key, owner, number, &in);
    if (!in) give_back(names, number, names->process);
    return status;
}

enum troupe_status tr_names_add(struct tr_names *names, const char *name, const struct tr_name_owner *owner,
                                bool reserved) {
    struct key key = key_of(name);
    pthread_mutex_lock(&names->lock);
    enum troupe_status status = add(names, &key, owner, reserved);
    pthread_mutex_unlock(&names->lock);
    return status;
}

/* ---- From reserved to found, and to gone ---- */

/* True: done. `*moved`: a state was exchanged, and the word not yet since: whoever has read the bucket before,
 * be it after somebody else's change, may still put a copy of the old state into it. */
static bool move_once(struct tr_names *names, const struct key *key, const struct tr_name_owner *owner,
                      enum kind kind, bool *moved) {
    struct chain chain;
    if (!read_chain(names, key, &chain)) return false;
    struct entry *entry = taken_by(names, &chain);
    if (entry != NULL && is_owner(entry, owner) && kind_of(entry) != kind) {
        uint64_t state = (entry->state & ~(uint64_t)KINDS_MASK) | kind;
        if (!exchange(&record_at(names, entry->number)->state, entry->state, state)) return false;
        entry->state = state;
        *moved = true;
    }
    if (!*moved) return true;
    struct change change = clean(names, &chain);
    return commit(names, key->bucket, &chain, &change, change.first);
}

static void move(struct tr_names *names, const char *name, const struct tr_name_owner *owner, enum kind kind) {
    struct key key = key_of(name);
    bool moved = false;
    pthread_mutex_lock(&names->lock);
    for (uint32_t i = 0; i < TRIES && !move_once(names, &key, owner, kind, &moved); i++) {
    }
    pthread_mutex_unlock(&names->lock);
}

void tr_names_publish(struct tr_names *names, const char *name, const struct tr_name_owner *owner) {
    move(names, name, owner, FOUND);
}

void tr_names_remove(struct tr_names *names, const char *name, const struct tr_name_owner *owner) {
    move(names, name, owner, GONE);
}

uint32_t tr_names_used(const struct tr_names *names) {
    uint32_t used = 0;
    for (uint32_t i = 0; i < TR_NAMES_MAX; i++)
        if (get(&names->page->records[i].holder) != 0) used++;
    return used;
}

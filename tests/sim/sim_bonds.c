/*
 * Actors with monitors and links, from a seed: they make them, take them back, end, come again, trap or do not; words
 * between two of them arrive in order, but whenever they like; and nodes die, with a part of what they had said and were
 * told, and begin anew. The machines are those of services/bonds.c.
 *
 * What must hold: a monitor tells once at most, and not after it was taken back; a link has no effect after either side
 * took it back and this side knows; whoever is told is told of an end that has happened. And when all words have arrived:
 * whoever watches a run is known to it, and nobody else; whoever is linked, both know; nobody waits for the end of a run
 * that is over. In the end nothing is left.
 *
 *   sim_bonds [--seed N] [--seeds COUNT]     a failing seed is printed and can be replayed
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "services/bonds.h"

enum { NODES = 3, EACH = 2, ACTORS = NODES * EACH, STEPS = 600, MOST = STEPS * 2 + 2 };

struct said {
    enum tr_bond_word word;
    troupe_address from, to; /* as the sender knew it */
    uint64_t id;
    bool normal;
    uint32_t run; /* of the sender, which has ended; 0: another END */
};

struct queue {
    struct said *items;
    uint32_t first, count, size;
};

struct actor {
    troupe_address address;
    bool running; /* else its next run is waited for; the machine is that of the next */
    uint32_t run; /* counts up, over all that live here one after the other */
    struct tr_bonds bonds;
    struct tr_bond *told[MOST]; /* messages in its mailbox; NULL: it was taken back */
    uint32_t told_count;
    uint32_t known[ACTORS]; /* the last run of each, counted from 1, of which a link had an effect */
    bool dies;
};

/* What was made, by id. */
struct made {
    uint32_t maker, maker_run;
    bool monitor, taken_back, told;
};

static struct {
    struct tr_random random;
    struct actor actors[ACTORS];
    struct queue words[ACTORS][ACTORS]; /* from, to */
    struct made made[MOST];
    uint64_t ids;
    int64_t live; /* bonds that exist */
    uint64_t downs, effects, ends, deaths;
    uint32_t at;  /* the actor at work */
    bool ends_normally;
} sim;

static uint64_t below(uint64_t bound) { return tr_random_below(&sim.random, bound); }

static uint32_t index_of(troupe_address address) { return (uint32_t)(address.node - 1) * EACH + address.slot; }

/* ---- Words ---- */

static void say_as(uint32_t from, troupe_address self, troupe_address to, struct said said) {
    struct queue *queue = &sim.words[from][index_of(to)];
    if (queue->first + queue->count == queue->size) {
        queue->size = queue->size == 0 ? 64 : queue->size * 2;
        queue->items = realloc(queue->items, queue->size * sizeof *queue->items);
        assert_non_null(queue->items);
    }
    said.from = self;
    said.to = to;
    queue->items[queue->first + queue->count++] = said;
}

static void say(uint32_t from, troupe_address to, struct said said) {
    say_as(from, sim.actors[from].address, to, said);
}

/* ---- What the machine asks for ---- */

static struct tr_bond *new_bond(enum tr_bond_kind kind, troupe_address other, uint64_t id) {
    struct tr_bond *bond = calloc(1, sizeof *bond);
    assert_non_null(bond);
    *bond = (struct tr_bond){ .kind = (uint8_t)kind, .other = other, .id = id };
    sim.live++;
    return bond;
}

/* Memory is short at times. */
static struct tr_bond *make(void *context, enum tr_bond_kind kind, troupe_address other, uint64_t id) {
    (void)context;
    return below(50) == 0 ? NULL : new_bond(kind, other, id);
}

static void drop(void *context, struct tr_bond *bond) {
    struct actor *actor = context;
    for (uint32_t i = 0; i < actor->told_count; i++)
        if (actor->told[i] == bond) actor->told[i] = NULL;
    free(bond);
    sim.live--;
}

static void part(void *context, struct tr_bond *bond, enum tr_bond_word word) {
    struct actor *actor = context;
    assert_false(bond->over);
    if (!actor->dies)
        say(sim.at, bond->other, (struct said){ .word = word, .id = bond->id, .normal = sim.ends_normally, .run = actor->run });
    drop(context, bond);
}

static void withdraw(void *context, const struct tr_bond *bond, enum tr_bond_word word) {
    (void)context;
    say(sim.at, bond->other, (struct said){ .word = word, .id = bond->id });
}

static void refuse(void *context, troupe_address other, uint64_t id, enum troupe_status status) {
    (void)context;
    assert_int_equal(status, TROUPE_NO_MEMORY);
    say(sim.at, other, (struct said){ .word = TR_WORD_END, .id = id });
}

/* Of an end that has happened, to somebody who still wants to know. */
static void check_wanted(const struct actor *actor, uint64_t id) {
    const struct made *made = &sim.made[id];
    bool ours = made->maker == sim.at;
    assert_true(id > 0 && id <= sim.ids);
    assert_true(actor->running);
    assert_true(!ours || (!made->taken_back && made->maker_run == actor->run));
}

/* Of the end of one run there is one, however many links there were. */
static void check_once(struct actor *actor, troupe_address other, const struct said *said) {
    if (said->word != TR_WORD_END || said->run == 0) return;
    assert_int_not_equal(actor->known[index_of(other)], said->run);
    actor->known[index_of(other)] = said->run;
}

static void tell(void *context, struct tr_bond *bond, const void *reason) {
    struct actor *actor = context;
    check_wanted(actor, bond->id);
    if (bond->kind == TR_BOND_LINK) check_once(actor, bond->other, reason);
    for (uint32_t i = 0; i < actor->told_count; i++) assert_ptr_not_equal(actor->told[i], bond);
    assert_true(bond->kind == TR_BOND_WATCHES || actor->bonds.traps);
    assert_true(actor->told_count < MOST);
    actor->told[actor->told_count++] = bond;
}

static bool must_end;
static void end(void *context, troupe_address other, const void *reason) {
    struct actor *actor = context;
    const struct said *said = reason;
    assert_false(actor->bonds.traps || said->normal);
    if (actor->running) check_once(actor, other, said);
    must_end = actor->running; /* a link of the next run, which has not begun */
}

static const struct tr_bonds_io io = { .make = make, .drop = drop, .part = part, .withdraw = withdraw,
                                       .refuse = refuse, .tell = tell, .end = end };

/* ---- Actors ---- */

static struct actor *at(uint32_t index) {
    sim.at = index;
    sim.actors[index].bonds.context = &sim.actors[index];
    return &sim.actors[index];
}

static void begin(uint32_t index) {
    struct actor *actor = at(index);
    actor->running = true;
    actor->bonds.traps = below(2) == 0;
}

/* `for_good`: whoever lives here next has another address. */
static void end_run(uint32_t index, bool normally, bool for_good) {
    struct actor *actor = at(index);
    sim.ends_normally = normally;
    tr_bonds_end(&actor->bonds);
    tr_bonds_free(&actor->bonds);
    tr_bonds_init(&actor->bonds, &io);
    actor->running = actor->dies = false;
    actor->told_count = 0;
    memset(actor->known, 0, sizeof actor->known);
    actor->run++;
    if (for_good) actor->address.generation++;
    sim.ends++;
}

static uint64_t new_id(uint32_t maker, bool monitor) {
    assert_true(sim.ids + 1 < MOST);
    sim.made[++sim.ids] = (struct made){ .maker = maker, .maker_run = sim.actors[maker].run, .monitor = monitor };
    return sim.ids;
}

static void ask(uint32_t index, troupe_address other, enum tr_bond_kind kind) {
    struct actor *actor = at(index);
    uint64_t id = new_id(index, kind == TR_BOND_WATCHES);
    struct tr_bond *bond = new_bond(kind, other, id);
    bond->ours = true;
    assert_int_equal(tr_bonds_room(&actor->bonds, 1), TROUPE_OK);
    tr_bonds_add(&actor->bonds, bond);
    say(index, other, (struct said){ .word = kind == TR_BOND_LINK ? TR_WORD_LINK : TR_WORD_WATCH, .id = id });
}

/* Now, or as it was a while ago. */
static troupe_address some_address(void) {
    troupe_address address = sim.actors[below(ACTORS)].address;
    if (below(10) == 0 && address.generation > 1) address.generation--;
    return address;
}

static void link_with(uint32_t index, troupe_address other) {
    struct actor *actor = at(index);
    if (!troupe_address_equal(other, actor->address) && !tr_bonds_is_linked(&actor->bonds, other))
        ask(index, other, TR_BOND_LINK);
}

static void unlink_from(uint32_t index, troupe_address other) {
    struct actor *actor = at(index);
    for (const struct tr_bond *bond = actor->bonds.first; bond != NULL; bond = bond->next)
        if (bond->kind == TR_BOND_LINK && bond->ours && troupe_address_equal(bond->other, other))
            sim.made[bond->id].taken_back = true;
    tr_bonds_unlink(&actor->bonds, other);
    for (const struct tr_bond *bond = actor->bonds.first; bond != NULL; bond = bond->next)
        assert_false(bond->kind == TR_BOND_LINK && troupe_address_equal(bond->other, other));
}

static void unwatch_one(uint32_t index) {
    struct actor *actor = at(index);
    uint64_t id = 1 + below(sim.ids);
    struct tr_bond *bond = tr_bonds_watch(&actor->bonds, id);
    if (bond == NULL) return;
    sim.made[id].taken_back = true;
    tr_bonds_unwatch(&actor->bonds, bond);
    assert_null(tr_bonds_watch(&actor->bonds, id));
}

/* The next message of its mailbox. */
static bool handle_one(uint32_t index) {
    struct actor *actor = at(index);
    if (actor->told_count == 0) return false;
    struct tr_bond *bond = actor->told[0];
    memmove(actor->told, actor->told + 1, --actor->told_count * sizeof *actor->told);
    if (bond == NULL) return true;
    check_wanted(actor, bond->id);
    if (bond->kind == TR_BOND_WATCHES) {
        assert_false(sim.made[bond->id].told);
        sim.made[bond->id].told = true;
        sim.downs++;
    } else {
        sim.effects++;
    }
    tr_bonds_handled(&actor->bonds, bond);
    return true;
}

static void act(uint32_t index) {
    if (!sim.actors[index].running) {
        if (below(3) == 0) begin(index);
        return;
    }
    switch (below(12)) {
    case 0:
    case 1:
    case 2: ask(index, some_address(), TR_BOND_WATCHES); break;
    case 3:
    case 4:
    case 5: link_with(index, some_address()); break;
    case 6:
    case 7: unlink_from(index, some_address()); break;
    case 8:
        if (sim.ids > 0) unwatch_one(index);
        break;
    case 9: end_run(index, below(2) == 0, below(3) == 0); break;
    default: handle_one(index); break;
    }
}

/* ---- What is on its way ---- */

static void hear(uint32_t index, troupe_address from, const struct said *said) {
    struct actor *actor = at(index);
    must_end = false;
    tr_bonds_word(&actor->bonds, said->word, from, said->id, said->normal, said);
    if (!must_end) return;
    sim.effects++;
    end_run(index, false, below(4) == 0);
}

/* Who is not there any more is answered for. */
static void arrive(uint32_t to, const struct said *said) {
    const struct said end = { .word = TR_WORD_END, .id = said->id };
    if (troupe_address_equal(said->to, sim.actors[to].address)) hear(to, said->from, said);
    else if (said->word == TR_WORD_WATCH || said->word == TR_WORD_LINK)
        say_as(to, said->to, said->from, end);
}

static bool arrive_one(uint32_t from, uint32_t to) {
    struct queue *queue = &sim.words[from][to];
    if (queue->count == 0) return false;
    struct said said = queue->items[queue->first++];
    queue->count--;
    arrive(to, &said);
    return true;
}

/* ---- The death of a node ---- */

static bool is_on(uint32_t index, uint64_t node) { return sim.actors[index].address.node == node; }

/* What had left it arrives before anybody is told; what it was told and had not taken may be for its next life. */
static void settle_words(uint32_t dead, uint32_t other) {
    struct queue *in = &sim.words[other][dead];
    uint64_t left = below(sim.words[dead][other].count + 1), lost = below(in->count + 1);
    while (left-- > 0) arrive_one(dead, other);
    sim.words[dead][other].count = 0;
    while (lost-- > 0) {
        struct said said = in->items[in->first++];
        in->count--;
        bool asks = said.word == TR_WORD_WATCH || said.word == TR_WORD_LINK;
        const struct said end = { .word = TR_WORD_END, .id = said.id };
        if (asks && troupe_address_equal(said.from, sim.actors[other].address)) hear(other, said.to, &end);
    }
}

static void tell_lost(uint32_t index, uint64_t node) {
    static struct { troupe_address other; uint64_t id; } lost[MOST * 2];
    uint32_t count = 0;
    for (const struct tr_bond *bond = sim.actors[index].bonds.first; bond != NULL; bond = bond->next) {
        if (bond->other.node != node) continue;
        assert_true(count < MOST * 2);
        lost[count].other = bond->other;
        lost[count++].id = bond->id;
    }
    const struct said said = { .word = TR_WORD_LOST };
    for (uint32_t i = 0; i < count; i++) {
        struct said one = said;
        one.id = lost[i].id;
        hear(index, lost[i].other, &one);
    }
}

static void node_dies(uint64_t node) {
    sim.deaths++;
    for (uint32_t i = 0; i < ACTORS; i++) {
        if (!is_on(i, node)) continue;
        sim.actors[i].dies = true;
        end_run(i, false, false);
        for (uint32_t j = 0; j < ACTORS; j++)
            if (is_on(j, node)) sim.words[i][j].count = 0;
    }
    for (uint32_t i = 0; i < ACTORS; i++)
        for (uint32_t j = 0; j < ACTORS; j++)
            if (is_on(i, node) && !is_on(j, node)) settle_words(i, j);
    for (uint32_t i = 0; i < ACTORS; i++)
        if (!is_on(i, node)) tell_lost(i, node);
    for (uint32_t i = 0; i < ACTORS; i++)
        if (is_on(i, node) && below(2) == 0) sim.actors[i].address.generation++; /* one that code had spawned */
}

/* ---- What must hold when all has arrived ---- */

static bool has(troupe_address whose, enum tr_bond_kind kind, troupe_address other, uint64_t id) {
    const struct actor *actor = &sim.actors[index_of(whose)];
    const struct tr_bond *bond = troupe_address_equal(actor->address, whose) ? actor->bonds.first : NULL;
    while (bond != NULL && (bond->kind != kind || bond->id != id || !troupe_address_equal(bond->other, other)))
        bond = bond->next;
    return bond != NULL;
}

static void check_both_know(const struct actor *actor, const struct tr_bond *bond) {
    static const enum tr_bond_kind opposite[] = { [TR_BOND_WATCHES] = TR_BOND_WATCHED,
                                                  [TR_BOND_WATCHED] = TR_BOND_WATCHES, [TR_BOND_LINK] = TR_BOND_LINK };
    assert_false(bond->over);
    assert_true(has(bond->other, opposite[bond->kind], actor->address, bond->id));
    assert_false(sim.made[bond->id].taken_back || sim.made[bond->id].told);
}

static bool settle_once(void) {
    bool any = false;
    for (uint32_t i = 0; i < ACTORS; i++) {
        if (!sim.actors[i].running) begin(i);
        while (handle_one(i)) any = true;
        for (uint32_t j = 0; j < ACTORS; j++)
            while (arrive_one(i, j)) any = true;
    }
    return any;
}

static void check_all(void) {
    while (settle_once()) {
    }
    for (uint32_t i = 0; i < ACTORS; i++)
        for (const struct tr_bond *bond = sim.actors[i].bonds.first; bond != NULL; bond = bond->next)
            check_both_know(&sim.actors[i], bond);
}

static void check_nothing_is_left(void) {
    for (uint32_t i = 0; i < ACTORS; i++) end_run(i, true, true);
    check_all();
    assert_int_equal(sim.live, 0);
}

/* ---- A run ---- */

static void prepare(uint64_t seed) {
    memset(&sim, 0, sizeof sim);
    tr_random_seed(&sim.random, seed);
    for (uint32_t i = 0; i < ACTORS; i++) {
        sim.actors[i].address = (troupe_address){ i / EACH + 1, i % EACH, 1 };
        tr_bonds_init(&sim.actors[i].bonds, &io);
        sim.actors[i].run = 1;
        begin(i);
    }
}

static void clear(void) {
    for (uint32_t i = 0; i < ACTORS; i++) {
        tr_bonds_free(&sim.actors[i].bonds);
        for (uint32_t j = 0; j < ACTORS; j++) free(sim.words[i][j].items);
    }
}

static struct { uint64_t downs, effects, ends, deaths; } total;

static void run_seed(uint64_t seed) {
    prepare(seed);
    uint64_t slow = 1 + below(6);
    for (uint32_t step = 0; step < STEPS; step++) {
        act((uint32_t)below(ACTORS));
        for (uint64_t words = below(2 * slow) / slow * 3; words > 0; words--)
            arrive_one((uint32_t)below(ACTORS), (uint32_t)below(ACTORS));
        if (below(60) == 0) node_dies(1 + below(NODES));
        if (below(200) == 0) check_all();
    }
    check_all();
    check_nothing_is_left();
    clear();
    total.downs += sim.downs;
    total.effects += sim.effects;
    total.ends += sim.ends;
    total.deaths += sim.deaths;
}

static uint64_t first_seed = 1, seeds = 10000;

static void whatever_happens(void **state) {
    (void)state;
    for (uint64_t seed = first_seed; seed < first_seed + seeds; seed++) {
        fprintf(stderr, "\rseed %llu ", (unsigned long long)seed);
        run_seed(seed);
    }
    fprintf(stderr, "\n%llu seeds: %llu ends, %llu nodes died, %llu monitors told, %llu effects of links\n",
            (unsigned long long)seeds, (unsigned long long)total.ends, (unsigned long long)total.deaths,
            (unsigned long long)total.downs, (unsigned long long)total.effects);
    assert_true(total.downs > seeds && total.effects > seeds && total.deaths > seeds);
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        uint64_t value = strtoull(argv[i + 1], NULL, 10);
        if (strcmp(argv[i], "--seed") == 0) {
            first_seed = value;
            seeds = 1;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            seeds = value;
        }
    }
    const struct CMUnitTest tests[] = { cmocka_unit_test(whatever_happens) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

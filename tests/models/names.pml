/*
 * Mirrors: read_once, clean, commit, hang_in, move_once (actor/services/name_table.c). A change there must change
 * this model.
 *
 * One bucket, three processes. The first registers a name, looks whether it is found, and gives it up. The second gives
 * up what it has had from the beginning. The third wants the first one's name, or (THIRD=3) one of its own, and
 * gives it up. Records are used again as soon as they can be. A process that is killed
 * or stopped is one that takes no further step, which all others must do without: so it is in every prefix of
 * a run. Not here: records that a killed process leaves, and nodes that do not live.
 *
 * Shown: of those who want a name one has it at a time; whoever has it is found until he gives it up; what was given
 * up is not found again.
 *
 * BUG 1: a state is exchanged without the bucket's word: a copy of the old state comes back.
 * BUG 2: it is, but not when the bucket was changed in between, and the name seems to be gone there already.
 * BUG 3: readers do not look whether the word is still the same.
 * BUG 4: the state of a record is exchanged without its serial: it may be another's by then.
 * BUG 5: the word has no version: it looks the same when a record was taken out and used again.
 */
#ifndef BUG
#define BUG 0
#endif

#ifndef THIRD
#define THIRD 1 /* the name that the third one wants */
#endif

#define PROCESSES 3
#define RECORDS 6
#define CHAIN 3

#define GONE 0
#define FOUND 1

typedef record { byte name; byte owner; byte kind; byte serial; byte next; bool used }
record r[RECORDS + 1]; /* 0 is none */
byte head, version;
byte has[PROCESSES + 1]; /* by name: who has it */
byte done;

/* Within a step. */
inline take(n) {
    n = 1;
    do
    :: n <= RECORDS && r[n].used -> n++
    :: else -> break
    od;
    assert(n <= RECORDS);
    r[n].used = true
}

inline free(n) { r[n].used = false; r[n].name = 0; r[n].owner = 0; r[n].kind = GONE; r[n].next = 0 }

inline forget() {
    d_step {
        count = 0; place = 0; word = 0; seen = 0; first = 0; i = 0;
        do
        :: i < CHAIN -> c_number[i] = 0; c_name[i] = 0; c_owner[i] = 0; c_kind[i] = 0; c_serial[i] = 0; i++
        :: else -> i = 0; break
        od
    }
}

/* The chain as it was at one moment: c_number, c_name, ... and count. The walk is one step: that of a reader whom
 * others overtake between two records ends at the word, as that of one whom they overtake before the first. */
inline read() {
    do
    :: true ->
        forget();
        atomic { word = head; seen = version };
        d_step {
            at = word;
            do
            :: at != 0 && count < CHAIN ->
                c_number[count] = at; c_kind[count] = r[at].kind; c_serial[count] = r[at].serial;
                c_name[count] = r[at].name; c_owner[count] = r[at].owner;
                at = r[at].next; count++
            :: else -> at = 0; break
            od
        };
        if
        :: BUG == 3 || (head == word && (BUG == 5 || version == seen)) -> break
        :: else
        fi
    od
}

/* place: of the entry that has the name; count: nobody has it. */
inline look() {
    d_step {
        place = 0;
        do
        :: place < count && !(c_name[place] == name && c_kind[place] == FOUND) -> place++
        :: else -> break
        od
    }
}

/* Within a step. The chain's beginning without what is gone: first, replaced, copies. */
inline clean() {
    replaced = count;
    do
    :: replaced > 0 && c_kind[replaced - 1] == FOUND -> replaced--
    :: else -> break
    od;
    first = (replaced == count -> 0 : c_number[replaced]);
    i = replaced;
    do
    :: i > 0 ->
        i--;
        if
        :: c_kind[i] == FOUND ->
            take(number);
            r[number].name = c_name[i]; r[number].owner = c_owner[i]; r[number].kind = FOUND;
            r[number].serial++; r[number].next = first; first = number; copied[i] = number; number = 0
        :: else
        fi
    :: else -> break
    od
}

/* ok: the chain begins with `new`, 0: with what clean() made of it. The copies are made and given back in the same
 * step: nobody sees them but in the chain. */
inline commit(new, gain) {
    d_step {
        clean();
        if
        :: new != 0 -> r[new].next = first; first = new
        :: else
        fi;
        ok = head == word && (BUG == 5 || version == seen);
        if
        :: ok -> head = first; version++
        :: else
        fi;
        if
        :: ok && gain -> assert(has[name] == 0); has[name] = me
        :: else
        fi;
        do
        :: i < replaced ->
            if
            :: ok -> free(c_number[i])
            :: !ok && copied[i] != 0 -> free(copied[i])
            :: else
            fi;
            copied[i] = 0; i++
        :: else -> i = 0; break
        od;
        replaced = 0; first = 0
    }
}

inline add() {
    d_step { take(own); r[own].name = name; r[own].owner = me; r[own].kind = FOUND; r[own].serial++ };
    do
    :: true ->
        read();
        look();
        if
        :: place < count -> d_step { free(own); ok = false }; break
        :: else
        fi;
        commit(own, true);
        if
        :: ok -> break
        :: else
        fi
    od;
    own = 0;
    forget()
}

inline remove() {
    moved = false;
    do
    :: true ->
        read();
        look();
        if
        :: place < count && c_owner[place] == me ->
            atomic {
                ok = r[c_number[place]].kind == FOUND &&
                     (BUG == 4 || r[c_number[place]].serial == c_serial[place]);
                if
                :: ok ->
                    r[c_number[place]].kind = GONE; c_kind[place] = GONE; moved = true; has[name] = 0
                :: else
                fi
            };
            if
            :: !ok -> goto again
            :: else
            fi
        :: else ->
            if
            :: !moved || BUG == 2 -> break
            :: else
            fi
        fi;
        if
        :: BUG == 1 -> break
        :: else
        fi;
        commit(0, false);
        if
        :: ok -> break
        :: else
        fi;
again:  skip
    od;
    forget()
}

proctype process(byte me) {
    byte name, own, word, seen, at, count, place, replaced, first, i, number;
    byte c_number[CHAIN], c_name[CHAIN], c_owner[CHAIN], c_kind[CHAIN], c_serial[CHAIN], copied[CHAIN];
    bool ok, moved;
    name = (me == 3 -> THIRD : me);
    if
    :: me == 2 -> ok = true
    :: else -> add()
    fi;
    if
    :: ok && me == 1 ->
        read();
        look();
        assert(place < count && c_owner[place] == me);
        forget()
    :: else
    fi;
    if
    :: ok -> remove()
    :: else
    fi;
    d_step { name = 0; ok = false; moved = false; done++ }
}

/* Nothing is found any more. */
proctype last() {
    byte at;
    done == PROCESSES;
    d_step {
        at = head;
        do
        :: at != 0 -> assert(r[at].kind == GONE); at = r[at].next
        :: else -> break
        od
    }
}

init {
    atomic {
        r[RECORDS].name = 2; r[RECORDS].owner = 2; r[RECORDS].kind = FOUND; r[RECORDS].used = true; has[2] = 2; head = RECORDS;
        run process(1); run process(2); run process(3); run last()
    }
}

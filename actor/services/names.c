/*
 * Names: the part of include/troupe/actor.h about them. What is registered is in a table that all processes of
 * the application share (name_table.h); what is configured, in the plan that each of them has.
 *
 * The cell remembers its name, to give it back when it ends; a name dies with its node in any case.
 */
#include "services/names.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "core/log.h"
#include "core/worker.h"
#include "services/services.h"

/* A slash is a path's, a control character would forge a line of the log, and what is not UTF-8 could not be sent. */
bool tr_name_is_valid(const char *name) {
    if (name == NULL || name[0] == '\0' || strlen(name) > TR_NAME_MAX) return false;
    if (!tr_utf8_valid(name, strlen(name))) return false;
    for (; *name != '\0'; name++)
        if (*name == '/' || (unsigned char)*name < ' ') return false;
    return true;
}

const char tr_name_rule[] = "a name has 1 to 64 bytes of UTF-8, and no slash or control character";

static struct tr_names *names_of(struct tr_node *node) { return tr_services_of(node)->names; }

static struct tr_name_owner owner_of(const struct tr_node *node, troupe_address address) {
    return (struct tr_name_owner){ address, node->options.incarnation };
}

/* ---- Taking and giving up ---- */

/* The tree's names are the tree's on every node: nobody may stand in for a configured actor. */
static enum troupe_status claim(struct tr_node *node, const char *name, troupe_address address, bool reserved) {
    troupe_address configured = tr_services_of(node)->find(node, name);
    struct tr_name_owner owner = owner_of(node, address);
    if (!troupe_address_is_none(configured) && !troupe_address_equal(configured, address)) return TROUPE_EXISTS;
    enum troupe_status status = tr_names_add(names_of(node), name, &owner, reserved);
    if (status == TROUPE_UNREACHABLE)
        tr_log(node, TROUPE_ERROR, NULL, "not registered: %s: a process writes over the names of all", name);
    return status;
}

enum troupe_status tr_name_reserve(struct tr_node *node, const char *name, troupe_address address) {
    return claim(node, name, address, true);
}

void tr_name_publish(struct tr_node *node, const char *name, troupe_address address) {
    struct tr_name_owner owner = owner_of(node, address);
    tr_names_publish(names_of(node), name, &owner);
}

void tr_name_give_up(struct tr_node *node, const char *name, troupe_address address) {
    struct tr_name_owner owner = owner_of(node, address);
    tr_names_remove(names_of(node), name, &owner);
}

void tr_name_release(struct tr_node *node, struct tr_cell *cell) {
    if (cell->more == NULL || cell->more->name == NULL) return;
    troupe_address address = { node->id, cell->slot, atomic_load(&cell->generation) };
    tr_name_give_up(node, cell->more->name, address);
    free(cell->more->name);
    cell->more->name = NULL;
}

/* ---- For actors ---- */

static enum troupe_status refuse(troupe_self *self, const char *why) {
    tr_log(self->worker->node, TROUPE_ERROR, troupe_self_path(self), "not registered: %s", why);
    return TROUPE_INVALID;
}

static enum troupe_status take_first_name(troupe_self *self, struct tr_cell_more *more, const char *name) {
    char *kept = strdup(name);
    if (kept == NULL) return TROUPE_NO_MEMORY;
    enum troupe_status status = claim(self->worker->node, name, troupe_self_address(self), false);
    if (status == TROUPE_OK) more->name = kept;
    else free(kept);
    return status;
}

enum troupe_status troupe_register(troupe_self *self, const char *name) {
    struct tr_cell_more *more = tr_cell_more(self->cell);
    if (more == NULL) return TROUPE_NO_MEMORY;
    if (!tr_name_is_valid(name)) return refuse(self, tr_name_rule);
    if (more->name == NULL) return take_first_name(self, more, name);
    if (strcmp(more->name, name) == 0) return TROUPE_OK;
    return refuse(self, "the actor has another name, to be given up by troupe_unregister first");
}

enum troupe_status troupe_unregister(troupe_self *self, const char *name) {
    const struct tr_cell_more *more = self->cell->more;
    if (more == NULL || more->name == NULL || name == NULL || strcmp(more->name, name) != 0)
        return TROUPE_NOT_FOUND;
    tr_name_release(self->worker->node, self->cell);
    return TROUPE_OK;
}

troupe_address tr_lookup(struct tr_node *node, const char *name) {
    if (name == NULL) return (troupe_address){ 0 };
    troupe_address address = { 0 };
    if (tr_name_is_valid(name)) address = tr_names_find(names_of(node), name);
    return troupe_address_is_none(address) ? tr_services_of(node)->find(node, name) : address;
}

troupe_address troupe_lookup(troupe_self *self, const char *name) {
    return tr_lookup(self->worker->node, name);
}

uint32_t troupe_count(troupe_self *self, const char *path) {
    struct tr_node *node = self->worker->node;
    return path == NULL ? 0 : tr_services_of(node)->count(node, path);
}

const char *troupe_data(const troupe_self *self, const char *name) {
    struct tr_node *node = self->worker->node;
    return name == NULL ? NULL : tr_services_of(node)->data(node, name);
}

void troupe_shutdown(troupe_self *self) {
    struct tr_node *node = self->worker->node;
    tr_services_of(node)->shutdown(node);
}

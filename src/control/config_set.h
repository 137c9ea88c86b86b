/* config_set.h - what one session has configured: its routes and its settings by scope.
 *
 * A session has one set that is live and, once something is staged, one that is its draft: a full
 * copy that commands edit. Apply makes the draft live (or some of its scopes), rollback drops it,
 * diff compares both. So a refused command, an apply that fails and a rollback need no undo.
 *
 * Thread: control. Ownership: a set owns its entries and holds a reference on each route state; the
 * names that its routes hold are the model's to drop before it frees a set. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/error.h"
#include "base/list.h"
#include "base/map.h"
#include "config/options.h"
#include "config/route_state.h"
#include "config/url.h"
#endif

enum scope {
    SCOPE_ROUTES,
    SCOPE_HEADERS,
    SCOPE_OPTIONS,
    SCOPE_HEALTH,
    SCOPE_RATELIMIT,
    SCOPE_CIRCUIT,
    SCOPES
};

enum {
    ROUTE_ID_SIZE = 16,
    SET_ENTRIES_MAX = 100000, /* routes, and settings, that one set may hold */
    SCOPES_ALL = (1 << SCOPES) - 1
};

/* "routes", "headers", "options", "health", "ratelimit", "circuit". */
extern const char *const scope_names[SCOPES];

struct resolved;
struct route_body;
struct route_state;

#ifndef FFI_CDEF
/* One route as its service described it. */
struct route_entry {
    struct list link;       /* in config_set.routes, oldest first */
    char id[ROUTE_ID_SIZE]; /* "r1" */
    struct route_body *body; /* referenced; what follows are its texts */
    char **domains;
    unsigned domain_count;
    char *path;
    char *form;
    char *backend_url;
    struct url url;
    int priority;
    unsigned differs; /* scratch of config_set_changes */
    struct route_state *state; /* in a live set never NULL; elsewhere NULL until first applied */
    struct resolved *name;     /* held, in a live set only; NULL when the URL has an address */
};

/* One setting of any other scope: what HEADERS_SET, OPTIONS_SET, HEALTH_SET, ... staged. */
struct setting_entry {
    struct list link; /* in setting_group.settings, oldest first */
    char *key;        /* header name or option key; "" for health, ratelimit, circuit */
    char *value;      /* header value, option value; else the fields joined by "|", durations
                       * in ms: health "path|interval|timeout", ratelimit "requests|window",
                       * circuit "threshold|timeout|half_open_requests" */
};

/* All settings of one scope with one target; may be empty. */
struct setting_group {
    struct list link;           /* in config_set.groups */
    enum scope scope;           /* never SCOPE_ROUTES */
    char target[ROUTE_ID_SIZE]; /* "ALL" or a route id */
    struct list settings;       /* struct setting_entry */
};

struct config_set {
    struct list routes;          /* struct route_entry */
    struct list groups;          /* struct setting_group */
    struct map *route_by_id;     /* id to route_entry */
    struct map *route_by_place;  /* domain, path and backend to route_entry, for duplicates */
    struct map *group_by_target; /* scope and target to setting_group */
    struct map *setting_by_key;  /* scope, target and key in lower case to setting_entry */
    unsigned setting_count;
    size_t bytes; /* of all entries, their texts and keys */
};
#else
struct config_set;
struct route_entry;
struct setting_entry;
#endif

/* A route as it came in; borrowed. */
struct route_fields {
    const struct slice *domains;
    unsigned domain_count;
    struct slice path, backend_url;
    int64_t priority;
};

struct config_set *config_set_new(void);

/* About what a copy takes, bytes; rather too much. */
size_t config_set_size(const struct config_set *set);

/* A full copy; route states are shared, names are not held by the copy. NULL: there is no memory for it. */
struct config_set *config_set_copy(const struct config_set *from, struct error *err);
void config_set_free(struct config_set *set); /* NULL is fine */

/* Checks everything that ROUTE_ADD refuses: domains, path, URL, duplicates within the set. */
MUST_USE bool config_set_add_route(struct config_set *set, const char *id,
                                   const struct route_fields *fields, struct error *err);

/* field: "backend_url", "priority", "domains" (comma separated), "path". */
MUST_USE bool config_set_update_route(struct config_set *set, struct slice id, struct slice field,
                                      struct slice value, struct error *err);

/* Removes a route and the settings that target it. "route not found". */
MUST_USE bool config_set_remove_route(struct config_set *set, struct slice id, struct error *err);

/* The route with this id, or NULL. */
const struct route_entry *config_set_route(const struct config_set *set, struct slice id);

/* Memory that a set takes, about; that a route takes, would take with one field replaced (as config_set_update_route
 * does), or as it came in; that a setting takes. */
size_t config_set_bytes(const struct config_set *set);
size_t config_route_bytes(const struct route_entry *route);
size_t config_route_bytes_with(const struct route_entry *route, struct slice field, struct slice value);
size_t config_route_fields_bytes(const struct route_fields *fields);
size_t config_setting_bytes(struct slice key, struct slice value);

/* Settings of a scope and target that have another key. */
unsigned config_set_count_others(const struct config_set *set, enum scope scope, struct slice target, struct slice key);

/* How many routes the set has. */
unsigned config_set_route_count(const struct config_set *set);

/* Sets or replaces one setting after checking it. target: "ALL" or a route of this set, else "route
 * not found". An option of an unknown key: "unknown option: X". */
MUST_USE bool config_set_put(struct config_set *set, enum scope scope, struct slice target,
                             struct slice key, struct slice value, struct error *err);

/* Undoes config_set_put; false with "<scope> not set: <key>" when there is nothing to undo. */
MUST_USE bool config_set_drop(struct config_set *set, enum scope scope, struct slice target,
                              struct slice key, struct error *err);

/* The setting that holds for a route: its own, else the one for ALL, else NULL. key: any case, ""
 * for health, ratelimit, circuit. */
const struct setting_entry *config_set_effective(const struct config_set *set, enum scope scope,
                                                 const char *route_id, const char *key);

/* Its value, NUL-terminated, or NULL. */
const char *config_set_value(const struct config_set *set, enum scope scope, const char *route_id,
                             const char *key);

/* Calls fn for every setting of a scope that holds for a route, each key once. */
void config_set_each_effective(const struct config_set *set, enum scope scope, const char *route_id,
                               void (*fn)(void *arg, const struct setting_entry *setting),
                               void *arg);

/* What differs between live and draft in one scope. */
struct scope_diff {
    unsigned added, removed, modified;
};
struct scope_diff config_set_diff(const struct config_set *live, const struct config_set *draft,
                                  enum scope scope);

/* How a route of live and draft differ. */
enum route_change { ROUTE_SAME, ROUTE_ADDED, ROUTE_REMOVED, ROUTE_MODIFIED };

/* Calls fn for every route of live and draft in the order of their ids, with the entries of both: old NULL for one that
 * was added, new NULL for one that was removed. */
void config_set_each_route(const struct config_set *live, const struct config_set *draft,
                           void (*fn)(void *arg, enum route_change change,
                                      const struct route_entry *old, const struct route_entry *new),
                           void *arg);

#ifndef FFI_CDEF
/* A route that is not the same in two sets: its description or its state is another, or it has other settings. */
struct set_change {
    const struct route_entry *old, *now; /* NULL: was not, is not any more */
    unsigned scopes;                     /* 1u << enum scope: in which they differ */
};

struct set_changes {
    struct set_change *list; /* in the order of ids */
    unsigned count, cap;
};

/* All changes between two sets of a session; borrows their entries. */
void config_set_changes(const struct config_set *before, const struct config_set *now, struct set_changes *out);
void config_set_changes_fini(struct set_changes *changes);
#endif

/* Do both describe the same route in all that a service can set? */
bool route_entry_equal(const struct route_entry *a, const struct route_entry *b);

/* A copy of live in which the scopes of the mask (1u << enum scope) are taken from draft. A setting
 * taken from draft for a route that the result lacks is refused: "headers of r3: route r3 is not
 * active, apply routes too". Settings of live go with their route. NULL: err says why. */
MUST_USE struct config_set *config_set_merge(const struct config_set *live,
                                             const struct config_set *draft, unsigned scopes,
                                             struct error *err);

/* Everything CONFIG_VALIDATE checks over a whole set ("route r2: ..."). */
MUST_USE bool config_set_validate(const struct config_set *set, struct error *err);

/* The key under which a place, one domain with one path, is counted; out is at least domain.len +
 * path.len
 * + 1 bytes. */
struct slice config_set_place(char *out, struct slice domain, struct slice path);

/* Methods of a session's handle that tell what it has: identity, routes, differences. */
#include "base/clock.h"
#include "control/control.h"
#include "http/path.h"
#include "script/api.h"

#include <lauxlib.h>

/* A list that is being filled, at index. */
struct list_state {
    lua_State *L;
    int index;
    int count;
};

static void append(struct list_state *list)
{
    lua_rawseti(list->L, list->index, ++list->count);
}

/* What the session has live, or is about to have. */
static const struct config_set *base_of(const struct session *s)
{
    return s->next ? s->next : s->live;
}

static int session_id(lua_State *L)
{
    lua_pushstring(L, api_session(L, 1)->id);
    return 1;
}

static int session_info(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct scope_diff diff = config_set_diff(base_of(s), session_view(s), SCOPE_ROUTES);

    lua_createtable(L, 0, 10);
    api_set_text(L, "session_id", s->id);
    api_set_text(L, "service_name", s->service);
    api_set_text(L, "instance_name", s->instance);
    api_set_text(L, "metadata", s->metadata);
    api_set_number(L, "connected_at_ms", (double)s->connected_wall_ms);
    api_set_number(L, "uptime_seconds", (double)((clock_ms() - s->registered_ms) / 1000));
    api_set_number(L, "routes_active", config_set_route_count(s->live));
    api_set_number(L, "routes_staged", diff.added + diff.removed + diff.modified);
    api_set_number(L, "last_activity_ms", (double)s->activity_wall_ms);
    if (s->apply_wall_ms)
        api_set_number(L, "last_apply_ms", (double)s->apply_wall_ms);
    return 1;
}

static void push_domains(lua_State *L, const struct route_entry *route)
{
    lua_createtable(L, (int)route->domain_count, 0);
    for (unsigned i = 0; i < route->domain_count; i++) {
        lua_pushstring(L, route->domains[i]);
        lua_rawseti(L, -2, (int)i + 1);
    }
}

static const char *const change_status[] = {
    [ROUTE_SAME] = "active",
    [ROUTE_ADDED] = "staged",
    [ROUTE_REMOVED] = "pending_removal",
    [ROUTE_MODIFIED] = "staged",
};

static void push_route(void *arg, enum route_change change, const struct route_entry *old,
                       const struct route_entry *new)
{
    const struct route_entry *route = new ? new : old;
    struct list_state *list = arg;
    lua_State *L = list->L;

    lua_createtable(L, 0, 6);
    api_set_text(L, "route_id", route->id);
    push_domains(L, route);
    lua_setfield(L, -2, "domains");
    api_set_text(L, "path", route->path);
    api_set_text(L, "backend", route->backend_url);
    api_set_number(L, "priority", route->priority);
    api_set_text(L, "status", change_status[change]);
    append(list);
}

static int session_routes(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct list_state list = {.L = L};

    lua_newtable(L);
    list.index = lua_gettop(L);
    config_set_each_route(base_of(s), session_view(s), push_route, &list);
    return 1;
}

/* The three lists of changed routes, at index added + change - ROUTE_ADDED. */
struct diff_state {
    lua_State *L;
    int added;
};

static void push_change(void *arg, enum route_change change, const struct route_entry *old,
                        const struct route_entry *new)
{
    struct diff_state *diff = arg;
    int list = diff->added + (int)change - ROUTE_ADDED;

    if (change == ROUTE_SAME)
        return;
    lua_pushstring(diff->L, (new ? new : old)->id);
    lua_rawseti(diff->L, list, (int)lua_objlen(diff->L, list) + 1);
}

static int session_diff(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct diff_state diff = {.L = L};

    lua_newtable(L);
    lua_newtable(L);
    diff.added = lua_gettop(L) + 1;
    lua_newtable(L);
    lua_newtable(L);
    lua_newtable(L);
    config_set_each_route(base_of(s), session_view(s), push_change, &diff);
    lua_setfield(L, diff.added - 1, "modified");
    lua_setfield(L, diff.added - 1, "removed");
    lua_setfield(L, diff.added - 1, "added");
    lua_setfield(L, -2, scope_names[SCOPE_ROUTES]);
    for (unsigned scope = SCOPE_ROUTES + 1; scope < SCOPES; scope++) {
        struct scope_diff counts = config_set_diff(base_of(s), session_view(s), (enum scope)scope);

        lua_createtable(L, 0, 3);
        api_set_number(L, "added", counts.added);
        api_set_number(L, "removed", counts.removed);
        api_set_number(L, "modified", counts.modified);
        lua_setfield(L, -2, scope_names[scope]);
    }
    return 1;
}

/* The form under which places are known; a path that has none belongs to nobody. In memory that Lua frees. */
static struct slice path_form(lua_State *L, struct slice path)
{
    struct path_result form;
    char *text;

    if (!path.len || path.data[0] != '/')
        return path;
    text = lua_newuserdata(L, path.len);
    return path_normalise(path, text, &form) == PATH_MADE ? slice_of(text, form.len) : path;
}

static int session_owner(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice domain = api_slice(L, 2), path = path_form(L, api_slice(L, 3));
    const char *owner = model_owner(&s->control->model, domain, path, s->service);

    if (!owner)
        return 0;
    lua_pushstring(L, owner);
    return 1;
}

static void push_place(lua_State *L, const struct route_entry *route, unsigned domain)
{
    lua_createtable(L, 0, 4);
    api_set_text(L, "route_id", route->id);
    api_set_text(L, "domain", route->domains[domain]);
    api_set_text(L, "path", route->path);
}

static int session_staged_places(lua_State *L)
{
    const struct config_set *set = session_view(api_session(L, 1));
    struct list_state list = {.L = L};
    struct list *node, *tmp;

    lua_newtable(L);
    list.index = lua_gettop(L);
    LIST_EACH (node, tmp, &set->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        for (unsigned i = 0; i < route->domain_count; i++) {
            push_place(L, route, i);
            append(&list);
        }
    }
    return 1;
}

/* Is this place of a route live already, as the session's own? */
static bool is_live(const struct route_entry *live, const struct route_entry *route, const char *domain)
{
    if (!live || strcmp(live->form, route->form) != 0)
        return false;
    for (unsigned i = 0; i < live->domain_count; i++)
        if (strcmp(live->domains[i], domain) == 0)
            return true;
    return false;
}

/* The first place found that another service has. */
struct taken {
    const struct session *session;
    const struct route_entry *route;
    unsigned domain;
    const char *owner; /* NULL: none was found */
};

static void look_who_has(void *arg, enum route_change change, const struct route_entry *old,
                         const struct route_entry *new)
{
    struct taken *found = arg;

    if (found->owner || change == ROUTE_SAME || change == ROUTE_REMOVED)
        return;
    for (unsigned i = 0; i < new->domain_count && !found->owner; i++) {
        if (is_live(old, new, new->domains[i]))
            continue;
        found->route = new;
        found->domain = i;
        found->owner = model_owner(&found->session->control->model, slice_str(new->domains[i]),
                                   slice_str(new->form), found->session->service);
    }
}

/* The first place that the next apply would take from another service; what is live already is nobody's news. */
static int session_taken(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct taken found = {.session = s};

    config_set_each_route(s->live, session_view(s), look_who_has, &found);
    if (!found.owner)
        return 0;
    push_place(L, found.route, found.domain);
    api_set_text(L, "owner", found.owner);
    return 1;
}

static int session_route_exists(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct slice id = api_slice(L, 2);

    lua_pushboolean(L, config_set_route(session_view(s), id) || config_set_route(s->live, id));
    return 1;
}

static int session_active_routes(lua_State *L)
{
    struct session *s = api_session(L, 1);
    struct list_state list = {.L = L};
    struct list *node, *tmp;

    lua_createtable(L, (int)config_set_route_count(s->live), 0);
    list.index = lua_gettop(L);
    LIST_EACH (node, tmp, &s->live->routes) {
        lua_pushstring(L, CONTAINER_OF(node, struct route_entry, link)->id);
        append(&list);
    }
    return 1;
}

static const luaL_Reg methods[] = {
    {"id", session_id},
    {"info", session_info},
    {"routes", session_routes},
    {"diff", session_diff},
    {"owner", session_owner},
    {"staged_places", session_staged_places},
    {"taken", session_taken},
    {"route_exists", session_route_exists},
    {"active_routes", session_active_routes},
    {NULL, NULL},
};

void api_state_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}

/* Methods of a connection's handle about the scripts themselves: reading them anew, and how they are. */
#include "base/clock.h"
#include "control/connection.h"
#include "control/control.h"
#include "control/scripts.h"
#include "script/api.h"
#include "script/bundle.h"
#include "script/hook.h"
#include "script/vm_state.h"

#include <lauxlib.h>
#include <stdio.h>

static void on_reloaded(void *arg, const char *refused, bool changed)
{
    struct pending *pending = arg;
    char text[96];

    if (refused) {
        vm_refuse(&pending, refused);
        return;
    }
    snprintf(text, sizeof(text), "{\"generation\":%llu,\"changed\":%s}",
             (unsigned long long)pending->control->scripts->serving->generation,
             changed ? "true" : "false");
    vm_complete(&pending, slice_str(text));
}

static int conn_reload(lua_State *L)
{
    struct connection *conn = api_connection(L, 1);

    scripts_request(conn->control, on_reloaded, vm_start_pending(L));
    return api_pending(L);
}

/* t[key] = what is known of a fault; nothing when there was none. */
static void set_fault(lua_State *L, const char *key, const struct scripts_fault *fault)
{
    if (!fault->wall_ms)
        return;
    lua_createtable(L, 0, 4);
    api_set_text(L, "file", fault->file[0] ? fault->file : NULL);
    if (fault->line)
        api_set_number(L, "line", fault->line);
    api_set_text(L, "reason", fault->error.text);
    api_set_number(L, "at_ms", (double)fault->wall_ms);
    lua_setfield(L, -2, key);
}

static void set_files(lua_State *L, const struct bundle *bundle)
{
    lua_createtable(L, (int)bundle->count, 0);
    for (unsigned i = 0; i < bundle->count; i++) {
        lua_pushstring(L, bundle->files[i].path);
        lua_rawseti(L, -2, (int)i + 1);
    }
    lua_setfield(L, -2, "files");
}

static void set_policies_off(lua_State *L, const struct vm *vm)
{
    struct list *node, *tmp;
    int count = 0;

    lua_newtable(L);
    LIST_EACH (node, tmp, &vm->policies) {
        const struct vm_policy *policy = CONTAINER_OF(node, struct vm_policy, link);

        if (!policy->off)
            continue;
        lua_pushstring(L, policy->name);
        lua_rawseti(L, -2, ++count);
    }
    lua_setfield(L, -2, "policies_off");
}

/* The request policies that are off, into the list at the top. */
static bool append_off(const struct bundle_file *file, void *arg)
{
    lua_State *L = arg;
    const char *name = strrchr(file->path, '/') + 1;

    if (!atomic_load_explicit(&file->mark->off, memory_order_relaxed))
        return true;
    lua_pushlstring(L, name, strlen(name) - strlen(".lua"));
    lua_rawseti(L, -2, (int)lua_objlen(L, -2) + 1);
    return true;
}

static int conn_status(lua_State *L)
{
    const struct control *c = api_connection(L, 1)->control;
    const struct scripts *s = c->scripts;

    lua_createtable(L, 0, 12);
    api_set_number(L, "generation", (double)s->serving->generation);
    api_set_number(L, "since_ms", (double)s->since_wall_ms);
    if (s->last_good)
        api_set_number(L, "last_good", (double)s->last_good->generation);
    api_set_text(L, "directory", c->settings->scripts_dir);
    api_set_flag(L, "watched", s->watch != NULL);
    set_files(L, s->serving);
    api_set_number(L, "failures", scripts_failures(c));
    set_fault(L, "last_failure", &s->failed);
    set_fault(L, "refused", &s->refused);
    set_fault(L, "taken_back", &s->taken_back);
    if (s->taken_back.wall_ms)
        api_set_number(L, "taken_back_generation", (double)s->taken_back_generation);
    set_policies_off(L, vm_of(L));
    lua_newtable(L);
    (void)bundle_each(s->serving, "policies", append_off, L);
    lua_setfield(L, -2, "request_policies_off");
    return 1;
}

static const luaL_Reg methods[] = {
    {"scripts_reload", conn_reload},
    {"scripts_status", conn_status},
    {NULL, NULL},
};

void api_scripts_open(lua_State *L)
{
    luaL_setfuncs(L, methods, 0);
}

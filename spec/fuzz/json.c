/* JSON of scripts: what the library reads, scripts read; and what they write of it reads the same. */
#include "script/api.h"
#include "script/vm_call.h"
#include "spec/fuzz/fuzz.h"

#include <jansson.h>
#include <lauxlib.h>

enum { BUDGET_MS = 2000, REGISTRY_HOST = 1 };

/* Decodes text, encodes what that gave into *out: at index 1, as long as the state is left alone. */
struct round {
    struct slice text;
    struct slice out; /* absent: it was refused, which err says */
    char message[200];
};

static int open_body(lua_State *L)
{
    lua_newtable(L);
    api_json_open(L);
    lua_rawseti(L, LUA_REGISTRYINDEX, REGISTRY_HOST);
    return 0;
}

static int round_body(lua_State *L)
{
    struct round *r = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, REGISTRY_HOST);
    lua_getfield(L, -1, "json_encode");
    lua_getfield(L, -2, "json_decode");
    lua_pushlstring(L, r->text.data, r->text.len);
    lua_call(L, 1, 2);
    if (!lua_isnil(L, -1)) {
        snprintf(r->message, sizeof(r->message), "%s", lua_tostring(L, -1));
        return 0;
    }
    lua_pop(L, 1);
    lua_call(L, 1, 1);
    CHECK(lua_type(L, -1) == LUA_TSTRING);
    r->out.data = lua_tolstring(L, -1, &r->out.len);
    r->out = fuzz_copy(r->out);
    return 0;
}

static bool go_round(lua_State *L, struct round *r)
{
    struct error err;

    CHECK(vm_call(L, NULL, round_body, r, BUDGET_MS, &err));
    return r->out.data != NULL;
}

/* Nested deeper than scripts may have it? */
static bool is_deep(const json_t *value, int depth)
{
    const char *key;
    json_t *child;
    size_t i;

    if (depth > 30)
        return true;
    json_array_foreach(value, i, child)
    {
        if (is_deep(child, depth + 1))
            return true;
    }
    json_object_foreach((json_t *)value, key, child)
    {
        if (is_deep(child, depth + 1))
            return true;
    }
    return false;
}

void fuzz_json(struct slice input)
{
    static struct vm_limits limits;
    static lua_State *L;
    struct round first = {.text = input}, second = {0}, third = {0};
    json_t *tree = json_loadb(input.data, input.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL), *a, *b;
    struct error err;

    if (!L) {
        L = vm_state_new(&limits, 16 * 1024 * 1024);
        CHECK(L && vm_call(L, "open", open_body, NULL, BUDGET_MS, &err));
    }
    if (!go_round(L, &first)) {
        CHECK(first.message[0]);
        /* What the library takes scripts get, but for what is too deep for them. */
        CHECK(!tree || is_deep(tree, 0));
        json_decref(tree);
        return;
    }
    /* Written with 15 digits, a number may have become whole: from then on it stays as it is. */
    second.text = first.out;
    CHECK(go_round(L, &second));
    third.text = second.out;
    CHECK(go_round(L, &third));
    a = json_loadb(second.out.data, second.out.len, JSON_DECODE_ANY, NULL);
    b = json_loadb(third.out.data, third.out.len, JSON_DECODE_ANY, NULL);
    CHECK(a && b && json_equal(a, b));
    json_decref(a);
    json_decref(b);
    json_decref(tree);
    free((void *)first.out.data);
    free((void *)second.out.data);
    free((void *)third.out.data);
}

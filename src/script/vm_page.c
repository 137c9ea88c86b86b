#include "script/vm_page.h"

#include "config/page.h"
#include "control/control.h"
#include "script/api.h"
#include "script/sandbox.h"
#include "script/vm_state.h"

/* One page on its way. */
struct rendering {
    const struct page_facts *facts;
    struct page *page; /* NULL: no script */
};

static void set_slice(lua_State *L, const char *key, struct slice value)
{
    if (!value.len)
        return;
    lua_pushlstring(L, value.data, value.len);
    lua_setfield(L, -2, key);
}

static void push_facts(lua_State *L, const struct page_facts *facts)
{
    lua_createtable(L, 0, 12);
    api_set_text(L, "kind", facts->kind);
    api_set_number(L, "status", facts->status);
    set_slice(L, "name", facts->name);
    set_slice(L, "title", facts->title);
    set_slice(L, "message", facts->message);
    set_slice(L, "service", facts->service);
    set_slice(L, "reason", facts->reason);
    if (facts->expected_end_ms)
        api_set_number(L, "expected_end_ms", (double)facts->expected_end_ms);
    if (facts->retry_after_s)
        api_set_number(L, "retry_after", facts->retry_after_s);
}

/* page.render(facts, mark): a text for each format, in the order of enum page_format. */
static int render_body(lua_State *L)
{
    struct rendering *r = lua_touserdata(L, 1);
    struct slice bodies[PAGE_FORMATS];

    sandbox_require(L, "page");
    lua_getfield(L, -1, "render");
    push_facts(L, r->facts);
    lua_pushlstring(L, page_detail_mark.data, page_detail_mark.len);
    lua_call(L, 2, PAGE_FORMATS);
    if (lua_isnil(L, -PAGE_FORMATS))
        return 0;
    for (int i = 0; i < PAGE_FORMATS; i++)
        bodies[i] = api_slice(L, i - PAGE_FORMATS);
    r->page = page_new(bodies);
    return 0;
}

bool vm_render_page(struct vm *vm, const struct page_facts *facts, struct page **out,
                    struct error *err)
{
    struct rendering r = {.facts = facts};
    bool ok;

    ASSERT_CONTROL();
    vm->limits.cpu_time = !vm->limits.running;
    ok = vm_run(vm, NULL, render_body, &r, vm->control->settings->script_page_ms, err);
    vm->limits.cpu_time = false;
    *out = r.page;
    return ok;
}

#include "script/vm.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/probe.h"
#include "control/registry.h"
#include "control/scripts.h"
#include "script/api.h"
#include "script/sandbox.h"
#include "script/script_bench.h"
#include "script/vm_load.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

/* One run of a line, or the end of a pending one. */
struct run {
    struct vm *vm;
    struct slice line;
    struct pending *pending; /* that ends */
    struct slice result;     /* of it */
    bool answered;           /* vm->answer holds a line */
    bool waits;              /* the line's answer comes later */
};

struct vm *vm_new(struct control *c, const struct bundle *bundle, struct error *err)
{
    struct vm *vm = need_zeroed(1, sizeof(*vm));

    ASSERT_CONTROL();
    vm->control = c;
    list_init(&vm->policies);
    vm->L = vm_state_new(&vm->limits, c->settings->script_memory);
    if (!vm->L)
        error_set(err, "commands: out of memory");
    if (vm->L && vm_load(vm, bundle, err)) {
        vm->made_with = vm->limits.used;
        return vm;
    }
    vm_free(vm);
    return NULL;
}

void vm_free(struct vm *vm)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!vm)
        return;
    CHECK(!vm->limits.running);
    LIST_EACH (node, tmp, &vm->policies)
        free(CONTAINER_OF(node, struct vm_policy, link));
    vm_state_close(vm->L);
    free(vm->answer);
    free(vm);
}

void vm_forget_pendings(struct control *c)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &c->pendings) {
        struct pending *pending = CONTAINER_OF(node, struct pending, link);

        if (pending->probe)
            probe_cancel(&pending->probe);
        model_forget_apply(&c->model, pending);
        maintenance_forget(&c->model, pending);
        vm_drop_pending(pending);
    }
}

/* In service, between two calls: does it keep more than half of the memory that there was when it was made? */
static bool is_full(const struct vm *vm)
{
    const struct vm_limits *limits = &vm->limits;

    return vm->control->vm == vm && !limits->running && limits->used == limits->kept &&
           limits->used > vm->made_with + (limits->cap - vm->made_with) / 2;
}

bool vm_run(struct vm *vm, const char *what, lua_CFunction body, void *arg, uint64_t budget_ms,
            struct error *err)
{
    bool ok;

    vm->limits.cap = vm->control->settings->script_memory;
    if (UNLIKELY(vm->bench != NULL))
        script_bench_start(vm->bench, vm->L, &vm->limits);
    ok = vm_call(vm->L, what, body, arg, budget_ms, err);
    if (UNLIKELY(vm->bench != NULL))
        script_bench_stop(vm->bench, vm->L, &vm->limits, what, budget_ms);
    if (!ok)
        vm->failure = *err;
    if (UNLIKELY(is_full(vm)))
        scripts_make_anew(vm->control);
    return ok;
}

/* Health policies that are off, or rest, stay so. */
void vm_take_over(struct vm *vm, const struct vm *old)
{
    struct list *node, *tmp, *from, *next;

    vm->bench = old->bench;
    LIST_EACH (node, tmp, &vm->policies) {
        struct vm_policy *policy = CONTAINER_OF(node, struct vm_policy, link);

        LIST_EACH (from, next, &old->policies) {
            const struct vm_policy *before = CONTAINER_OF(from, struct vm_policy, link);
            struct list link = policy->link;

            if (strcmp(policy->name, before->name) != 0)
                continue;
            *policy = *before;
            policy->link = link;
        }
    }
}

struct pending *vm_start_pending(lua_State *L)
{
    struct vm *vm = vm_of(L);
    struct pending *pending;

    if (!vm->conn || vm->started)
        vm_raise(L, "a command can start one operation that takes time");
    pending = need_zeroed(1, sizeof(*pending));
    pending->control = vm->control;
    pending->serial = vm->conn->serial;
    list_push_back(&vm->control->pendings, &pending->link);
    vm->control->pending_count++;
    vm->started = pending;
    return pending;
}

void vm_drop_pending(struct pending *pending)
{
    struct vm *vm = pending->control->vm;

    if (vm && vm->started == pending)
        vm->started = NULL;
    pending->control->pending_count--;
    list_remove(&pending->link);
    free(pending->command);
    free(pending->txn);
    free(pending);
}

/* Keeps the string at index as the answer. */
static void keep_answer(struct vm *vm, lua_State *L, int index)
{
    size_t len;
    const char *text = lua_tolstring(L, index, &len);

    if (len >= REGISTRY_COMPRESSED_MAX)
        vm_raise(L, "the answer has %d bytes", (int)len);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n' || text[i] == '\r' || !text[i])
            vm_raise(L, "the answer has more than one line");
    }
    if (len > vm->answer_cap) {
        free(vm->answer);
        vm->answer = need(len);
        vm->answer_cap = len;
    }
    memcpy(vm->answer, text, len);
    vm->answer_len = len;
}

/* Names the operation that a line has started: results -2 command, -1 transaction id or nil. */
static void name_pending(struct vm *vm, lua_State *L)
{
    if (!vm->started || lua_type(L, -2) != LUA_TSTRING)
        vm_raise(L, "the command waits for nothing");
    vm->started->command = need_text(lua_tostring(L, -2));
    if (lua_type(L, -1) == LUA_TSTRING)
        vm->started->txn = need_text(lua_tostring(L, -1));
}

static int line_body(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);

    sandbox_require(L, "registry");
    lua_getfield(L, -1, "run");
    api_push_connection(L, run->vm->conn);
    lua_pushlstring(L, run->line.data, run->line.len);
    lua_call(L, 2, 3);
    switch (lua_type(L, -3)) {
    case LUA_TSTRING:
        keep_answer(run->vm, L, -3);
        run->answered = true;
        break;
    case LUA_TBOOLEAN:
        name_pending(run->vm, L);
        run->waits = true;
        break;
    case LUA_TNIL:
        break;
    default:
        vm_raise(L, "the answer is a %s", luaL_typename(L, -3));
    }
    return 0;
}

static int finish_body(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);

    sandbox_require(L, "registry");
    lua_getfield(L, -1, "finish");
    lua_pushstring(L, run->pending->command);
    lua_pushstring(L, run->pending->txn);
    lua_pushlstring(L, run->result.data ? run->result.data : "", run->result.len);
    lua_call(L, 3, 1);
    if (lua_type(L, -1) != LUA_TSTRING)
        vm_raise(L, "the answer is a %s", luaL_typename(L, -1));
    keep_answer(run->vm, L, -1);
    return 0;
}

static void set_answer(struct vm *vm, const char *txn, const char *reason, const char *command)
{
    char text[512];
    int len = snprintf(text, sizeof(text), "ERROR|%.128s%s%s%.64s", txn ? txn : "", txn ? "|" : "",
                       reason, command);

    if (vm->answer_cap < (size_t)len) {
        free(vm->answer);
        vm->answer = need(sizeof(text));
        vm->answer_cap = sizeof(text);
    }
    memcpy(vm->answer, text, (size_t)len);
    vm->answer_len = (size_t)len;
}

static const char internal_error[] = "internal error in command ";

/* The nth field of a line, cut to fit out; empty when there is none. */
static void copy_field(struct slice line, unsigned n, char *out, size_t size)
{
    struct slice part = {"", 0};

    for (unsigned i = 0; i <= n; i++) {
        if (!slice_split(&line, '|', &part))
            part.len = 0;
    }
    snprintf(out, size, "%.*s", SLICE_ARGS(part));
}

/* The answer to a line whose command failed, with the transaction id that the line may have. */
static void answer_failure(struct vm *vm, struct slice line)
{
    char name[64], txn[128];
    bool has_txn;

    copy_field(line, 0, name, sizeof(name));
    copy_field(line, 2, txn, sizeof(txn));
    has_txn = strncmp(txn, "txn", 3) == 0 && txn[3] && strchr("-_:", txn[3]);
    set_answer(vm, has_txn ? txn : NULL, internal_error, name);
}

bool vm_run_line(struct vm *vm, struct connection *conn, struct slice line, struct slice *answer)
{
    struct run run = {.vm = vm, .line = line};
    uint64_t budget_ms = vm->control->settings->script_command_ms;
    struct error err;
    char what[64];

    ASSERT_CONTROL();
    copy_field(line, 0, what, sizeof(what));
    crash_note_text(&vm->control->trail, clock_ms(), "registry command", what);
    vm->conn = conn;
    if (!vm_run(vm, what, line_body, &run, budget_ms, &err)) {
        run.waits = false;
        run.answered = true;
        answer_failure(vm, line);
        scripts_note_failure(vm->control, what, &err);
    }
    if (vm->started && !run.waits)
        vm->started->serial = 0;
    vm->started = NULL;
    vm->conn = NULL;
    *answer = run.answered ? slice_of(vm->answer, vm->answer_len) : slice_of(NULL, 0);
    return !run.waits;
}

void vm_complete(struct pending **pending, struct slice result)
{
    struct control *c = (*pending)->control;
    struct run run = {.vm = c->vm, .pending = *pending, .result = result};
    uint64_t serial = run.pending->serial, budget_ms = c->settings->script_command_ms;
    struct error err;

    ASSERT_CONTROL();
    *pending = NULL;
    if (serial && registry_find(c, serial)) {
        if (UNLIKELY(c->vm->bench != NULL))
            script_bench_part(c->vm->bench, "finish");
        if (!vm_run(c->vm, run.pending->command, finish_body, &run, budget_ms, &err)) {
            set_answer(c->vm, run.pending->txn, internal_error, run.pending->command);
            scripts_note_failure(c, run.pending->command, &err);
        }
        registry_answer(c, serial, slice_of(c->vm->answer, c->vm->answer_len));
    }
    vm_drop_pending(run.pending);
}

void vm_refuse(struct pending **pending, const char *reason)
{
    struct control *c = (*pending)->control;

    ASSERT_CONTROL();
    set_answer(c->vm, (*pending)->txn, reason, "");
    if ((*pending)->serial)
        registry_answer(c, (*pending)->serial, slice_of(c->vm->answer, c->vm->answer_len));
    vm_drop_pending(*pending);
    *pending = NULL;
}

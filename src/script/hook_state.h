/* hook_state.h - the inside of struct hook_vm, for the files of src/script alone.
 *
 * Thread: the worker's, or control's during hook_check. */
#pragma once
#include "script/hook.h"
#include "script/vm_call.h"

struct bundle_mark;

enum { HOOK_MEMORY = 16 * 1024 * 1024, HOOK_POLICIES_MAX = 256 };

/* Where things stand on the state's stack, outside of calls. */
enum { ON_STACK_HANDLER = 1, ON_STACK_REQUEST, ON_STACK_RESPONSE };

/* A policy of scripts/policies/. */
struct hook_policy {
    struct slice name; /* points into own */
    char own[66];               /* one more than a name may have, so that a longer one is noticed */
    bool broken;                /* it did not load */
    bool closed;                /* requests do not pass without it */
    struct bundle_mark *mark;   /* off: it failed too often. The bundle's, who is there whenever a policy is called */
    int on_request, on_response; /* references into the Lua registry; 0: none */
    unsigned failures;          /* since window_ms */
    uint64_t window_ms;         /* when the first of them was */
    uint64_t rests_until_ms;    /* not asked before */
    uint64_t logged_ms;         /* when a failure was logged last; 0: never */
};

struct hook_vm {
    struct vm_limits limits; /* its address is what the state's allocator gets: hook_vm_of */
    lua_State *L;            /* NULL: it could not be made */
    uint64_t generation;     /* of the scripts */
    uint64_t load_ms;        /* what one policy may take to load */
    size_t room;             /* bytes that may be in use between two calls */
    bool full;               /* more are: to be made anew */
    bool trial;              /* control's: policies check themselves */
    /* the call that runs, else NULL */
    struct hook_exchange *exchange;
    struct hook_response *response; /* NULL within on_request */
    /* userdata without content that stand for these in Lua; compared only */
    const void *request_handle, *response_handle;
    struct error error; /* of the first policy that did not load; later, of the call that failed last */
    struct hook_end end;        /* of the policy that was switched off last; generation 0: none, or it was taken */
    uint64_t unknown_logged_ms; /* when an unknown policy was logged last; 0: never */
    unsigned count;
    struct hook_policy policies[HOOK_POLICIES_MAX];
};

/* The VM of a state. */
struct hook_vm *hook_vm_of(lua_State *L);

/* The exchange or response of the handle that is argument 1; raises when there is no such call. */
struct hook_exchange *hook_arg_request(lua_State *L);
struct hook_response *hook_arg_response(lua_State *L);

/* A field name or value as an argument; raises for what may not be set. */
struct slice hook_arg_name(lua_State *L, int index);
struct slice hook_arg_value(lua_State *L, int index);

/* Copies a text into the exchange; raises when that is full. */
struct slice hook_keep(lua_State *L, struct hook_exchange *ex, struct slice text);

/* Copies a text into a body, in place of what it has; raises when it is too long. */
void hook_take_body(lua_State *L, struct hook_body *body, struct slice text);

/* Pushes a text; nil when absent. Returns 1. */
int hook_push(lua_State *L, struct slice text);

/* t[lower case name] = value, or what is there already .. ", " .. value, for the table at the top. */
void hook_join_field(lua_State *L, struct slice name, struct slice value);

/* Finds key in "key=value key='a b'". False: not there. */
bool hook_find_arg(struct slice args, struct slice key, struct slice *value);

/* Adds functions to the table at the top. */
void hook_request_open(lua_State *L);  /* methods of requests, hook_request.c */
void hook_answer_open(lua_State *L);   /* of requests: what a policy decides, hook_decide.c */
void hook_response_open(lua_State *L); /* methods of responses, hook_response.c */
void hook_host_open(lua_State *L);     /* of host, hook_host.c */

/* examples_state.h - the inside of struct examples, for the files of src/script alone.
 *
 * Thread: control. */
#pragma once
#include "script/examples.h"
#include "script/vm_call.h"

struct given_policy;
struct hook_vm;
struct talk;
struct vm;

struct examples {
    struct vm_limits limits; /* its address is what the state's allocator gets: examples_of_state */
    lua_State *L;
    const struct examples_of *of;
    struct script_bench *bench; /* NULL: nothing is measured */
    /* of the example that runs, made when first asked for */
    struct hook_vm *hooks;
    struct vm *vm;
    struct given_policy *policy;
    struct talk *talk;
};

struct examples *examples_of_state(lua_State *L);

/* The name of the script: that of its file without ".lua". */
struct slice examples_script_name(const struct examples *e);

/* How often what is given is given again to be measured; 0 when nothing is. */
unsigned examples_repeats(const struct examples *e);

/* The VM of health policies and pages; raises when the script does not load. */
struct vm *examples_vm(lua_State *L);

/* The text of a field of the table at index 1, which goes on to hold it; absent when there is none. */
struct slice examples_text(lua_State *L, const char *key);
double examples_number(lua_State *L, const char *key, double otherwise);
bool examples_flag(lua_State *L, const char *key);

/* host.given for each kind: a table of what is given to one of what came of it. Raises with a message for the author
 * of the example. */
int examples_given_policy(lua_State *L); /* examples_policy.c */
int examples_given_health(lua_State *L); /* examples_control.c */
int examples_given_page(lua_State *L);

/* host.say(who, line); host.hear(who) -> line, or nil when none comes; host.failure() -> why a command failed since the
 * last call, or nil (examples_talk.c) */
int examples_say(lua_State *L);
int examples_hear(lua_State *L);
int examples_failure(lua_State *L);

/* Frees what an example has left. */
void examples_end_policy(struct examples *e);
void examples_end_talk(struct examples *e);

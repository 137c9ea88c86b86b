/* examples.h - runs the examples that a script carries, or a spec of one, through the API as it is in service.
 *
 * Examples live in a Lua state of their own (lua/examples): there the file with the examples is run, in the sandbox
 * of scripts, and what they give is handed to the script in service: a request policy in a VM like a worker's
 * (script/hook.h), a health policy or the page in one like control's (script/vm.h), commands and the hook over
 * connections of a control that listens nowhere. Budgets, memory and sandbox are the real ones, as the settings say;
 * what an example of a policy may put in the place of clock and chance is struct hook_given. Each example begins
 * anew: with VMs that nothing ran in, or without any session.
 *
 * Thread: control. Ownership: the caller owns what struct examples_of points to, which outlives the examples. */
#pragma once
#include "base/error.h"
#include "base/slice.h"

struct bundle;
struct control;
struct examples;
struct script_bench;

enum script_kind { SCRIPT_POLICY, SCRIPT_HEALTH, SCRIPT_PAGE, SCRIPT_COMMANDS, SCRIPT_HOOK, SCRIPT_KINDS };

/* As --kind and lua/examples call them: "policy". */
extern const char *const script_kind_names[SCRIPT_KINDS];

/* What is run. */
struct examples_of {
    enum script_kind kind;
    struct control *control;     /* its settings hold; for commands and the hook it is open (control_open) */
    const struct bundle *bundle; /* the script with what it needs */
    const char *path;            /* the script, below the bundle's directory: "policies/cors.lua" */
    const char *shown;           /* the file with the examples, as messages name it */
    struct slice text;           /* of that file */
    bool is_spec;                /* it is a spec; else the script itself */
};

enum { EXAMPLE_SENTENCE_SIZE = 300, EXAMPLE_MESSAGE_SIZE = 4000 };

struct example_result {
    char sentence[EXAMPLE_SENTENCE_SIZE];
    unsigned line;                      /* in the file; 0: unknown */
    char message[EXAMPLE_MESSAGE_SIZE]; /* why it failed, lines */
};

/* Reads the examples, *count of them. NULL: err says which file and line, and what to mend. */
struct examples *examples_new(const struct examples_of *of, unsigned *count, struct error *err);
void examples_free(struct examples *e); /* NULL is fine */

/* Runs the nth, from 1 on. False: it failed, and out says why. One that failed for the time that the script took is
 * tried again, twice: budgets are short, and a busy machine may take the processor away for longer. */
bool examples_run(struct examples *e, unsigned nth, struct example_result *out);

/* Is what was measured under this name a function of the script? Commands that its examples only use are not. */
bool examples_owns(struct examples *e, const char *function);

/* From now on every call of the script is measured, and what an example of a policy gives is not only called once but
 * often. NULL: no longer. */
void examples_measure(struct examples *e, struct script_bench *bench);

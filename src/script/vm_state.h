/* vm_state.h - the inside of struct vm, for the files of src/script alone.
 *
 * Thread: control. */
#pragma once
#include "base/list.h"
#include "guard/failure_window.h"
#include "script/vm.h"
#include "script/vm_call.h"

struct probe;
struct script_bench;

struct vm {
    struct control *control;
    lua_State *L;
    struct vm_limits limits;
    size_t made_with;        /* bytes in use when it was new */
    struct list policies;    /* struct vm_policy */
    struct connection *conn; /* whose line runs, or NULL */
    struct pending *started; /* by the line that runs, or NULL */
    char *answer;            /* of the last call */
    size_t answer_len, answer_cap;
    struct error failure;       /* of the call that failed last */
    struct script_bench *bench; /* measures every call; NULL: nobody does */
};

/* A policy of scripts/health/. */
struct vm_policy {
    struct list link;        /* in vm.policies */
    char name[65];           /* as the option health_policy has it */
    bool failed;             /* the last time it was asked */
    uint64_t logged_ms;      /* when a failure was logged last; 0: never */
    bool off;                /* it failed too often: not asked any more by this VM */
    struct failure_window failures;
    uint64_t rests_until_ms; /* not asked before, it was slow; 0: never was */
};

/* An operation that a line started and that answers it later. It outlives the VM that ran the line. */
struct pending {
    struct list link; /* in control.pendings */
    struct control *control;
    uint64_t serial;     /* of the connection that waits; 0: nobody */
    char *command;       /* that started it, NULL until its run returned */
    char *txn;           /* its transaction id, or NULL */
    struct probe *probe; /* when it is a probe, or NULL */
};

/* vm_call with the memory that the settings in force allow. */
MUST_USE bool vm_run(struct vm *vm, const char *what, lua_CFunction body, void *arg,
                     uint64_t budget_ms, struct error *err);

/* The VM of a state. */
struct vm *vm_of(lua_State *L);

/* A pending operation of the line that runs; raises when the line already has one. */
struct pending *vm_start_pending(lua_State *L);

/* Frees one that did not start after all. */
void vm_drop_pending(struct pending *pending);

/* The operation was refused after it had started; answers ERROR|reason. */
void vm_refuse(struct pending **pending, const char *reason);

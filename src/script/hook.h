/* hook.h - request policies (scripts/policies/): what a worker needs to have a request pass through one.
 *
 * A worker has one VM for all policies, made when a request first needs it, and anew when it meets a newer
 * generation of scripts. The worker describes the request in a struct hook_exchange, in place: nothing is copied
 * or made into Lua values before a policy asks for it. What the policy decides stands in the same structure
 * afterwards. A call has a budget of time, the VM one of memory.
 *
 * What policies keep in Lua between two calls may be gone at the next one: a VM that is half full with it is made
 * anew, so that no policy takes the memory of the others.
 *
 * A policy that fails changes nothing (the worker clears the exchange). One that took half of its time or more and
 * failed rests for ten times its budget, so that requests that make it run away hold up the others once, not one
 * after the other. One that fails as often in one worker as the settings scripts_rollback say is left alone by all
 * until the next generation. It says itself whether requests pass without it: hook_is_closed.
 *
 * Thread: the worker's; hook_check control's. Ownership: the worker owns VM and exchanges; slices in an exchange
 * point into the request, the configuration, or the exchange's text. */
#pragma once
#include "base/check.h"
#include "base/error.h"
#include "base/random.h"
#include "http/field_list.h"
#include <stdint.h>

struct address;
struct bundle;
struct hook_vm;
struct route_state;

enum {
    HOOK_EDITS_MAX = 32,
    HOOK_TAGS_MAX = 8,
    HOOK_CHOICES_MAX = 8,
    HOOK_TEXT_SIZE = 8192,
    HOOK_BODY_MAX = 64 * 1024,
    HOOK_LOAD_MS = 100 /* of all policies together; less when settings say so */
};

enum hook_result {
    HOOK_PASS,   /* the exchange says what the policy wants */
    HOOK_ANSWER, /* on_request only: the exchange holds the answer */
    HOOK_FAILED, /* the exchange may hold half of it */
    HOOK_OFF     /* not asked: it failed too often, or rests */
};

/* What on_request says about members that a text names. */
enum hook_choice {
    HOOK_USE,    /* rather these */
    HOOK_AVOID,  /* rather not these */
    HOOK_ONLY,   /* no others than these */
    HOOK_EXCLUDE /* never these */
};

/* A field that is set, or, with an absent value, taken away. */
struct hook_field {
    struct slice name, value;
};

/* A body that a policy gave. */
struct hook_body {
    char *data; /* malloc; NULL: none */
    size_t len;
};

/* What a request's policy says about a member, all its choices together. */
enum hook_member { HOOK_MEMBER_ANY, HOOK_MEMBER_RATHER_NOT, HOOK_MEMBER_NEVER };

/* What an example (script/examples.h) puts in the place of clock and chance. */
struct hook_given {
    uint64_t wall_ms; /* 0: the clock's */
    double random;    /* below 0: chance's */
};

/* What is worked out only for policies that ask; request is the exchange's. */
struct hook_ops {
    /* The address the request comes from, behind trusted proxies the client's. */
    void (*source)(const void *request, struct address *out);
    /* Does the peer speak TLS to us? */
    bool (*is_secure)(const void *request);
    /* Is what the peer says about the request, as in X-Forwarded-Proto, to be believed? */
    bool (*is_trusted)(const void *request);
};

/* One request and what its policy decides about it. */
struct hook_exchange {
    /* the request; set by the worker before each call, valid during it */
    const struct hook_ops *ops;
    const void *request;
    const struct http_head *head;
    struct slice host; /* without port */
    struct slice args; /* the option policy_args */
    struct random *random;
    uint64_t now_ms; /* monotonic */
    uint64_t budget_ms; /* of one call */
    uint64_t failures_max;       /* so many failures within the window switch the policy off; 0: none do */
    uint64_t failures_window_ms;
    const struct hook_given *given; /* NULL: nothing, as for every request of a client */
    /* written by the worker */
    bool left; /* the policy failed: it has no further say */
    struct slice policy; /* who was asked: a name in the request's configuration, or in the one before */
    /* written by policies; the worker clears it by hook_exchange_clear */
    struct slice target;   /* path and query for the backend; absent: as they came */
    struct slice to_host;  /* Host for the backend; absent: as configured */
    struct slice rate_key; /* absent: the source's address */
    struct slice kept;     /* from on_request for on_response; absent: nothing */
    int status;            /* of an answer; 0: none. Its fields are the edits */
    struct hook_body answer; /* its body */
    struct hook_body page;   /* from on_response, in place of the body of the proxy's own answer */
    unsigned edit_count, tag_count, choice_count;
    struct hook_field edit[HOOK_EDITS_MAX];
    struct hook_field tag[HOOK_TAGS_MAX];
    struct {
        enum hook_choice how;
        struct slice who;
    } choice[HOOK_CHOICES_MAX];
    uint32_t text_len;
    char text[HOOK_TEXT_SIZE];
};

/* A response head about to be sent, for on_response. */
struct hook_response {
    struct field_list *fields;       /* read and changed in place */
    const struct route_state *state; /* of the member it comes from; NULL: of none */
    struct slice verdict;            /* why the proxy answers itself; empty: a backend's response */
    bool own;                        /* the proxy's own answer, or the policy's */
    bool has_body;                   /* by its status */
    int status;                      /* read and changed */
};

/* A policy that was switched off. */
struct hook_end {
    uint64_t generation;
    bool closed;        /* requests do not pass without it */
    char policy[66];    /* its name */
    struct error error; /* its last failure, without the traceback */
};

void hook_body_free(struct hook_body *body); /* an empty one is fine */

/* Forgets all that a policy decided; frees bodies. */
void hook_exchange_clear(struct hook_exchange *ex);

/* The VM for a bundle: *vm, or a new one in its place when the bundle is another (freeing *vm). All policies together
 * have twice the time then that hook_check gives them; those that it does not last for are broken. */
struct hook_vm *hook_vm_get(struct hook_vm **vm, const struct bundle *bundle);
void hook_vm_free(struct hook_vm *vm); /* NULL is fine */

/* Runs a policy's on_request or on_response; PASS when it has none. An unknown policy fails. */
enum hook_result hook_request(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex);
enum hook_result hook_response(struct hook_vm *vm, struct slice policy, struct hook_exchange *ex,
                               struct hook_response *res);

/* After HOOK_FAILED: did that switch the policy off? True once for each policy of a generation, over all workers. */
bool hook_take_end(struct hook_vm *vm, struct hook_end *out);

/* When the policy fails, must the request be refused? True for an unknown policy. */
bool hook_is_closed(const struct hook_vm *vm, struct slice policy);

/* Does the text name a member: its instance, service or route id, or what res:member() gives? */
bool hook_names_member(struct slice who, const struct route_state *state);

/* What the policy made of the field of this name, the newest; its value is absent where it took it out. NULL: nothing. */
const struct hook_field *hook_edit_of(const struct hook_exchange *ex, struct slice name);

/* Changes the fields that the backend gets. */
void hook_edit_fields(const struct hook_exchange *ex, struct field_list *out);

/* Adds the fields of the policy's own answer. */
void hook_answer_fields(const struct hook_exchange *ex, struct field_list *out);

/* What the choices of an exchange mean for a member. */
enum hook_member hook_member(const struct hook_exchange *ex, const struct route_state *state);

/* The message of the policy that failed last, in this VM or while it was made; "": none did. */
const char *hook_failure(const struct hook_vm *vm);

/* Any thread that holds the bundle: has a policy of it been switched off? False for one that there is not. */
bool hook_is_off(const struct bundle *bundle, struct slice policy);

/* Control: loads all policies of a bundle as workers would, within load_ms or HOOK_LOAD_MS. False: err names file,
 * line and what to mend. */
MUST_USE bool hook_check(const struct bundle *bundle, uint64_t load_ms, struct error *err);

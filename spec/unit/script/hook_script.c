/* hook_script.c - calls the request policies of a bundle, without the proxy; built by hook_script.lua.
 *
 * Usage: hook_script DIR BUDGET_MS TIMES. Every policy of DIR is asked about an empty request so many times, each
 * time after its rest. Prints a line for each call: name, CPU microseconds, "pass", "failed" or "off". */
#include "base/clock.h"
#include "script/bundle.h"
#include "script/hook.h"
#include "http/head.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REST = 11 }; /* budgets between two calls of one policy */

static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* All policies, in turn. */
struct asking {
    struct hook_vm *vm;
    struct hook_exchange *ex;
};

static bool ask(const struct bundle_file *file, void *arg)
{
    static const char *const results[] = {"pass", "answer", "failed", "off"};
    struct asking *a = arg;
    const char *name = strrchr(file->path, '/') + 1;
    struct slice policy = slice_of(name, strlen(name) - strlen(".lua"));
    enum hook_result result;
    uint64_t start;

    hook_exchange_clear(a->ex);
    start = cpu_us();
    result = hook_request(a->vm, policy, a->ex);
    printf("%.*s\t%d\t%s\n", SLICE_ARGS(policy), (int)(cpu_us() - start), results[result]);
    return true;
}

int main(int argc, char **argv)
{
    static struct http_head head;
    static struct hook_exchange ex;
    struct hook_vm *vm = NULL;
    struct asking asking = {.ex = &ex};
    struct random random;
    struct bundle *bundle;
    struct error err;

    CHECK(argc == 4);
    check_own_thread(CHECK_CONTROL);
    random_init(&random, 1);
    bundle = bundle_read(argv[1], &err);
    if (!bundle || !hook_check(bundle, 10000, &err)) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    bundle->generation = 1;
    asking.vm = hook_vm_get(&vm, bundle);
    ex.head = &head;
    ex.random = &random;
    ex.failures_max = 0;
    ex.budget_ms = (uint64_t)atoi(argv[2]);
    for (int i = 0; i < atoi(argv[3]); i++) {
        ex.now_ms = clock_ms() + REST * ex.budget_ms;
        (void)bundle_each(bundle, "policies", ask, &asking);
    }
    hook_vm_free(vm);
    bundle_unref(bundle);
    return 0;
}

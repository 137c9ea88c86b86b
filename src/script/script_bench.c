#include "script/script_bench.h"

#include "base/clock.h"
#include "base/need.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 50000 };

struct bench_function {
    char name[SCRIPT_BENCH_NAME];
    uint64_t budget_ms;
    unsigned count;
    uint32_t *ns; /* SAMPLES of them */
    size_t bytes;
};

struct script_bench {
    unsigned depth; /* calls within each other */
    bool memory;
    const char *part;
    uint64_t start_ns;
    size_t before;
    unsigned calls, count;
    struct bench_function functions[SCRIPT_BENCH_ROWS];
};

struct script_bench *script_bench_new(void)
{
    return need_zeroed(1, sizeof(struct script_bench));
}

void script_bench_free(struct script_bench *b)
{
    for (unsigned i = 0; b && i < b->count; i++)
        free(b->functions[i].ns);
    free(b);
}

void script_bench_memory(struct script_bench *b, bool on)
{
    b->memory = on;
}

bool script_bench_is_memory(const struct script_bench *b)
{
    return b->memory;
}

void script_bench_part(struct script_bench *b, const char *part)
{
    b->part = part;
}

/* The function of a name; NULL: there are too many. */
static struct bench_function *function_of(struct script_bench *b, const char *name, uint64_t budget_ms)
{
    struct bench_function *f;
    char full[SCRIPT_BENCH_NAME];

    snprintf(full, sizeof(full), "%s%s%s", name, b->part ? " " : "", b->part ? b->part : "");
    for (unsigned i = 0; i < b->count; i++)
        if (strcmp(b->functions[i].name, full) == 0)
            return &b->functions[i];
    if (b->count == SCRIPT_BENCH_ROWS)
        return NULL;
    f = &b->functions[b->count++];
    snprintf(f->name, sizeof(f->name), "%s", full);
    f->budget_ms = budget_ms;
    f->ns = need(SAMPLES * sizeof(*f->ns));
    return f;
}

void script_bench_start(struct script_bench *b, lua_State *L, struct vm_limits *limits)
{
    if (b->depth++ > 0)
        return;
    if (b->memory) {
        lua_gc(L, LUA_GCCOLLECT, 0);
        lua_gc(L, LUA_GCSTOP, 0);
        b->before = limits->used;
    }
    b->start_ns = clock_ns();
}

void script_bench_stop(struct script_bench *b, lua_State *L, struct vm_limits *limits, const char *name,
                       uint64_t budget_ms)
{
    uint64_t ns = clock_ns() - b->start_ns;
    struct bench_function *f;
    size_t bytes;

    CHECK(b->depth > 0);
    if (--b->depth > 0)
        return;
    if (!name) {
        name = b->part;
        b->part = NULL;
    }
    f = name ? function_of(b, name, budget_ms) : NULL;
    b->part = NULL;
    if (b->memory) {
        bytes = limits->used > b->before ? limits->used - b->before : 0;
        lua_gc(L, LUA_GCRESTART, 0);
        if (f && bytes > f->bytes)
            f->bytes = bytes;
    } else if (f && f->count < SAMPLES) {
        f->ns[f->count++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
        b->calls++;
    }
}

unsigned script_bench_calls(const struct script_bench *b)
{
    return b->calls;
}

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

bool script_bench_row(struct script_bench *b, unsigned nth, struct script_bench_row *out)
{
    struct bench_function *f = &b->functions[nth];

    if (nth >= b->count)
        return false;
    *out = (struct script_bench_row){.budget_ms = f->budget_ms, .calls = f->count, .bytes = f->bytes};
    memcpy(out->name, f->name, sizeof(out->name));
    if (!f->count)
        return true;
    qsort(f->ns, f->count, sizeof(*f->ns), by_value);
    out->median_ns = f->ns[f->count / 2];
    out->p99_ns = f->ns[(uint64_t)f->count * 99 / 100];
    out->max_ns = f->ns[f->count - 1];
    return true;
}

#include "base/fault.h"

#ifdef TIDELOCK_FAULTS

#include "base/fault_libs.h"

#include <errno.h>
#include <stdlib.h>

enum { RULES_MAX = 16, SITE_MAX = 160, SHORT = -1 };

struct rule {
    char site[SITE_MAX]; /* FILE:FUNCTION:CALL */
    int line;            /* 0: any */
    uint64_t from, count;
    int how; /* an errno, SHORT, or 0: as is likely */
    atomic_uint_fast64_t calls;
};

static struct {
    bool on, list;
    struct rule rules[RULES_MAX];
    unsigned rule_count;
    _Atomic(struct fault_site *) sites;
} state;

static const struct {
    const char *name;
    int value;
} errors[] = {
    {"EACCES", EACCES},         {"EADDRINUSE", EADDRINUSE},     {"EADDRNOTAVAIL", EADDRNOTAVAIL},
    {"EAGAIN", EAGAIN},         {"ECONNABORTED", ECONNABORTED}, {"ECONNREFUSED", ECONNREFUSED},
    {"ECONNRESET", ECONNRESET}, {"EHOSTUNREACH", EHOSTUNREACH}, {"EINTR", EINTR},
    {"EINVAL", EINVAL},         {"EIO", EIO},                   {"EMFILE", EMFILE},
    {"ENETUNREACH", ENETUNREACH}, {"ENFILE", ENFILE},           {"ENOBUFS", ENOBUFS},
    {"ENOENT", ENOENT},         {"ENOMEM", ENOMEM},             {"ENOSPC", ENOSPC},
    {"ENOTCONN", ENOTCONN},
    {"EPERM", EPERM},           {"EPIPE", EPIPE},               {"ETIMEDOUT", ETIMEDOUT},
    {"short", SHORT},
};

static void wrong(const char *rule)
{
    fprintf(stderr, "tidelock: TIDELOCK_FAIL: cannot read %s\n", rule);
    exit(2);
}

static int read_how(const char *name, const char *rule)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (strcmp(errors[i].name, name) == 0)
            return errors[i].value;
    }
    wrong(rule);
    return 0;
}

/* nth, from+ or from+count, then perhaps :how. */
static void read_when(struct rule *r, const char *text, const char *rule)
{
    char *end;

    r->from = strtoull(text, &end, 10);
    r->count = 1;
    if (end == text || r->from == 0)
        wrong(rule);
    if (*end == '+') {
        text = end + 1;
        r->count = strtoull(text, &end, 10);
        if (end == text)
            r->count = UINT64_MAX;
    }
    if (*end == ':')
        r->how = read_how(end + 1, rule);
    else if (*end)
        wrong(rule);
}

/* The number is the first part that starts with a digit: names of sites have none there. */
static void read_rule(const char *rule)
{
    struct rule *r = &state.rules[state.rule_count++];
    const char *when = rule, *line;

    while ((when = strchr(when, ':')) && (when[1] < '0' || when[1] > '9'))
        when++;
    if (state.rule_count == RULES_MAX || !when || (size_t)(when - rule) >= SITE_MAX)
        wrong(rule);
    memcpy(r->site, rule, (size_t)(when - rule));
    line = strchr(r->site, '@');
    if (line) {
        r->line = atoi(line + 1);
        r->site[line - r->site] = '\0';
    }
    read_when(r, when + 1, rule);
}

/* FILE without src/. */
static const char *shown_file(const struct fault_site *at)
{
    return strncmp(at->file, "src/", 4) == 0 ? at->file + 4 : at->file;
}

static void name_of(const struct fault_site *at, char out[SITE_MAX])
{
    const char *file = shown_file(at);

    if (at->function)
        snprintf(out, SITE_MAX, "%s:%s:%s", file, at->function, at->call);
    else
        snprintf(out, SITE_MAX, "%s:%s", file, at->call);
}

static void list_sites(void)
{
    char name[SITE_MAX];

    for (struct fault_site *at = atomic_load(&state.sites); at; at = at->next) {
        name_of(at, name);
        fprintf(stderr, "fault site %s", name);
        if (at->line)
            fprintf(stderr, "@%d", at->line);
        fprintf(stderr, " %llu\n", (unsigned long long)atomic_load(&at->calls));
    }
}

void fault_start(void)
{
    const char *text = getenv("TIDELOCK_FAIL");
    char *rules = text ? (strdup)(text) : NULL, *rest = rules, *rule;

    if (!rules || !*rules)
        goto out;
    while ((rule = strsep(&rest, ","))) {
        if (strcmp(rule, "list") == 0)
            state.list = true;
        else
            read_rule(rule);
    }
    state.on = true;
    if (state.list)
        atexit(list_sites);
    fault_libs_start();
out:
    free(rules);
}

static void know(struct fault_site *at)
{
    bool known = false;

    if (!atomic_compare_exchange_strong(&at->known, &known, true))
        return;
    at->next = atomic_load(&state.sites);
    while (!atomic_compare_exchange_weak(&state.sites, &at->next, at))
        ;
}

static void say(const char *name, uint64_t nth, int how)
{
    char line[SITE_MAX + 64];
    int len = snprintf(line, sizeof(line), "fault: %s fails, call %llu: %s\n", name, (unsigned long long)nth,
                       how == SHORT ? "short" : strerror(how));

    (void)!(write)(STDERR_FILENO, line, (size_t)len);
}

int fault_hit(struct fault_site *at, int like)
{
    char name[SITE_MAX];

    if (!state.on)
        return 0;
    if (!atomic_load_explicit(&at->known, memory_order_relaxed))
        know(at);
    atomic_fetch_add_explicit(&at->calls, 1, memory_order_relaxed);
    if (!state.rule_count)
        return 0;
    name_of(at, name);
    for (unsigned i = 0; i < state.rule_count; i++) {
        struct rule *r = &state.rules[i];
        uint64_t nth;
        int how;

        if (strcmp(r->site, name) != 0 || (r->line && r->line != at->line))
            continue;
        nth = atomic_fetch_add(&r->calls, 1) + 1;
        if (nth < r->from || nth - r->from >= r->count)
            continue;
        how = r->how ? r->how : like;
        say(name, nth, how);
        errno = how == SHORT ? errno : how;
        return how;
    }
    return 0;
}

bool fault_step(const char *name)
{
    /* One site for each step: there are few, and they are made once. */
    static struct fault_site steps[64];
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct fault_site *at = steps;

    if (!state.on)
        return false;
    pthread_mutex_lock(&lock);
    while (at->call && strcmp(at->call, name) != 0)
        at++;
    if (!at->call) {
        at->file = "step";
        at->call = name;
    }
    pthread_mutex_unlock(&lock);
    return fault_hit(at, ENOMEM) != 0;
}

#endif

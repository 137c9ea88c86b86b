#include "base/crash.h"

#include "base/clock.h"

#include <elf.h>
#include <execinfo.h>
#include <link.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { REPORTS = 0 };
#else
enum { REPORTS = 1 };
#endif

enum { STACK_SIZE = 64 * 1024, FRAMES = 64, LINE_SIZE = 512, TIME_LIMIT_S = 5 };

static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS};
static const char *const fatal_names[] = {"SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGABRT", "SIGSYS"};

static struct {
    const char *version;
    char build[2 * 20 + 1];  /* the program's build id, hex */
    atomic_int reporting;    /* the thread that reports; 0: none */
    char line[LINE_SIZE];    /* of that thread */
    size_t len;
} state;

static _Thread_local struct crash_trail *own;

/* ---- writing, with nothing that a handler may not do */

static void put(const char *text)
{
    size_t len = strlen(text), room = LINE_SIZE - 1 - state.len;

    if (len > room)
        len = room;
    memcpy(state.line + state.len, text, len);
    state.len += len;
}

static void put_base(uint64_t number, unsigned base)
{
    char digits[24], *at = digits + sizeof(digits);

    *--at = '\0';
    do
        *--at = "0123456789abcdef"[number % base];
    while (number /= base);
    put(at);
}

static void begin_line(void)
{
    state.len = 0;
    put("tidelock: crash:");
}

static void end_line(void)
{
    ssize_t n;

    state.line[state.len++] = '\n';
    n = write(STDERR_FILENO, state.line, state.len);
    (void)n;
}

void crash_put_text(const char *key, const char *text)
{
    put(" ");
    put(key);
    put("=");
    put(text ? text : "");
}

void crash_put_number(const char *key, uint64_t number)
{
    put(" ");
    put(key);
    put("=");
    put_base(number, 10);
}

/* ---- the report */

static const char *signal_name(int signum)
{
    for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
        if (fatal[i] == signum)
            return fatal_names[i];
    return "?";
}

static void say_signal(int signum, const siginfo_t *info)
{
    begin_line();
    crash_put_text("signal", signal_name(signum));
    if (signum == SIGSYS) {
        crash_put_number("system_call", (uint64_t)info->si_syscall);
    } else if (info->si_code > 0) {
        put(" address=0x");
        put_base((uintptr_t)info->si_addr, 16);
    } else {
        crash_put_number("sent_by", (uint64_t)info->si_pid); /* by kill, or by abort of ourselves */
    }
    put(" thread=\"");
    put(own ? own->name : "unknown");
    put("\"");
    crash_put_text("version", state.version);
    crash_put_text("build", state.build);
    end_line();
}

static void say_event(const struct crash_event *e, uint64_t now_ms)
{
    begin_line();
    crash_put_text("event", "\"");
    put(e->what ? e->what : "?");
    put("\"");
    if (e->text[0])
        crash_put_text("name", e->text);
    else
        crash_put_number("number", e->number);
    crash_put_number("ms_ago", now_ms > e->at_ms ? now_ms - e->at_ms : 0);
    end_line();
}

/* Oldest first. */
static void say_events(const struct crash_trail *t)
{
    uint32_t count = t->count, first = count > CRASH_EVENTS ? count - CRASH_EVENTS : 0;
    uint64_t now_ms = clock_ms();

    begin_line();
    crash_put_number("events", count - first);
    crash_put_number("of", count);
    end_line();
    for (uint32_t i = first; i != count; i++)
        say_event(&t->event[i % CRASH_EVENTS], now_ms);
}

static void say_frames(void)
{
    void *frames[FRAMES];
    int count = backtrace(frames, FRAMES);

    begin_line();
    crash_put_number("frames", (uint64_t)count);
    end_line();
    backtrace_symbols_fd(frames, count, STDERR_FILENO);
}

static void say_running(const struct crash_trail *t)
{
    begin_line();
    if (t->running && t->describe) {
        put(" running");
        t->describe((const void *)t->running);
    } else {
        put(" running nothing");
    }
    end_line();
}

static void say_end(const char *how)
{
    begin_line();
    put(how);
    end_line();
}

/* Ends the process as if there were no handler; the core has the stack of the crash below the handler's. */
static void die(int signum)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};

    sigaction(signum, &plain, NULL);
    (void)syscall(SYS_tgkill, getpid(), (pid_t)syscall(SYS_gettid), signum);
}

/* Whatever goes wrong from here on, it ends soon. */
static void limit_time(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t set;

    sigaction(SIGALRM, &plain, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    alarm(TIME_LIMIT_S);
}

static void on_fatal(int signum, siginfo_t *info, void *context)
{
    int self = (int)syscall(SYS_gettid), nobody = 0;

    (void)context;
    if (!atomic_compare_exchange_strong(&state.reporting, &nobody, self)) {
        if (nobody == self) { /* the report itself crashed */
            say_end(" report cut");
            die(signum);
            return;
        }
        for (;;)
            pause(); /* another thread reports, and ends the process */
    }
    limit_time();
    say_signal(signum, info);
    if (own)
        say_events(own);
    say_frames();
    if (own)
        say_running(own); /* follows pointers: last */
    say_end(" end of report");
    die(signum);
}

/* ---- trails */

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void crash_note_text(struct crash_trail *t, uint64_t now_ms, const char *what, const char *text)
{
    struct crash_event *e = &t->event[t->count % CRASH_EVENTS];
    size_t len = 0;

    crash_note(t, now_ms, what, 0);
    while (len < CRASH_TEXT - 1 && is_name_char(text[len])) {
        e->text[len] = text[len];
        len++;
    }
    e->text[len] = '\0';
}

/* ---- setting up */

static int read_build(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    (void)arg;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        const char *at = (const char *)(info->dlpi_addr + p->p_vaddr), *end = at + p->p_memsz;

        while (p->p_type == PT_NOTE && at + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *note = (const void *)at;
            const unsigned char *id = (const unsigned char *)at + sizeof(*note) + (note->n_namesz + 3) / 4 * 4;

            if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= 20)
                for (unsigned b = 0; b < note->n_descsz; b++)
                    snprintf(state.build + 2 * b, 3, "%02x", id[b]);
            at = (const char *)id + (note->n_descsz + 3) / 4 * 4;
        }
    }
    return 1; /* the program comes first, and is all that is asked for */
}

void crash_install(const char *version)
{
    struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    void *frame[1];

    if (!REPORTS)
        return;
    state.version = version;
    dl_iterate_phdr(read_build, NULL);
    (void)backtrace(frame, 1); /* loads what it needs while it may */
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
        sigdelset(&action.sa_mask, fatal[i]); /* a second one ends the report */
    for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
        CHECK(sigaction(fatal[i], &action, NULL) == 0);
}

void crash_attach(struct crash_trail *t, const char *name)
{
    stack_t stack = {.ss_size = STACK_SIZE};
    sigset_t set;

    snprintf(t->name, sizeof(t->name), "%s", name);
    if (getpid() != (pid_t)syscall(SYS_gettid))
        (void)pthread_setname_np(pthread_self(), t->name);
    own = t;
    if (!REPORTS)
        return;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
        sigaddset(&set, fatal[i]);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL); /* a fault while they are blocked would end the process without a word */
    stack.ss_sp = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED)
        return; /* its own stack has to do */
    t->stack = stack.ss_sp;
    CHECK(sigaltstack(&stack, NULL) == 0);
}

void crash_detach(struct crash_trail *t)
{
    stack_t none = {.ss_flags = SS_DISABLE};

    own = NULL;
    if (!t->stack)
        return;
    CHECK(sigaltstack(&none, NULL) == 0);
    munmap(t->stack, STACK_SIZE);
    t->stack = NULL;
}

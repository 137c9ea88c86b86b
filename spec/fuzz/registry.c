/* Registry lines, through the real thing: a control that listens nowhere, its connections, VM, commands and workers. Whatever
 * is said, no command fails inside, each answer is a line as good as the ones that asked, and the connection ends with its client.
 * What says whether a line is fit to be looked at agrees with a plain decoder of UTF-8. */
#include "base/log.h"
#include "control/cli.h"
#include "control/control.h"
#include "control/line.h"
#include "control/registry.h"
#include "control/startup.h"
#include "script/bundle.h"
#include "script/vm_state.h"
#include "spec/fuzz/fuzz.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TURNS = 40 };

/* Bytes of the character at the front by its code point; 0: it is none. */
static size_t character(struct slice s)
{
    static const uint32_t LEAST[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)s.data[0];
    size_t n = first < 0x80 ? 1 : first >> 5 == 6 ? 2 : first >> 4 == 14 ? 3 : first >> 3 == 30 ? 4 : 0;
    uint32_t code = n == 1 ? first : first & (0x7f >> n);

    if (!n || n > s.len)
        return 0;
    for (size_t i = 1; i < n; i++) {
        if (((uint8_t)s.data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)s.data[i] & 0x3f);
    }
    return code < LEAST[n] || code > 0x10ffff || code >> 11 == 0x1b ? 0 : n;
}

static const char *line_model(struct slice line)
{
    while (line.len) {
        size_t n = character(line);

        if ((uint8_t)line.data[0] < 32 || line.data[0] == 127)
            return "invalid character";
        if (!n)
            return "invalid utf-8";
        line = slice_skip(line, n);
    }
    return NULL;
}

static void check_line(struct slice line)
{
    const char *ours = line_check(line), *theirs = line_model(line);

    CHECK(!ours == !theirs && (!ours || strcmp(ours, theirs) == 0));
}

static struct control control;
static const struct cli cli = {.workers = 1, .workers_set = true, .scripts_dir = "scripts"};

/* The threads end before what they use does. */
static void close_control(void)
{
    control_close(&control);
    settings_unref(control.settings);
    bundle_unref(control.bundle);
    log_close();
}

/* As script_tool.c opens a control that serves nobody. */
static void open_control(void)
{
    struct config_set *routes = NULL;
    char *problems = NULL;
    struct error err;

    check_own_thread(CHECK_CONTROL);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    log_set_level(LOG_NONE);
    CHECK(log_open() == 0);
    control.cli = &cli;
    control.settings = startup_settings(&cli, &routes, &problems);
    CHECK(control.settings);
    config_set_free(routes);
    control.settings->http_count = control.settings->https_count = 0;
    control.settings->workers = 1;
    control.settings->health_checks = control.settings->scripts_watch = false;
    control.settings->rollback_failures = 0;
    control.bundle = bundle_read("scripts", &err);
    CHECK(control.bundle);
    list_init(&control.pendings);
    CHECK(control_open(&control));
    CHECK(atexit(close_control) == 0);
}

/* A client, and what it knows. */
struct talker {
    int fd;
    char in[4 * 1024 * 1024];
    size_t len;       /* bytes in in that are no whole line yet */
    unsigned answers;
    char session[64]; /* what the first answer with a second field said; "": none yet */
};

static void note(struct talker *t, struct slice line)
{
    struct slice word, id;

    CHECK(line.len && !line_check(line));
    t->answers++;
    if (!t->session[0] && slice_split(&line, '|', &word) && slice_split(&line, '|', &id) && id.len < sizeof(t->session))
        memcpy(t->session, id.data, id.len);
}

/* Reads what there is and looks at whole lines. False: the end. */
static bool hear(struct talker *t)
{
    ssize_t n = recv(t->fd, t->in + t->len, sizeof(t->in) - t->len, MSG_DONTWAIT);
    struct slice rest, line;

    if (n <= 0)
        return n < 0;
    t->len += (size_t)n;
    rest = slice_of(t->in, t->len);
    while (memchr(rest.data, '\n', rest.len) && slice_split(&rest, '\n', &line))
        note(t, line);
    CHECK(rest.len < sizeof(t->in));
    memmove(t->in, rest.data, rest.len);
    t->len = rest.len;
    return true;
}

/* Says a line, with the session's id where it has a dollar sign. */
static void say(struct talker *t, struct slice line)
{
    struct slice part;
    bool more = false;

    while (slice_split(&line, '$', &part)) {
        if (more)
            (void)send(t->fd, t->session, strlen(t->session), MSG_NOSIGNAL);
        (void)send(t->fd, part.data, part.len, MSG_NOSIGNAL);
        more = true;
    }
    (void)send(t->fd, "\n", 1, MSG_NOSIGNAL);
}

/* Runs the loop until something is answered, or long enough. False: the connection has ended. */
static bool wait_answer(struct talker *t)
{
    unsigned before = t->answers;

    for (int turns = 0; turns < TURNS && t->answers == before; turns++) {
        (void)ev_run(control.loop, EVRUN_NOWAIT);
        if (!hear(t))
            return false;
    }
    return true;
}

/* All sessions are gone, as after an example (examples_talk.c). */
static void remove_sessions(void)
{
    struct list *sessions = &control.model.sessions;

    while (sessions->next != sessions) {
        struct session *s = CONTAINER_OF(sessions->next, struct session, link);

        model_remove(&control.model, &s, "the input has ended");
    }
}

static void talk(struct slice input)
{
    static struct talker t;
    struct address peer;
    struct slice line;
    int fds[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    CHECK(address_parse(SLICE("127.0.0.1:1"), &peer) == 0);
    CHECK(registry_take(&control, fds[1], &peer));
    t.fd = fds[0];
    t.len = t.answers = 0;
    memset(t.session, 0, sizeof(t.session));
    while (slice_split(&input, '\n', &line)) {
        say(&t, line);
        if (!wait_answer(&t))
            break;
    }
    close(t.fd);
    /* One that stays is what libFuzzer's time-out finds. */
    while (registry_count(&control))
        (void)ev_run(control.loop, EVRUN_ONCE);
    CHECK(!control.vm->failure.text[0]);
    remove_sessions();
    (void)ev_run(control.loop, EVRUN_NOWAIT);
}

void fuzz_registry(struct slice input)
{
    struct slice rest = input, line;

    while (slice_split(&rest, '\n', &line))
        check_line(line);
    if (!control.loop)
        open_control();
    talk(input);
}

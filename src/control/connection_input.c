/* A connection's input: bytes to lines, lines to scripts, no faster than may be. */
#include "base/clock.h"
#include "base/need.h"
#include "control/control.h"
#include "control/line.h"
#include "control/registry.h"
#include "guard/line_pace.h"
#include "script/vm.h"
#include "tls/tls_transport.h"

#include <stdlib.h>

enum {
    IN_SMALL = 2048,                  /* first size of the input buffer */
    IN_LARGE = REGISTRY_LINE_MAX + 2, /* the longest line with its "\r\n" */
    LINE_US = 100                     /* a line that takes longer counts as several */
};

bool connection_wants_input(const struct connection *conn)
{
    if (conn->phase == CONNECTION_CLOSING)
        return !conn->eof;
    return !conn->eof && (!conn->in.data || buf_len(&conn->in) < IN_LARGE);
}

static void refuse_line(struct connection *conn, const char *reason)
{
    conn->control->counts.bad_lines++;
    connection_refuse(conn, reason);
}

/* One more line of a connection that has not said AUTH; false: that was one too many. */
static bool may_speak(struct connection *conn)
{
    struct error err;

    if (conn->authorized)
        return true;
    conn->early_lines++;
    if (registry_within(conn->control, REGISTRY_LIMIT_AUTH_LINES, conn->early_lines, &err))
        return true;
    connection_dismiss(conn, CONNECTION_END_UNAUTHORIZED, err.text);
    return false;
}

/* Runs one complete line, without its line end. */
static void run_line(struct connection *conn, struct slice line)
{
    struct slice answer;
    const char *wrong;

    if (line.len && line.data[line.len - 1] == '\r')
        line.len--;
    if (line.len == 0)
        return;
    conn->spoke_ms = clock_ms();
    if (!may_speak(conn))
        return;
    if (!need_whole()) {
        connection_refuse(conn, "out of memory");
        return;
    }
    if (line.len > REGISTRY_LINE_MAX) {
        refuse_line(conn, "line too long");
        return;
    }
    wrong = line_check(line);
    if (wrong) {
        refuse_line(conn, wrong);
        return;
    }
    conn->control->counts.lines++;
    if (!vm_run_line(conn->control->vm, conn, line, &answer))
        conn->waiting = true;
    else if (answer.data)
        connection_send(conn, answer);
}

static struct line_pace_rules pace_rules(const struct connection *conn)
{
    const struct settings *s = conn->control->settings;

    return (struct line_pace_rules){.rate = s->registry_lines, .burst = s->registry_burst};
}

static void run_paced(struct connection *conn, struct slice line)
{
    struct line_pace_rules rules = pace_rules(conn);
    uint64_t start_us = clock_us(), now_us;

    run_line(conn, line);
    now_us = clock_us();
    line_pace_charge(&conn->pace, &rules, 1 + (now_us - start_us) / LINE_US, now_us);
}

/* Takes the next line or part of a line that is too long off the input; false when there is none.
 */
static bool take_line(struct connection *conn)
{
    struct slice in = slice_of(conn->in.data ? buf_head(&conn->in) : "", buf_len(&conn->in));
    const char *end = in.len ? memchr(in.data, '\n', in.len) : NULL;

    if (!end && in.len < (conn->skipping ? 1 : IN_LARGE))
        return false;
    if (!end) {
        if (!conn->skipping && may_speak(conn))
            refuse_line(conn, "line too long");
        conn->skipping = true;
        buf_consume(&conn->in, in.len);
        return true;
    }
    if (!conn->skipping)
        run_paced(conn, slice_of(in.data, (size_t)(end - in.data)));
    conn->skipping = false;
    buf_consume(&conn->in, (size_t)(end - in.data) + 1);
    return true;
}

/* Is it this connection's time? Else it is woken when it is; until then its input waits, and once its buffer is full
 * in the client's. */
static bool may_run_now(struct connection *conn)
{
    struct line_pace_rules rules = pace_rules(conn);
    uint64_t wait_us = line_pace_wait_us(&conn->pace, &rules, clock_us()), delay_us;

    if (!conn->in.data || !buf_len(&conn->in))
        return true;
    delay_us = conn->authorized ? 0 : registry_auth_wait_ms(conn) * 1000;
    if (!wait_us && !delay_us)
        return true;
    if (wait_us)
        conn->control->counts.refused[REGISTRY_LIMIT_LINES]++;
    if (delay_us > wait_us) {
        conn->control->counts.auth_delayed++;
        wait_us = delay_us;
    }
    ev_now_update(conn->control->loop);
    ev_timer_set(&conn->pause, (double)wait_us / 1e6, 0.);
    ev_timer_start(conn->control->loop, &conn->pause);
    return false;
}

void connection_run(struct connection *conn, unsigned lines, uint64_t until_us)
{
    bool more = true, paused = false;

    ASSERT_CONTROL();
    CHECK(!conn->running);
    if (ev_is_active(&conn->pause))
        return;
    conn->running = true;
    for (unsigned i = 0; more && !paused && i < lines && (i == 0 || clock_us() < until_us); i++) {
        more = conn->phase == CONNECTION_OPEN && !conn->waiting;
        paused = more && !may_run_now(conn);
        more = more && !paused && take_line(conn);
    }
    conn->running = false;
    if (conn->phase == CONNECTION_CLOSED)
        return;
    if (more)
        registry_again(conn->registry, conn);
    else if (conn->eof && !conn->waiting && !paused)
        connection_close(conn);
    if (conn->in.data && buf_len(&conn->in) == 0) {
        free(conn->in.data);
        conn->in = (struct buf){0};
    }
    connection_settle(conn);
}

/* Room to read into: first a small block, then one for the longest line. */
static bool make_input_room(struct connection *conn)
{
    uint32_t cap = conn->in.data ? IN_LARGE : IN_SMALL;
    char *grown;

    if (conn->in.data)
        buf_compact(&conn->in);
    if (conn->in.data && buf_room(&conn->in))
        return true;
    grown = realloc(conn->in.data, cap);
    if (!grown)
        return false;
    conn->in.data = grown;
    conn->in.cap = cap;
    return true;
}

void connection_read(struct connection *conn)
{
    size_t n;

    if (conn->phase == CONNECTION_CLOSING && conn->in.data)
        conn->in.start = conn->in.end = 0;
    if (!make_input_room(conn)) {
        connection_abort(conn, CONNECTION_END_MEMORY);
        return;
    }
    switch (transport_read(&conn->transport, buf_tail(&conn->in), buf_room(&conn->in), &n)) {
    case IO_OK:
        if (conn->phase == CONNECTION_OPEN)
            conn->in.end += (uint32_t)n;
        break;
    case IO_AGAIN:
        break;
    case IO_EOF:
        conn->eof = true;
        break;
    case IO_ERROR:
        /* Cut or ended without close_notify: what came before are whole lines, which count as over TCP. */
        if (tls_transport_failure(&conn->transport) == TLS_FAILURE_CLOSED)
            conn->eof = true;
        else
            connection_abort(conn, CONNECTION_END_RESET);
        break;
    }
}

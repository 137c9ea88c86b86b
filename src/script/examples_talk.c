/* What examples of commands say over the registry, and what they hear: over connected sockets, to a control that
 * listens nowhere. */
#include "control/control.h"
#include "base/need.h"
#include "control/registry.h"
#include "script/api.h"
#include "script/examples_state.h"
#include "script/vm_state.h"

#include <errno.h>
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TALKERS_MAX = 8, HEAR_MS = 2000, ROOM = 4096 };

/* One who talks: the client's end of a connection. */
struct talker {
    char who[33];
    int fd;
    char *in; /* what came, in_len bytes of in_cap */
    size_t in_len, in_cap, in_used;
};

struct talk {
    struct control *control;
    unsigned count;
    struct talker talkers[TALKERS_MAX];
};

static void on_readable(struct ev_loop *loop, ev_io *io, int events)
{
    (void)loop;
    (void)io;
    (void)events;
}

static void on_late(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    *(bool *)timer->data = true;
}

static struct talk *talk_of(struct examples *e)
{
    if (!e->talk) {
        e->talk = need_zeroed(1, sizeof(*e->talk));
        e->talk->control = e->of->control;
    }
    return e->talk;
}

/* The talker of a name, who connects now when there is none yet. NULL: err. */
static struct talker *talker_of(struct talk *talk, struct slice who, struct error *err)
{
    struct talker *t;
    struct address peer;
    int fds[2];

    for (unsigned i = 0; i < talk->count; i++)
        if (slice_eq(slice_str(talk->talkers[i].who), who))
            return &talk->talkers[i];
    if (talk->count == TALKERS_MAX || who.len >= sizeof(t->who)) {
        error_set(err, "an example has at most %d services, with names of at most 32 bytes", TALKERS_MAX);
        return NULL;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) < 0) {
        error_set(err, "no socket: %s", strerror(errno));
        return NULL;
    }
    CHECK(address_parse(SLICE("127.0.0.1:1"), &peer) == 0);
    (void)registry_take(talk->control, fds[1], &peer);
    t = &talk->talkers[talk->count++];
    *t = (struct talker){.fd = fds[0], .in = need(ROOM), .in_cap = ROOM};
    memcpy(t->who, who.data, who.len);
    return t;
}

/* Takes a line that has come off the input. */
static bool take_line(struct talker *t, struct slice *line)
{
    const char *start = t->in + t->in_used;
    const char *end = t->in_len > t->in_used ? memchr(start, '\n', t->in_len - t->in_used) : NULL;

    if (!end)
        return false;
    *line = slice_of(start, (size_t)(end - start));
    t->in_used += line->len + 1;
    return true;
}

/* False: nothing will come any more. */
static bool receive(struct talker *t)
{
    ssize_t n;

    memmove(t->in, t->in + t->in_used, t->in_len - t->in_used);
    t->in_len -= t->in_used;
    t->in_used = 0;
    if (t->in_cap - t->in_len < ROOM) {
        t->in_cap = 2 * t->in_cap + ROOM;
        t->in = need_resized(t->in, t->in_cap);
    }
    n = recv(t->fd, t->in + t->in_len, t->in_cap - t->in_len, 0);
    if (n > 0)
        t->in_len += (size_t)n;
    return n > 0 || (n < 0 && errno == EAGAIN);
}

/* Runs the loop until a line is there. False: none comes in time. */
static bool wait_line(struct talk *talk, struct talker *t, struct slice *line)
{
    struct ev_loop *loop = talk->control->loop;
    ev_timer timer;
    ev_io io;
    bool late = false, open = true, found;

    ev_io_init(&io, on_readable, t->fd, EV_READ);
    ev_timer_init(&timer, on_late, HEAR_MS / 1e3, 0);
    timer.data = &late;
    ev_now_update(loop);
    ev_io_start(loop, &io);
    ev_timer_start(loop, &timer);
    while (!(found = take_line(t, line)) && open && !late) {
        ev_run(loop, EVRUN_ONCE);
        open = receive(t);
    }
    ev_io_stop(loop, &io);
    ev_timer_stop(loop, &timer);
    return found || take_line(t, line);
}

int examples_say(lua_State *L)
{
    struct examples *e = examples_of_state(L);
    struct slice who = api_slice(L, 1), line = api_slice(L, 2);
    struct error err;
    struct talker *t = talker_of(talk_of(e), who, &err);

    if (!t)
        return luaL_error(L, "%s", err.text);
    if (send(t->fd, line.data, line.len, MSG_NOSIGNAL | MSG_MORE) != (ssize_t)line.len ||
        send(t->fd, "\n", 1, MSG_NOSIGNAL) != 1)
        return luaL_error(L, "%s can say no more: its connection is closed, or nothing of what it said was read",
                          t->who);
    return 0;
}

int examples_hear(lua_State *L)
{
    struct examples *e = examples_of_state(L);
    struct slice who = api_slice(L, 1), line;
    struct error err;
    struct talker *t = talker_of(talk_of(e), who, &err);

    if (!t)
        return luaL_error(L, "%s", err.text);
    if (!wait_line(e->talk, t, &line))
        return 0;
    lua_pushlstring(L, line.data, line.len);
    return 1;
}

int examples_failure(lua_State *L)
{
    struct vm *vm = examples_of_state(L)->of->control->vm;

    if (!vm->failure.text[0])
        return 0;
    lua_pushstring(L, vm->failure.text);
    vm->failure.text[0] = '\0';
    return 1;
}

/* All sessions but the static routes' are gone. */
static void remove_sessions(struct model *m)
{
    struct list *node, *tmp;
    bool again = true;

    while (again) {
        again = false;
        LIST_EACH (node, tmp, &m->sessions) {
            struct session *s = CONTAINER_OF(node, struct session, link);

            if (s->standing == SESSION_STATIC)
                continue;
            model_remove(m, &s, "the example has ended");
            again = true;
            break; /* others may have gone with it */
        }
    }
}

/* No connection is left. */
static bool is_quiet(struct talk *talk)
{
    return !talk->control->registry || registry_count(talk->control) == 0;
}

void examples_end_talk(struct examples *e)
{
    struct talk *talk = e->talk;

    if (!talk)
        return;
    for (unsigned i = 0; i < talk->count; i++) {
        close(talk->talkers[i].fd);
        free(talk->talkers[i].in);
    }
    while (!is_quiet(talk))
        ev_run(talk->control->loop, EVRUN_ONCE);
    remove_sessions(&talk->control->model);
    free(talk);
    e->talk = NULL;
}

#include "worker/fifo.h"

#include "base/check.h"
#include "worker/conn.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 64 }; /* what libev asks epoll for at first */

/* Memory of what was closed meanwhile stays until the turn is over (worker_retire). */
static void on_run(struct ev_loop *loop, ev_timer *run, int events)
{
    struct fifo *f = CONTAINER_OF(run, struct fifo, run);

    (void)events;
    f->running = true;
    while (f->count) {
        struct fifo_event *next = &f->noted[--f->count];
        ev_io *io = &next->conn->io;
        int still = next->events & io->events;

        next->conn->due = false;
        if (ev_is_active(io) && still)
            io->cb(loop, io, still);
    }
    f->running = false;
}

void fifo_init(struct fifo *f)
{
    *f = (struct fifo){0};
    ev_timer_init(&f->run, on_run, 0., 0.);
    ev_set_priority(&f->run, EV_MINPRI + 1);
}

void fifo_fini(struct fifo *f)
{
    free(f->noted);
    *f = (struct fifo){0};
}

static SELDOM bool grow(struct fifo *f)
{
    uint32_t capacity = f->capacity ? 2 * f->capacity : FIRST_CAPACITY;
    struct fifo_event *noted;

    noted = realloc(f->noted, capacity * sizeof(*noted));
    if (!noted)
        return false;
    f->noted = noted;
    f->capacity = capacity;
    return true;
}

bool fifo_note(struct fifo *f, struct ev_loop *loop, struct conn *c, int events)
{
    if (c->its_turn || c->transport.fd < 0 || (events & EV_CUSTOM))
        return false;
    if (UNLIKELY(f->count == f->capacity) && !grow(f))
        return false;
    if (!f->count)
        ev_feed_event(loop, &f->run, EV_CUSTOM);
    f->noted[f->count++] = (struct fifo_event){c, events};
    c->due = true;
    return true;
}

#include "control/give_back.h"

#include "base/check.h"
#include "base/heap.h"
#include "control/control.h"

static void on_timer(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop;
    (void)timer;
    (void)events;
    ASSERT_CONTROL();
    heap_trim();
}

void give_back_follow(struct control *c)
{
    ASSERT_CONTROL();
    ev_set_cb(&c->give_back, on_timer);
    c->give_back.repeat = (double)c->settings->spare_memory_ms / 2000.;
    ev_timer_again(c->loop, &c->give_back);
}

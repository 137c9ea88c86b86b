/* A MAINT_ENTER or MAINT_EXIT from the command to the last line that is said for it. */
#include "base/clock.h"
#include "base/need.h"
#include "base/log.h"
#include "control/backend_tls.h"
#include "control/compose.h"
#include "control/config_check.h"
#include "control/control.h"
#include "control/health.h"
#include "control/maintenance_state.h"
#include "control/maintenance_wait.h"
#include "control/publish.h"
#include "control/resolve.h"

#include <stdlib.h>

static void on_begin(struct ev_loop *loop, ev_timer *w, int revents);

static struct maintenance_op *op_new(struct session *s, enum maintenance_kind kind)
{
    struct maintenance_op *op = need_zeroed(1, sizeof(*op));

    op->model = &s->control->model;
    op->session = s;
    s->operations++;
    op->kind = kind;
    ev_timer_init(&op->begin, on_begin, 0, 0);
    op->begin.data = op;
    list_push_back(&op->model->maintenance_ops, &op->link);
    return op;
}

static void leave_session(struct maintenance_op *op)
{
    if (op->session)
        op->session->operations--;
    op->session = NULL;
}

void maintenance_op_free(struct maintenance_op *op)
{
    struct control *c = op->model->control;

    leave_session(op);
    list_remove(&op->link);
    ev_timer_stop(c->loop, &op->begin);
    if (op->naming)
        resolve_cancel(op->naming);
    if (op->name)
        resolve_drop(c, op->name);
    maintenance_wait_cancel(&op->wait);
    maintenance_targets_free(op->targets);
    free(op->entered.ids);
    free(op->left.ids);
    free(op->page_url);
    free(op->reason);
    free(op->target);
    free(op->txn);
    free(op);
}

/* The command gets its answer, once. */
static void answer(struct maintenance_op *op, const char *refused)
{
    void (*fn)(void *, const char *) = op->answer;

    op->answer = NULL;
    if (fn)
        fn(op->arg, refused);
}

/* ---- waiting */

static bool is_affected(const struct maintenance_op *op, const struct route_entry *route)
{
    return route->state->in_maintenance && maintenance_targets_cover(op->targets, route);
}

static bool affects_any(const struct maintenance_op *op)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &op->session->live->routes) {
        if (is_affected(op, CONTAINER_OF(node, struct route_entry, link)))
            return true;
    }
    return false;
}

static void gather_page(void *arg, struct maintenance_wait *w)
{
    const struct session *s = ((struct maintenance_op *)arg)->session;
    const struct maintenance *m = s->maintenance;
    struct backend_tls_choice tls = backend_tls_choose(s, s->live, "ALL");

    if (m && m->page_url)
        maintenance_wait_for(w, m->page_url, &tls);
}

static void gather_backends(void *arg, struct maintenance_wait *w)
{
    const struct maintenance_op *op = arg;
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &op->session->live->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        struct backend_tls_choice tls = backend_tls_choose(op->session, op->session->live, route->id);

        if (is_affected(op, route))
            maintenance_wait_for(w, route->backend_url, &tls);
    }
}

/* The backends answer. What their health checks found before is out of date; an explicit one has to pass first. */
static bool backends_are_ready(void *arg)
{
    const struct maintenance_op *op = arg;
    struct list *node, *tmp;
    bool ready = true;

    LIST_EACH (node, tmp, &op->session->live->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (!is_affected(op, route))
            continue;
        if (route_state_health(route->state) == ROUTE_HEALTH_DOWN)
            health_renew(op->model->control, op->session, route);
        ready = ready && route_state_health(route->state) != ROUTE_HEALTH_AWAITED;
    }
    return ready;
}

static void give_up(struct maintenance_op *op, const char *failure)
{
    bool page = op->kind == MAINTENANCE_ENTER;
    const struct session *s = op->session;

    log_write(LOG_WARN,
              page ? "[registry-v2] Maintenance page not reachable"
                   : "[registry-v2] Backend not reachable, maintenance stays",
              "session=%.8s service=%s instance=%s reason=\"%s\"", s->id, s->service, s->instance,
              failure);
    maintenance_say(op, "ERROR",
                    page ? "timeout waiting for maintenance page to become reachable"
                         : "timeout waiting for backend to become reachable");
    maintenance_op_free(op);
}

static void on_waited(void *arg, const char *failure)
{
    struct maintenance_op *op = arg;

    op->wait = NULL;
    op->wait_over = op->kind == MAINTENANCE_ENTER;
    if (failure) {
        give_up(op, failure);
    } else if (op->kind == MAINTENANCE_EXIT) {
        maintenance_take(op->session, op);
        maintenance_op_publish(op);
    } else {
        if (op->session->maintenance)
            op->session->maintenance->page_answered = true;
        maintenance_op_publish(op);
    }
}

static void start_waiting(struct maintenance_op *op)
{
    if (op->overtaken) {
        maintenance_op_free(op);
        return;
    }
    op->phase = MAINTENANCE_WAITING;
    op->wait = op->kind == MAINTENANCE_ENTER
                   ? maintenance_wait_start(op->model->control, gather_page, NULL, on_waited, op)
                   : maintenance_wait_start(op->model->control, gather_backends, backends_are_ready,
                                            on_waited, op);
}

/* ---- taking effect */

static void on_published(void *arg)
{
    struct maintenance_op *op = arg;
    bool waited = op->wait_over;

    answer(op, NULL);
    if (!op->session) {
        maintenance_op_free(op);
        return;
    }
    if (!waited)
        maintenance_tell(op);
    if (op->has_page && !waited) {
        start_waiting(op);
        return;
    }
    if (op->kind != MAINTENANCE_FOLLOW && !(waited && op->overtaken))
        maintenance_say(op, "MAINT_OK", op->target);
    maintenance_op_free(op);
}

void maintenance_op_publish(struct maintenance_op *op)
{
    op->phase = MAINTENANCE_PUBLISHING;
    if (op->session)
        compose_touch_set(op->model->control, op->session->live);
    publish(op->model->control, on_published, op);
}

struct maintenance_op *maintenance_op_follow(struct session *s)
{
    return op_new(s, MAINTENANCE_FOLLOW);
}

static void on_named(void *arg);

static void begin(struct maintenance_op *op)
{
    struct control *c = op->model->control;

    op->phase = MAINTENANCE_BEGINNING;
    if (op->name && !resolve_known(op->name))
        op->naming = resolve_wait(c, op->name, on_named, op);
    else
        ev_timer_start(c->loop, &op->begin);
}

/* Stops waiting for the page server's name. */
static void hurry(struct maintenance_op *op)
{
    if (op->naming)
        resolve_cancel(op->naming);
    op->naming = NULL;
    op->phase = MAINTENANCE_BEGINNING;
    ev_timer_start(op->model->control->loop, &op->begin);
}

/* Commands of a session take effect in their order. */
static void begin_next(const struct session *s)
{
    struct list *node, *tmp, *ops = &s->control->model.maintenance_ops;

    LIST_EACH (node, tmp, ops) {
        struct maintenance_op *op = CONTAINER_OF(node, struct maintenance_op, link);

        if (op->session != s || op->phase > MAINTENANCE_BEGINNING)
            continue;
        if (op->phase == MAINTENANCE_QUEUED)
            begin(op);
        return;
    }
}

static void take_effect(struct maintenance_op *op)
{
    struct session *s = op->session;

    if (!s) {
        answer(op, "session is gone");
        maintenance_op_free(op);
        return;
    }
    if (op->kind == MAINTENANCE_ENTER) {
        maintenance_put(s, op);
        maintenance_op_publish(op);
    } else if (op->force || !affects_any(op)) {
        maintenance_take(s, op);
        maintenance_op_publish(op);
    } else {
        answer(op, NULL);
        start_waiting(op);
    }
    begin_next(s);
}

static void on_begin(struct ev_loop *loop, ev_timer *w, int revents)
{
    (void)loop;
    (void)revents;
    take_effect(w->data);
}

static void on_named(void *arg)
{
    struct maintenance_op *op = arg;

    op->naming = NULL;
    take_effect(op);
}

/* ---- commands */

/* Whatever waits for this session is ended by a newer command. */
static void overtake(struct session *s)
{
    struct list *node, *tmp, *ops = &s->control->model.maintenance_ops;

    LIST_EACH (node, tmp, ops) {
        struct maintenance_op *op = CONTAINER_OF(node, struct maintenance_op, link);

        if (op->session != s)
            continue;
        op->overtaken = true;
        if (op->phase == MAINTENANCE_WAITING)
            maintenance_op_free(op);
        else if (op->naming)
            hurry(op);
    }
}

static char *copy_text(struct slice text)
{
    char *copy = text.data ? need_copy(text) : NULL;

    CHECK(copy || !text.data);
    return copy;
}

/* The operation of a command whose targets were checked; takes those over. */
static struct maintenance_op *op_for(struct session *s, enum maintenance_kind kind,
                                     const struct maintenance_order *order,
                                     struct maintenance_targets *targets)
{
    struct maintenance_op *op;

    overtake(s);
    op = op_new(s, kind);
    op->targets = targets;
    op->target = copy_text(order->target);
    op->txn = copy_text(order->txn);
    op->serial = order->serial;
    op->answer = order->answer;
    op->arg = order->arg;
    return op;
}

static struct maintenance_targets *parse_targets(const struct session *s, struct slice text,
                                                 struct error *err)
{
    return maintenance_targets_parse(text, s->live, s->maintenance ? s->maintenance->targets : NULL,
                                     err);
}

/* As a backend's URL; what is wrong is said of the field page_url. */
static bool check_url(struct slice text, struct url *url, struct error *err)
{
    struct error reason;

    if (!text.data || config_check_backend(text, url, &reason))
        return true;
    return error_set(err, "page_url%s", reason.text + strcspn(reason.text, ":"));
}

bool maintenance_enter(struct session *s, const struct maintenance_order *order,
                       const struct maintenance_page *page, struct error *err)
{
    struct maintenance_targets *targets;
    struct maintenance_op *op;
    struct url url;

    ASSERT_CONTROL();
    if (!check_url(page->url, &url, err))
        return false;
    targets = parse_targets(s, order->target, err);
    if (!targets)
        return false;
    op = op_for(s, MAINTENANCE_ENTER, order, targets);
    op->page_url = copy_text(page->url);
    op->has_page = page->url.data != NULL;
    op->reason = copy_text(page->reason);
    if (page->expected_end_ms)
        op->expected_end_wall_ms = clock_wall_ms() + page->expected_end_ms;
    if (page->url.data && !url.host_is_ip)
        op->name = resolve_hold(s->control, url.host);
    begin_next(s);
    return true;
}

bool maintenance_exit(struct session *s, const struct maintenance_order *order, bool force,
                      struct error *err)
{
    struct maintenance_targets *targets;

    ASSERT_CONTROL();
    targets = parse_targets(s, order->target, err);
    if (!targets)
        return false;
    op_for(s, MAINTENANCE_EXIT, order, targets)->force = force;
    begin_next(s);
    return true;
}

/* ---- ends */

void maintenance_leave(struct session *s)
{
    struct list *node, *tmp, *ops = &s->control->model.maintenance_ops;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, ops) {
        struct maintenance_op *op = CONTAINER_OF(node, struct maintenance_op, link);

        if (op->session != s)
            continue;
        leave_session(op);
        if (op->phase == MAINTENANCE_WAITING)
            maintenance_op_free(op);
        else if (op->phase != MAINTENANCE_PUBLISHING)
            hurry(op);
    }
}

void maintenance_forget(struct model *m, const void *arg)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &m->maintenance_ops) {
        struct maintenance_op *op = CONTAINER_OF(node, struct maintenance_op, link);

        if (op->arg == arg)
            op->answer = NULL;
    }
}

void maintenance_drop(struct model *m)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &m->maintenance_ops)
        maintenance_op_free(CONTAINER_OF(node, struct maintenance_op, link));
}

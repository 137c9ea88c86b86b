/* What a session has in maintenance, and how that gets into a snapshot. */
#include "base/clock.h"
#include "base/need.h"
#include "config/page.h"
#include "config/snapshot.h"
#include "control/compose.h"
#include "control/control.h"
#include "control/maintenance_state.h"
#include "control/pages.h"
#include "control/publish.h"
#include "control/resolve.h"

#include <stdlib.h>

/* After so many pages that a new script fails for, the others are not tried: each may take its whole budget, while
 * nothing else runs. */
enum { RENDER_FAILURES_MAX = 5 };

static struct maintenance *maintenance_new(struct session *s)
{
    struct maintenance *m = need_zeroed(1, sizeof(*m));

    m->session = s;
    m->targets = maintenance_targets_new();
    m->entered_wall_ms = clock_wall_ms();
    return m;
}

/* Lets go of what the newest ENTER has set. */
static void drop_page(struct maintenance *m)
{
    page_unref(m->page);
    if (m->name)
        resolve_drop(m->session->control, m->name);
    free(m->page_url);
    free(m->reason);
    m->page = NULL;
    m->name = NULL;
    m->page_url = m->reason = NULL;
}

void maintenance_free(struct session *s)
{
    struct maintenance *m = s->maintenance;

    ASSERT_CONTROL();
    if (!m)
        return;
    drop_page(m);
    maintenance_targets_free(m->targets);
    route_state_unref(m->page_state);
    free(m);
    s->maintenance = NULL;
}

/* False: the script failed, and the page is the built-in one. */
static bool render(struct maintenance *m)
{
    struct page *before = m->page;
    bool ok = pages_maintenance(m->session->control, slice_str(m->session->service),
                                slice_str(m->reason), m->expected_end_wall_ms, &m->page);

    page_unref(before);
    return ok;
}

static void use_builtin(struct maintenance *m)
{
    page_unref(m->page);
    m->page = page_builtin(VERDICT_MAINTENANCE);
}

void maintenance_render_again(struct control *c)
{
    struct list *node, *tmp;
    unsigned failures = 0;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &c->model.sessions) {
        struct maintenance *m = CONTAINER_OF(node, struct session, link)->maintenance;

        if (!m)
            continue;
        if (failures < RENDER_FAILURES_MAX)
            failures += !render(m);
        else
            use_builtin(m);
        compose_touch_set(c, CONTAINER_OF(node, struct session, link)->live);
    }
    publish(c, NULL, NULL);
}

/* ---- who is in it */

static void note(struct maintenance_ids *list, const char *id)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 16;
        list->ids = need_resized(list->ids, list->cap * sizeof(*list->ids));
    }
    memcpy(list->ids[list->count++], id, ROUTE_ID_SIZE);
}

void maintenance_settle(struct session *s, struct maintenance_op *op)
{
    struct list *node, *tmp;

    if (s->maintenance) {
        maintenance_targets_prune(s->maintenance->targets, s->live);
        if (maintenance_targets_none(s->maintenance->targets))
            maintenance_free(s);
    }
    LIST_EACH (node, tmp, &s->live->routes) {
        struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);
        bool in = s->maintenance && maintenance_targets_cover(s->maintenance->targets, route);

        if (in != route->state->in_maintenance)
            note(in ? &op->entered : &op->left, route->id);
        route->state->in_maintenance = in;
    }
}

void maintenance_put(struct session *s, struct maintenance_op *op)
{
    struct maintenance *m = s->maintenance;
    struct error ignored;

    if (!m)
        m = s->maintenance = maintenance_new(s);
    maintenance_targets_put(m->targets, op->targets, true);
    drop_page(m);
    m->reason = op->reason;
    m->expected_end_wall_ms = op->expected_end_wall_ms;
    m->page_url = op->page_url;
    m->page_answered = false;
    m->name = op->name;
    op->reason = op->page_url = NULL;
    op->name = NULL;
    if (m->page_url) {
        CHECK(url_parse(slice_str(m->page_url), &m->url, &ignored));
        if (!m->page_state)
            m->page_state = route_state_new(s->id, "page", s->service, s->instance,
                                            s->control->model.worker_count);
    }
    (void)render(m);
    maintenance_settle(s, op);
}

void maintenance_take(struct session *s, struct maintenance_op *op)
{
    if (s->maintenance)
        maintenance_targets_put(s->maintenance->targets, op->targets, false);
    maintenance_settle(s, op);
}

void maintenance_sync(struct session *s)
{
    struct maintenance_op *op;

    ASSERT_CONTROL();
    if (!s->maintenance)
        return;
    op = maintenance_op_follow(s);
    maintenance_settle(s, op);
    if (op->entered.count || op->left.count)
        maintenance_op_publish(op);
    else
        maintenance_op_free(op);
}

/* ---- what others see of it */

void maintenance_compose(const struct session *s, const struct route_entry *route,
                         struct route_input *input, struct address *ip)
{
    const struct maintenance *m = s->maintenance;

    ASSERT_CONTROL();
    if (!route->state->in_maintenance)
        return;
    CHECK(m && m->page);
    input->maintenance = m->page;
    if (!m->page_url || !m->page_answered)
        return;
    input->page_url = &m->url;
    input->page_state = m->page_state;
    if (m->name) {
        input->page_addresses = resolve_addresses(m->name, &input->page_address_count);
        return;
    }
    CHECK(address_parse_ip(m->url.host, m->url.port, ip) == 0);
    input->page_addresses = ip;
    input->page_address_count = 1;
}

const struct resolved *maintenance_page_name(const struct session *s)
{
    return s->maintenance ? s->maintenance->name : NULL;
}

static const char *waits_for(const struct session *s)
{
    struct list *node, *tmp, *ops = &s->control->model.maintenance_ops;

    LIST_EACH (node, tmp, ops) {
        const struct maintenance_op *op = CONTAINER_OF(node, struct maintenance_op, link);

        if (op->session == s && op->phase == MAINTENANCE_WAITING)
            return op->kind == MAINTENANCE_ENTER ? "page" : "backend";
    }
    return NULL;
}

void maintenance_status(const struct session *s, struct maintenance_status *out)
{
    const struct maintenance *m = s->maintenance;

    ASSERT_CONTROL();
    *out = (struct maintenance_status){.waiting = waits_for(s)};
    if (!m)
        return;
    out->page_url = m->page_url;
    out->reason = m->reason;
    out->entered_wall_ms = m->entered_wall_ms;
    out->expected_end_wall_ms = m->expected_end_wall_ms;
}

/* From a draft to what is live: checks, waits for names nobody asked for before, publishes. */
#include "base/log.h"
#include "base/need.h"
#include "control/backend_tls.h"
#include "control/control.h"
#include "control/health.h"
#include "control/model.h"
#include "control/places.h"
#include "control/publish.h"
#include "control/resolve.h"

#include <stdlib.h>

/* One CONFIG_APPLY until it is answered. */
struct apply {
    struct list link; /* in model.applies */
    struct model *model;
    struct session *session;                      /* NULL once it is gone */
    struct config_set *set;                       /* while it waits for names; then the session's */
    unsigned waiting;                             /* names */
    void (*done)(void *arg, const char *refused); /* NULL: forgotten */
    void *arg;
};

static void apply_end(struct apply *a, const char *refused)
{
    if (a->session) {
        a->session->applying = false;
        a->session->next = NULL;
    }
    list_remove(&a->link);
    if (a->set)
        model_discard(a->model, a->set);
    if (a->done)
        a->done(a->arg, refused);
    free(a);
}

static void on_published(void *arg)
{
    apply_end(arg, NULL);
}

static void log_applied(const struct session *s, const struct config_set *before,
                        const struct config_set *now)
{
    struct scope_diff routes = config_set_diff(before, now, SCOPE_ROUTES);

    log_write(LOG_INFO, "[registry-v2] Configuration applied",
              "session=%.8s service=%s instance=%s routes=%u added=%u removed=%u modified=%u",
              s->id, s->service, s->instance, config_set_route_count(now), routes.added,
              routes.removed, routes.modified);
}

/* A restarted instance that is alone at its places takes over at once: nobody else could serve while its health
 * is awaited. */
static void trust_replacement(const struct model *m, const struct session *s)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &s->live->routes) {
        const struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (!places_has_company(m->places, route))
            health_trust(route->state);
    }
}

static void go_live(struct apply *a)
{
    struct session *s = a->session;
    struct config_set *set = a->set;

    if (!s) {
        apply_end(a, "session is gone");
        return;
    }
    a->set = NULL;
    s->next = NULL;
    log_applied(s, s->live, set);
    model_make_live(a->model, s, set);
    if (s->supersedes) {
        model_unlink(a->model, s->supersedes, "replaced");
        trust_replacement(a->model, s);
    }
    publish(a->model->control, on_published, a);
}

static void on_known(void *arg)
{
    struct apply *a = arg;

    CHECK(a->waiting > 0);
    if (--a->waiting == 0)
        go_live(a);
}

static void wait_for_names(struct apply *a)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &a->set->routes) {
        struct route_entry *route = CONTAINER_OF(node, struct route_entry, link);

        if (route->name && !resolve_known(route->name)) {
            a->waiting++;
            resolve_wait(a->model->control, route->name, on_known, a);
        }
    }
}

static bool is_same(const struct config_set *a, const struct config_set *b)
{
    for (unsigned scope = 0; scope < SCOPES; scope++) {
        struct scope_diff diff = config_set_diff(a, b, (enum scope)scope);

        if (diff.added || diff.removed || diff.modified)
            return false;
    }
    return true;
}

static bool is_valid(const struct session *s, const struct config_set *set, struct error *err)
{
    return config_set_validate(set, err) && backend_tls_check(s, set, err);
}

/* What the session is to have live, its own; the draft is left when something stays staged. */
static struct config_set *take_result(struct session *s, unsigned scopes, struct error *err)
{
    struct config_set *set;

    if (!s->draft)
        return config_set_copy(s->live, err);
    if (scopes == SCOPES_ALL)
        return is_valid(s, s->draft, err) ? session_take_draft(s) : NULL;
    set = config_set_merge(s->live, s->draft, scopes, err);
    if (!set)
        return NULL;
    if (!is_valid(s, set, err)) {
        config_set_free(set);
        return NULL;
    }
    if (is_same(set, s->draft))
        session_rollback(s);
    return set;
}

bool model_apply(struct model *m, struct session *s, unsigned scopes,
                 void (*done)(void *arg, const char *refused), void *arg, struct error *err)
{
    struct config_set *set;
    struct apply *a;

    ASSERT_CONTROL();
    if (s->applying)
        return error_set(err, "apply already in progress");
    /* Checked before anything changes: what follows does not fail for want of memory. */
    if (!need_room(2 * config_set_size(session_view(s)) + publish_size(m->control)))
        return error_set(err, "out of memory");
    set = take_result(s, scopes, err);
    if (!set)
        return false;
    a = need_zeroed(1, sizeof(*a));
    *a = (struct apply){.model = m, .session = s, .set = set, .done = done, .arg = arg};
    list_push_back(&m->applies, &a->link);
    s->applying = true;
    s->next = set;
    model_prepare(m, s, set);
    wait_for_names(a);
    if (a->waiting == 0)
        go_live(a);
    return true;
}

bool model_validate(const struct session *s, struct error *err)
{
    ASSERT_CONTROL();
    return !s->draft || is_valid(s, s->draft, err);
}

void model_forget_apply(struct model *m, const void *arg)
{
    struct list *node, *tmp;

    ASSERT_CONTROL();
    LIST_EACH (node, tmp, &m->applies) {
        struct apply *a = CONTAINER_OF(node, struct apply, link);

        if (a->arg == arg)
            a->done = NULL;
    }
}

void model_leave_applies(struct model *m, struct session *s)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &m->applies) {
        struct apply *a = CONTAINER_OF(node, struct apply, link);

        if (a->session == s)
            a->session = NULL;
    }
    s->next = NULL;
}

void model_drop_applies(struct model *m)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, &m->applies) {
        struct apply *a = CONTAINER_OF(node, struct apply, link);

        a->done = NULL;
        apply_end(a, NULL);
    }
}

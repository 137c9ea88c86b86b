#include "control/scripts_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/need.h"
#include "config/page.h"
#include "control/control.h"
#include "control/maintenance.h"
#include "control/pages.h"
#include "control/publish.h"
#include "control/scripts_tell.h"
#include "script/bundle.h"
#include "script/hook.h"
#include "script/vm.h"

#include <stdlib.h>

/* A command that asked for a reload. */
struct reload_request {
    struct list link; /* in scripts.requests, then in announcement.requests */
    void (*done)(void *arg, const char *refused, bool changed);
    void *arg;
};

/* A new generation whose pages are on their way to the workers. */
struct announcement {
    struct list link; /* in scripts.announcements */
    struct scripts *scripts;
    struct bundle *old, *now;
    uint64_t taken_back; /* the generation that was given up, or 0 */
    struct error reason; /* for it */
    struct list requests;
};

/* ---- who waits */

static void end_requests(struct list *requests, const char *refused, bool changed)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, requests) {
        struct reload_request *r = CONTAINER_OF(node, struct reload_request, link);

        list_remove(&r->link);
        r->done(r->arg, refused, changed);
        free(r);
    }
}

static void forget_requests(struct list *requests)
{
    struct list *node, *tmp;

    LIST_EACH (node, tmp, requests)
        free(CONTAINER_OF(node, struct reload_request, link));
    list_init(requests);
}

static void announcement_free(struct announcement *a)
{
    list_remove(&a->link);
    forget_requests(&a->requests);
    bundle_unref(a->old);
    bundle_unref(a->now);
    free(a);
}

static void on_published(void *arg)
{
    struct announcement *a = arg;

    ASSERT_CONTROL();
    scripts_send_serving(a->scripts->control, a->old, a->now, a->taken_back, a->reason.text);
    end_requests(&a->requests, NULL, true);
    announcement_free(a);
}

void scripts_announce(struct scripts *s, struct bundle *old, uint64_t taken_back)
{
    struct announcement *a = need_zeroed(1, sizeof(*a));
    struct list *node, *tmp;

    a->scripts = s;
    a->old = old;
    a->now = bundle_ref(s->serving);
    a->taken_back = taken_back;
    a->reason = s->taken_back.error;
    list_init(&a->requests);
    LIST_EACH (node, tmp, &s->requests) {
        list_remove(node);
        list_push_back(&a->requests, node);
    }
    list_push_back(&s->announcements, &a->link);
    publish(s->control, on_published, a);
}

/* ---- a generation */

struct vm *scripts_try(struct scripts *s, const struct bundle *bundle, struct page_book **pages,
                       struct error *err)
{
    struct vm *vm;

    if (!hook_check(bundle, s->control->settings->script_load_ms, err))
        return NULL;
    vm = vm_new(s->control, bundle, err);
    if (!vm)
        return NULL;
    *pages = pages_make(vm, err);
    if (*pages)
        return vm;
    vm_free(vm);
    return NULL;
}

static void forget_failures(struct scripts *s)
{
    s->failures = (struct failure_window){0};
    s->failed = (struct scripts_fault){0};
    s->give_up = s->told_stuck = false;
}

struct bundle *scripts_put_in_service(struct scripts *s, struct bundle *bundle, struct vm *vm,
                                      struct page_book *pages)
{
    struct control *c = s->control;
    struct bundle *old = s->serving;

    if (!bundle->generation)
        bundle->generation = ++s->generations;
    bundle_clear_marks(bundle);
    c->bundle = s->serving = bundle;
    s->since_wall_ms = clock_wall_ms();
    s->refused = (struct scripts_fault){0};
    forget_failures(s);
    vm_free(c->vm);
    c->vm = vm;
    page_book_unref(c->pages);
    c->pages = pages;
    maintenance_render_again(c);
    return old;
}

/* ---- reload */

static void refuse(struct scripts *s, struct bundle *bundle, const struct error *err,
                   const char *why)
{
    scripts_keep(&s->bad, bundle);
    s->bad_in_service = false;
    scripts_fault_set(&s->refused, err);
    scripts_tell_refused(s, why);
    end_requests(&s->requests, s->refused.error.text, false);
}

/* A generation that has not failed lately is worth going back to; any is better than none. */
static void keep_last_good(struct scripts *s, struct bundle *old, bool healthy)
{
    if (healthy || !s->last_good)
        scripts_keep(&s->last_good, bundle_ref(old));
}

static void load(struct scripts *s, struct bundle *bundle, const char *why)
{
    bool healthy = scripts_failures(s->control) == 0;
    struct page_book *pages;
    struct bundle *old;
    struct error err;
    struct vm *vm = scripts_try(s, bundle, &pages, &err);

    if (!vm) {
        refuse(s, bundle, &err, why);
        return;
    }
    scripts_keep(&s->bad, NULL);
    s->taken_back = (struct scripts_fault){0};
    old = scripts_put_in_service(s, bundle, vm, pages);
    keep_last_good(s, old, healthy);
    scripts_log_serving(s, old, why);
    scripts_announce(s, old, 0);
}

/* The files are what is in service. */
static void stay(struct scripts *s)
{
    if (s->refused.wall_ms)
        log_write(LOG_INFO, "[scripts] the files are those in service again", "generation=%llu",
                  (unsigned long long)s->serving->generation);
    scripts_keep(&s->bad, NULL);
    s->refused = (struct scripts_fault){0};
    end_requests(&s->requests, NULL, false);
}

/* The files are what was bad before. asked: by somebody, not by the watch. */
static bool skip_bad(struct scripts *s, const struct bundle *bundle, bool asked)
{
    char reason[400];

    if (!s->bad || !bundle_equal(bundle, s->bad) || (asked && !s->bad_in_service))
        return false;
    if (s->bad_in_service) {
        snprintf(reason, sizeof(reason), "generation %llu failed in service, change its files: %s",
                 (unsigned long long)s->bad->generation, s->taken_back.error.text);
        end_requests(&s->requests, reason, false);
    }
    return true;
}

static void reload(struct scripts *s, const char *why, bool asked)
{
    struct error err;
    struct bundle *bundle =
        s->given ? bundle_ref(s->serving) : bundle_read(s->control->settings->scripts_dir, &err);

    if (!bundle) {
        refuse(s, NULL, &err, why);
    } else if (bundle_equal(bundle, s->serving)) {
        stay(s);
        bundle_unref(bundle);
    } else if (skip_bad(s, bundle, asked)) {
        bundle_unref(bundle);
    } else {
        load(s, bundle, why);
    }
}

void scripts_reload(struct control *c, const char *why)
{
    ASSERT_CONTROL();
    if (!c->stopping)
        reload(c->scripts, why, true);
}

static void on_changed(void *arg)
{
    struct scripts *s = arg;

    if (!s->control->stopping)
        reload(s, "files", false);
}

/* ---- at a turn */

static void make_anew(struct scripts *s)
{
    struct control *c = s->control;
    struct error err;
    struct vm *vm = vm_new(c, s->serving, &err);

    s->make_anew = false;
    log_write(LOG_WARN, "[scripts] keep memory from call to call: their VM is made anew",
              "generation=%llu", (unsigned long long)s->serving->generation);
    if (!vm)
        return; /* the next call that finds no memory asks again */
    vm_take_over(vm, c->vm);
    vm_free(c->vm);
    c->vm = vm;
}

void scripts_make_anew(struct control *c)
{
    if (!c->scripts)
        return; /* --check */
    c->scripts->make_anew = true;
    scripts_take_turn(c->scripts);
}

static void on_turn(struct ev_loop *loop, ev_timer *timer, int revents)
{
    struct scripts *s = timer->data;

    (void)loop;
    (void)revents;
    if (s->control->stopping) {
        end_requests(&s->requests, "the proxy stops", false);
        return;
    }
    if (s->make_anew)
        make_anew(s);
    if (s->give_up)
        scripts_go_back(s);
    if (!list_empty(&s->requests))
        reload(s, "command", true);
}

void scripts_take_turn(struct scripts *s)
{
    ev_timer_start(s->control->loop, &s->turn);
}

void scripts_request(struct control *c, void (*done)(void *arg, const char *refused, bool changed),
                     void *arg)
{
    struct reload_request *r = need_zeroed(1, sizeof(*r));

    ASSERT_CONTROL();
    r->done = done;
    r->arg = arg;
    list_push_back(&c->scripts->requests, &r->link);
    scripts_take_turn(c->scripts);
}

/* ---- start and stop */

void scripts_follow_settings(struct control *c)
{
    struct scripts *s = c->scripts;

    ASSERT_CONTROL();
    if (!c->settings->scripts_watch)
        script_watch_stop(&s->watch);
    else if (!s->watch)
        s->watch = script_watch_start(c->loop, c->settings->scripts_dir, on_changed, s);
}

bool scripts_start(struct control *c, struct error *err)
{
    struct scripts *s = need_zeroed(1, sizeof(*s));

    ASSERT_CONTROL();
    c->scripts = s;
    s->control = c;
    list_init(&s->requests);
    list_init(&s->announcements);
    list_init(&c->pendings);
    ev_timer_init(&s->turn, on_turn, 0, 0);
    s->turn.data = s;
    scripts_follow_settings(c);
    s->given = c->bundle != NULL;
    if (!s->given)
        c->bundle = bundle_read(c->settings->scripts_dir, err);
    s->serving = c->bundle;
    if (!s->serving || !hook_check(s->serving, c->settings->script_load_ms, err))
        return false;
    c->vm = vm_new(c, s->serving, err);
    if (!c->vm)
        return false;
    s->serving->generation = ++s->generations;
    s->since_wall_ms = clock_wall_ms();
    return true;
}

void scripts_stop(struct control *c)
{
    struct scripts *s = c->scripts;
    struct list *node, *tmp;

    ASSERT_CONTROL();
    if (!s)
        return;
    script_watch_stop(&s->watch);
    ev_timer_stop(c->loop, &s->turn);
    vm_forget_pendings(c);
    vm_free(c->vm);
    c->vm = NULL;
    forget_requests(&s->requests);
    LIST_EACH (node, tmp, &s->announcements)
        announcement_free(CONTAINER_OF(node, struct announcement, link));
    bundle_unref(s->serving);
    bundle_unref(s->last_good);
    bundle_unref(s->bad);
    free(s);
    c->scripts = NULL;
    c->bundle = NULL;
}

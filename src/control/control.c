#include "control/control.h"

#include "base/clock.h"
#include "base/crash.h"
#include "base/log.h"
#include "base/need.h"
#include "config/page.h"
#include "control/backend_tls.h"
#include "control/circuits.h"
#include "control/certificates.h"
#include "control/cli.h"
#include "control/config_set.h"
#include "control/contain.h"
#include "control/descriptors.h"
#include "control/give_back.h"
#include "control/health.h"
#include "control/pages.h"
#include "control/panic.h"
#include "control/publish.h"
#include "control/registry.h"
#include "control/reload.h"
#include "control/resolve.h"
#include "control/scripts.h"
#include "control/startup.h"
#include "script/vm.h"
#include "tls/registry_context.h"
#include "worker/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- signals */

static void stop_workers(struct control *c, uint64_t within_ms)
{
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_stop(c->workers[i], clock_ms() + within_ms);
}

static const char *signal_name(const ev_signal *w)
{
    return w->signum == SIGTERM ? "TERM" : "INT";
}

static void on_stop(struct ev_loop *loop, ev_signal *w, int revents)
{
    struct control *c = w->data;

    (void)loop;
    (void)revents;
    if (c->stopping) {
        log_write(LOG_WARN, "stopping at once", "signal=%s", signal_name(w));
        stop_workers(c, 0);
        return;
    }
    log_write(LOG_INFO, "stopping", "signal=%s timeout_ms=%llu", signal_name(w),
              (unsigned long long)c->settings->shutdown_timeout_ms);
    crash_note(&c->trail, clock_ms(), "told to stop", (uint64_t)w->signum);
    c->stopping = true;
    registry_shutdown(c);
    stop_workers(c, c->settings->shutdown_timeout_ms);
}

static void on_hup(struct ev_loop *loop, ev_signal *w, int revents)
{
    struct control *c = w->data;

    (void)loop;
    (void)revents;
    if (c->stopping)
        return;
    crash_note(&c->trail, clock_ms(), "told to reload", 0);
    reload_configuration(c);
    scripts_follow_settings(c);
    scripts_reload(c, "signal");
}

static void on_usr1(struct ev_loop *loop, ev_signal *w, int revents)
{
    (void)loop;
    (void)w;
    (void)revents;
    log_reopen_access();
}

/* While blocked a signal waits. Threads made meanwhile never get one. */
static void block_signals(int how)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    CHECK(pthread_sigmask(how, &set, NULL) == 0);
}

static void watch_signal(struct control *c, ev_signal *w, int signum,
                         void (*fn)(struct ev_loop *, ev_signal *, int))
{
    sigset_t set;

    ev_signal_init(w, fn, signum);
    w->data = c;
    ev_signal_start(c->loop, w);
    sigemptyset(&set);
    sigaddset(&set, signum);
    CHECK(pthread_sigmask(SIG_UNBLOCK, &set, NULL) == 0); /* libev leaves the mask as it is */
}

static void watch_signals(struct control *c)
{
    watch_signal(c, &c->on_term, SIGTERM, on_stop);
    watch_signal(c, &c->on_int, SIGINT, on_stop);
    watch_signal(c, &c->on_hup, SIGHUP, on_hup);
    watch_signal(c, &c->on_usr1, SIGUSR1, on_usr1);
    block_signals(SIG_UNBLOCK);
}

static void unwatch_signals(struct control *c)
{
    ev_signal_stop(c->loop, &c->on_term);
    ev_signal_stop(c->loop, &c->on_int);
    ev_signal_stop(c->loop, &c->on_hup);
    ev_signal_stop(c->loop, &c->on_usr1);
}

/* ---- workers */

static void on_worker_stopped(struct message *m)
{
    struct control *c = CONTAINER_OF(m, struct worker_end, stopped)->control;

    ASSERT_CONTROL();
    if (++c->workers_stopped == c->worker_count)
        ev_break(c->loop, EVBREAK_ALL);
}

static bool say_worker(unsigned id, int error)
{
    fprintf(stderr, "tidelock: cannot start worker %u: %s; ask for fewer with --workers N\n", id,
            strerror(-error));
    return false;
}

static bool start_worker(struct control *c, unsigned id, struct snapshot *first,
                         struct startup_listeners *l)
{
    int fds[l->per_worker + 1];
    struct lease *lease = publish_lease(c, first);
    struct worker *w;
    int error;

    startup_take_listeners(l, id, fds);
    c->worker_ends[id] = (struct worker_end){{.run = on_worker_stopped}, c};
    w = worker_new(id, lease, &c->shared, &c->worker_ends[id].stopped, fds,
                   l->plain, l->per_worker);
    if (!w) {
        for (unsigned i = 0; i < l->per_worker; i++)
            close(fds[i]);
        mailbox_post(&c->mailbox, &lease->returned);
        return say_worker(id, -ENOMEM);
    }
    error = worker_start(w);
    if (error) {
        worker_free(w);
        return say_worker(id, error);
    }
    c->workers[c->worker_count++] = w;
    return true;
}

static bool start_ratelimit(struct control *c)
{
    unsigned log2 = 0;

    while (log2 < RATELIMIT_SETS_LOG2_MAX &&
           (uint64_t)RATELIMIT_SET_SOURCES << log2 < c->settings->ratelimit_sources)
        log2++;
    c->shared.ratelimit = ratelimit_new(log2);
    if (!c->shared.ratelimit)
        fprintf(stderr, "tidelock: not enough memory for limits.ratelimit_sources = %llu\n",
                (unsigned long long)c->settings->ratelimit_sources);
    return c->shared.ratelimit != NULL;
}

static bool start_room(struct control *c)
{
    struct room_counts *counts = aligned_alloc(_Alignof(struct room_counts), sizeof(*counts));

    if (counts)
        *counts = (struct room_counts){.addresses = address_count_new(ADDRESS_COUNT_LOG2)};
    if (!counts || !counts->addresses) {
        free(counts);
        fprintf(stderr, "tidelock: not enough memory\n");
        return false;
    }
    c->shared.counts = counts;
    return true;
}

static void end_room(struct control *c)
{
    if (!c->shared.counts)
        return;
    CHECK(quota_used(&c->shared.counts->clients) == 0 && quota_used(&c->shared.counts->descriptors) == 0);
    address_count_free(c->shared.counts->addresses);
    free(c->shared.counts);
}

static bool start_workers(struct control *c, unsigned count, struct startup_listeners *l)
{
    struct snapshot *first = publish_first(c);

    c->workers = need_zeroed(count, sizeof(*c->workers));
    c->worker_ends = need_zeroed(count, sizeof(*c->worker_ends));
    descriptors_share_out(c, count);
    for (unsigned i = 0; i < count; i++) {
        if (!start_worker(c, i, first, l))
            return false;
    }
    c->shared.peers = c->workers;
    atomic_store_explicit(&c->shared.peer_count, count, memory_order_release);
    return true;
}

void control_count(const struct control *c, struct worker_counts *sum)
{
    ASSERT_CONTROL();
    memset(sum, 0, sizeof(*sum));
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_count(c->workers[i], sum);
}

static uint64_t count_requests(const struct control *c)
{
    struct worker_counts sum;

    control_count(c, &sum);
    return sum.requests;
}

/* ---- start */

static bool open_log(void)
{
    int error = log_open();

    if (error)
        fprintf(stderr, "tidelock: cannot start the log's thread: %s\n", strerror(-error));
    log_attach();
    return error == 0;
}

static bool start_logs(struct control *c)
{
    int error = reload_logs(c->settings);

    if (error)
        fprintf(stderr,
                "tidelock: cannot open the access log %s: %s; name another in access_log.file\n",
                c->settings->access_file, strerror(-error));
    return error == 0;
}

static bool start_scripts(struct control *c)
{
    struct error err;
    bool ok = scripts_start(c, &err);

    if (!ok)
        startup_say_script(c->settings, &err);
    return ok;
}

static bool start_resolver(struct control *c)
{
    int error = resolve_init(c);

    if (error)
        fprintf(stderr, "tidelock: cannot resolve names: %s; see resolver.servers\n",
                strerror(-error));
    return error == 0;
}

static bool start_backend_tls(struct control *c)
{
    struct error err;

    c->backend_tls = backend_tls_new(c->settings, &err);
    if (!c->backend_tls)
        fprintf(stderr, "tidelock: %s\n", err.text);
    return c->backend_tls != NULL;
}

static bool start_registry_tls(struct control *c)
{
    struct tls_registry *tls;
    struct error err;
    int error;

    if (!c->settings->registry_tls_on)
        return true;
    tls = startup_registry_tls(c->settings, &err);
    if (!tls) {
        fprintf(stderr, "tidelock: registry_tls: %s\n", err.text);
        return false;
    }
    registry_set_tls(c, tls);
    error = registry_open_tls(c, &c->settings->registry_tls);
    if (error)
        fprintf(stderr, "tidelock: cannot listen for the registry with TLS: %s; see registry_tls.listen\n",
                strerror(-error));
    return error == 0;
}

static bool start_registry(struct control *c)
{
    int error = 0;

    registry_new(c);
    if (c->bare)
        return true;
    if (!c->settings->registry_tls_only)
        error = registry_open(c, &c->settings->registry);
    if (error)
        startup_say_listen("the registry", "registry", &c->settings->registry, error);
    return error == 0 && start_registry_tls(c);
}

static void announce(struct control *c, const struct startup_listeners *l)
{
    char text[ADDRESS_TEXT_SIZE];
    struct address at;

    for (unsigned i = 0; i < l->per_worker; i++) {
        address_format(&l->real[i], text);
        printf("listening %s %s\n", i < l->plain ? "http" : "https", text);
    }
    for (int tls = 0; tls <= 1; tls++) {
        if (registry_address(c, tls, &at) == 0) {
            address_format(&at, text);
            printf("listening registry%s %s\n", tls ? "_tls" : "", text);
        }
    }
    printf("ready workers=%u\n", c->worker_count);
    fflush(stdout);
}

/* From here on there are other threads. */
static bool start_contained(struct control *c)
{
    return contain(c) && open_log();
}

static bool start(struct control *c, struct config_set **routes)
{
    struct startup_listeners listeners = {0};
    unsigned workers = startup_worker_count(c->settings);
    bool ok, wakes;

    c->loop = ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV);
    CHECK(c->loop);
    wakes = mailbox_loop_wakes(c->loop);
    c->started_ms = clock_ms();
    mailbox_init(&c->mailbox, c->loop);
    c->shared.mailbox = &c->mailbox;
    c->shared.control = c;
    c->shared.on_circuit = circuits_on_notice;
    c->shared.on_panic = panic_on_notice;
    c->shared.on_policy = scripts_on_policy_notice;
    publish_init(c);
    probe_places_init(&c->probe_places);
    health_init(c);
    model_init(&c->model, c, workers);
    if (!wakes)
        fprintf(stderr, "tidelock: cannot watch descriptors: %s\n", strerror(ENOMEM));
    ok = wakes && start_backend_tls(c) && start_ratelimit(c) && start_room(c) && (c->bare || start_logs(c)) && start_scripts(c) &&
         (c->bare || certificates_start(c)) && start_resolver(c) && start_registry(c) &&
         startup_listen(c->settings, workers, &listeners);
    if (ok) {
        if (listeners.plain < listeners.per_worker)
            c->shared.https_port = address_port(&listeners.real[listeners.plain]);
        pages_render(c);
        model_set_static(&c->model, *routes);
        *routes = NULL;
        ok = c->bare || start_contained(c);
    }
    ok = ok && start_workers(c, workers, &listeners);
    if (ok && !c->bare) {
        give_back_follow(c);
        announce(c, &listeners);
    }
    startup_free_listeners(&listeners);
    return ok;
}

/* ---- end */

/* Also after a start that went halfway. */
static void end(struct control *c)
{
    if (c->workers_stopped < c->worker_count) {
        c->stopping = true;
        stop_workers(c, 0);
    }
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_join(c->workers[i]);
    for (unsigned i = 0; i < c->worker_count; i++)
        worker_free(c->workers[i]);
    end_room(c);
    mailbox_fini(&c->mailbox);
    scripts_stop(c);
    if (c->registry)
        registry_close(c);
    model_fini(&c->model);
    health_fini(c);
    resolve_fini(c);
    publish_fini(c);
    ratelimit_free(c->shared.ratelimit);
    page_book_unref(c->pages);
    backend_tls_free(c->backend_tls);
    certificates_stop(c);
    unwatch_signals(c);
    ev_timer_stop(c->loop, &c->give_back);
    ev_loop_destroy(c->loop);
    free(c->workers);
    free(c->worker_ends);
}

bool control_open(struct control *c)
{
    struct config_set *none = config_set_new();
    bool ok;

    c->bare = true;
    ok = start(c, &none);
    config_set_free(none);
    return ok;
}

void control_close(struct control *c)
{
    end(c);
}

int control_run(const struct cli *cli)
{
    struct control c = {.cli = cli};
    struct config_set *routes = NULL;
    char *problems = NULL;
    bool ok;

    crash_install("tidelock " TIDELOCK_VERSION);
    crash_attach(&c.trail, "control");
    check_own_thread(CHECK_CONTROL);
    block_signals(SIG_BLOCK);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR); /* a log that may grow no further is no reason to end */
    startup_raise_limits();
    c.settings = startup_settings(cli, &routes, &problems);
    if (!c.settings) {
        fprintf(stderr, "%s\n", problems);
        free(problems);
        return EXIT_CODE_FAILED;
    }
    ok = start(&c, &routes);
    if (ok) {
        watch_signals(&c);
        log_write(LOG_INFO, "started", "version=%s workers=%u", TIDELOCK_VERSION, c.worker_count);
        ev_run(c.loop, 0);
        log_write(LOG_INFO, "stopped", "requests=%llu", (unsigned long long)count_requests(&c));
    }
    end(&c);
    config_set_free(routes);
    settings_unref(c.settings);
    log_close();
    crash_detach(&c.trail);
    return ok ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

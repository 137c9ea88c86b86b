#include "control/descriptors.h"

#include "base/log.h"
#include "control/control.h"
#include "guard/descriptor_plan.h"

#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

enum { OF_WORKER = 2, OPEN_GUESS = 32 }; /* of its loop, made when it is */

static uint64_t limit_of_process(void)
{
    struct rlimit limit;

    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    return limit.rlim_cur;
}

/* The directory's own is counted, too; without /proc, or when it breaks off, a guess. */
static uint64_t count_open(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;

    if (!dir)
        return OPEN_GUESS;
    while (errno = 0, readdir(dir))
        count++;
    if (errno && count < OPEN_GUESS)
        count = OPEN_GUESS;
    closedir(dir);
    return count;
}

static void tell(const struct settings *settings, uint64_t limit, uint64_t open, const struct descriptor_plan *plan)
{
    uint64_t clients = settings->connections ? settings->connections : plan->clients;
    uint64_t needs = descriptor_plan_needs(open, settings->registry_connections, clients);

    log_write(LOG_DEBUG, "descriptors", "limit=%llu open=%llu reserve=%llu workers=%llu clients=%llu",
              (unsigned long long)limit, (unsigned long long)open, (unsigned long long)plan->reserve,
              (unsigned long long)plan->workers, (unsigned long long)clients);
    if (needs > limit && (settings->connections || plan->reserve < settings->registry_connections))
        log_write(LOG_WARN, "limits ask for more descriptors than there are",
                  "needs=%llu limit=%llu limits.connections=%llu limits.registry_connections=%llu",
                  (unsigned long long)needs, (unsigned long long)limit, (unsigned long long)clients,
                  (unsigned long long)settings->registry_connections);
}

void descriptors_share_out(struct control *c, unsigned workers)
{
    const struct settings *settings = c->settings;
    uint64_t limit = limit_of_process(), open = count_open() + (uint64_t)workers * OF_WORKER;
    struct descriptor_plan plan;

    descriptor_plan_make(&plan, limit, open, settings->registry_connections);
    c->shared.descriptors_most = plan.workers;
    c->shared.clients_most = plan.clients;
    c->registry_most = plan.registry;
    c->probe_places.most = (unsigned)plan.probes / PROBE_LANES;
    tell(settings, limit, open, &plan);
}

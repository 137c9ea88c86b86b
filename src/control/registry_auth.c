/* Who guesses tokens: counted, logged once a second at most, and made to wait. */
#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "control/registry_state.h"
#include "guard/guess_delay.h"

enum { LOG_EVERY_MS = 1000 };

void registry_auth_failed(struct connection *conn)
{
    struct registry *r = conn->registry;
    uint64_t now_ms = clock_ms();
    char peer[ADDRESS_TEXT_SIZE];
    uint8_t ip[16];

    ASSERT_CONTROL();
    r->control->counts.auth_failures++;
    r->guess_unlogged++;
    guesses_add(r->guesses, ip, address_ip_bytes(&conn->peer, ip), now_ms);
    if (r->guess_logged_ms && now_ms - r->guess_logged_ms < LOG_EVERY_MS)
        return;
    address_format(&conn->peer, peer);
    log_write(LOG_WARN, "[registry-v2] Wrong token", "peer=%s failures=%llu", peer,
              (unsigned long long)r->guess_unlogged);
    r->guess_logged_ms = now_ms;
    r->guess_unlogged = 0;
}

uint64_t registry_auth_wait_ms(const struct connection *conn)
{
    uint64_t now_ms = clock_ms(), delay_ms;
    uint8_t ip[16];
    size_t size = address_ip_bytes(&conn->peer, ip);

    ASSERT_CONTROL();
    delay_ms = guesses_delay_ms(conn->registry->guesses, ip, size, now_ms);
    return conn->spoke_ms + delay_ms > now_ms ? conn->spoke_ms + delay_ms - now_ms : 0;
}

/* Which connection speaks for which session. */
#include "base/clock.h"
#include "base/log.h"
#include "control/connection.h"
#include "control/control.h"
#include "tls/registry_context.h"

void connection_unbind(struct connection *conn)
{
    ASSERT_CONTROL();
    if (!conn->session)
        return;
    CHECK(conn->session->connection == conn);
    conn->session->connection = NULL;
    conn->session = NULL;
}

void connection_bind(struct connection *conn, struct session *s)
{
    struct session *left = conn->session;
    struct connection *replaced = s->connection;

    ASSERT_CONTROL();
    if (left == s)
        return;
    connection_unbind(conn);
    if (replaced)
        connection_unbind(replaced);
    conn->session = s;
    s->connection = conn;
    s->connected_wall_ms = clock_wall_ms();
    session_set_standing(s, SESSION_CONNECTED);
    if (replaced)
        connection_abort(replaced, CONNECTION_END_TAKEN_OVER);
    if (left)
        model_disconnected(&conn->control->model, left);
}

/* Is the service one of those that the certificate's name stands for? */
static bool stands_for(const struct settings *settings, const char *name, struct slice service)
{
    if (!settings->registry_services_set)
        return slice_eq(slice_str(name), service);
    for (unsigned i = 0; i < settings->registry_service_count; i++) {
        const struct registry_service *one = &settings->registry_services[i];

        if (strcmp(one->name, name) == 0 && slice_eq(slice_str(one->service), service))
            return true;
    }
    return false;
}

bool connection_may_be(const struct connection *conn, struct slice service, struct error *err)
{
    const struct tls_names *names = conn->certificate;
    size_t len;

    ASSERT_CONTROL();
    if (!names)
        return true;
    error_set(err, "unauthorized: certificate is for");
    for (unsigned i = 0; i < names->count; i++) {
        if (stands_for(conn->control->settings, names->name[i], service))
            return true;
        len = strlen(err->text);
        snprintf(err->text + len, sizeof(err->text) - len, "%s %s", i ? "," : "", names->name[i]);
    }
    len = strlen(err->text);
    if (!names->count)
        snprintf(err->text + len, sizeof(err->text) - len, " nobody");
    return false;
}

struct session *connection_register(struct connection *conn, struct slice service,
                                    struct slice instance, uint16_t maintenance_port,
                                    struct slice metadata)
{
    struct model *m = &conn->control->model;
    char left[SESSION_ID_SIZE] = "";
    struct session *s, *old;

    ASSERT_CONTROL();
    if (conn->session)
        memcpy(left, conn->session->id, sizeof(left));
    connection_unbind(conn);
    s = model_register(m, service, instance, maintenance_port, metadata);
    connection_bind(conn, s);
    old = model_find(m, slice_str(left));
    if (old)
        model_disconnected(m, old);
    return s;
}

bool connection_reconnect(struct connection *conn, struct slice id)
{
    struct session *s = model_find(&conn->control->model, id);

    ASSERT_CONTROL();
    if (!s)
        return false;
    if (conn->session != s)
        log_write(LOG_INFO, "[registry-v2] Session reconnected",
                  "session=%.8s service=%s instance=%s", s->id, s->service, s->instance);
    connection_bind(conn, s);
    return true;
}

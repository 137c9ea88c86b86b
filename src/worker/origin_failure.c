#include "worker/origin_failure.h"

#include "tls/tls_transport.h"
#include "worker/origin.h"

#include <errno.h>

enum verdict origin_failure_errno(int error)
{
    switch (error) {
    case -ECONNREFUSED:
        return VERDICT_CONNECT_REFUSED;
    case -ETIMEDOUT:
        return VERDICT_CONNECT_TIMEOUT;
    case -EPROTONOSUPPORT:
        return VERDICT_BACKEND_NO_HTTP2;
    case -EMFILE:
    case -ENFILE:
        return VERDICT_NO_DESCRIPTOR;
    case -ENOMEM:
        return VERDICT_NO_MEMORY;
    default:
        return VERDICT_CONNECT_FAILED;
    }
}

enum verdict origin_failure(const struct origin *o, const char **error)
{
    if (o->timed_out)
        return VERDICT_CONNECT_TIMEOUT;
    return o->error == -EPROTO ? origin_failure_tls(o, error) : origin_failure_errno(o->error);
}

bool origin_failure_is_alert(const struct origin *o)
{
    return tls_transport_failure(&o->conn.transport) == TLS_FAILURE_ALERT;
}

enum verdict origin_failure_tls(const struct origin *o, const char **error)
{
    const struct transport *t = &o->conn.transport;

    *error = o->tls_failure ? o->tls_error : tls_transport_error(t);
    switch (o->tls_failure ? o->tls_failure : (int)tls_transport_failure(t)) {
    case TLS_FAILURE_CERTIFICATE:
        return VERDICT_TLS_CERTIFICATE;
    case TLS_FAILURE_ALERT:
        return VERDICT_TLS_ALERT;
    default:
        return VERDICT_TLS_FAILED;
    }
}

#include "control/probe_target.h"

#include "base/need.h"
#include "control/backend_tls.h"
#include "control/control.h"
#include "control/resolve.h"

#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_EXTRA = 128 }; /* bytes of a request beside path and authority */

static void compose_request(struct probe_target *t)
{
    struct slice path = t->url.path.len ? t->url.path : SLICE("/");
    size_t size = path.len + t->url.authority.len + REQUEST_EXTRA;

    t->request = need(size);
    t->request_len = (size_t)snprintf(t->request, size,
                                      "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: tidelock\r\n"
                                      "Accept: */*\r\nConnection: close\r\n\r\n",
                                      SLICE_ARGS(path), SLICE_ARGS(t->url.authority));
    CHECK(t->request_len < size);
}

static void set_tls(struct probe_target *t, const struct backend_tls_choice *tls)
{
    static const struct backend_tls_choice reporting;
    struct slice name = backend_tls_name(tls ? tls : &reporting, &t->url, &t->tls_name_is_ip);

    t->tls_name = need_copy(name);
    if (!tls)
        return;
    t->choice = need(sizeof(*t->choice));
    *t->choice = backend_tls_copy(tls);
}

const struct tls_client *probe_target_tls(const struct probe_target *t)
{
    return backend_tls_client(t->control->backend_tls, t->choice, url_is_http2(&t->url));
}

struct probe_target *probe_target_new(struct control *c, struct slice url, const struct backend_tls_choice *tls,
                                      struct error *err)
{
    struct probe_target *t = need_zeroed(1, sizeof(*t));
    struct error reason;

    ASSERT_CONTROL();
    t->control = c;
    t->text = need_copy(url);
    if (!url_parse(slice_str(t->text), &t->url, &reason)) {
        (void)error_set(err, "url%s", reason.text + strcspn(reason.text, ":"));
        probe_target_free(t);
        return NULL;
    }
    t->tls = url_is_tls(&t->url);
    if (t->tls)
        set_tls(t, tls);
    compose_request(t);
    if (!t->url.host_is_ip)
        t->name = resolve_hold(c, t->url.host);
    return t;
}

void probe_target_free(struct probe_target *t)
{
    ASSERT_CONTROL();
    if (!t)
        return;
    if (t->name)
        resolve_drop(t->control, t->name);
    if (t->choice)
        backend_tls_choice_fini(t->choice);
    free(t->choice);
    free(t->tls_name);
    free(t->text);
    free(t->request);
    free(t);
}

#include "control/probe_target.h"

#include "control/control.h"
#include "control/resolve.h"

#include <stdio.h>
#include <stdlib.h>

enum { REQUEST_EXTRA = 128 }; /* bytes of a request beside path and authority */

static void compose_request(struct probe_target *t)
{
    struct slice path = t->url.path.len ? t->url.path : SLICE("/");
    size_t size = path.len + t->url.authority.len + REQUEST_EXTRA;

    t->request = malloc(size);
    CHECK(t->request);
    t->request_len = (size_t)snprintf(t->request, size,
                                      "GET %.*s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: tidelock\r\n"
                                      "Accept: */*\r\nConnection: close\r\n\r\n",
                                      SLICE_ARGS(path), SLICE_ARGS(t->url.authority));
    CHECK(t->request_len < size);
}

struct probe_target *probe_target_new(struct control *c, struct slice url, struct error *err)
{
    struct probe_target *t = calloc(1, sizeof(*t));
    struct error reason;

    ASSERT_CONTROL();
    CHECK(t);
    t->control = c;
    t->text = strndup(url.data ? url.data : "", url.len);
    CHECK(t->text);
    if (!url_parse(slice_str(t->text), &t->url, &reason)) {
        (void)error_set(err, "url%s", reason.text + strcspn(reason.text, ":"));
        probe_target_free(t);
        return NULL;
    }
    t->tls = t->url.scheme == URL_HTTPS || t->url.scheme == URL_WSS || t->url.scheme == URL_H2;
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
    free(t->text);
    free(t->request);
    free(t);
}

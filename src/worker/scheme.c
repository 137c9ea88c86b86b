#include "worker/scheme.h"

#include "http/field_list.h"
#include "tls/tls_facts.h"
#include "worker/client.h"
#include "worker/forward.h"
#include "worker/request.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TARGET_MAX = 12 * 1024, TOKEN_MAX = 255, ANSWER_MAX = 4096, HTTPS_PORT = 443 };

/* ---- ACME: GET /.well-known/acme-challenge/TOKEN (RFC 8555 8.3) */

static const struct slice challenge_path = SLICE_INIT("/.well-known/acme-challenge/");

/* base64url, so no dot and no slash. */
static bool is_token(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char ch = text.data[i];

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '-' ||
              ch == '_'))
            return false;
    }
    return text.len > 0 && text.len <= TOKEN_MAX;
}

/* The file of a token, for free; NULL: none that could be an answer. It is small and was written a moment ago: reading
 * it does not wait. */
static char *read_answer(const char *directory, struct slice token, uint32_t *len)
{
    char path[4096], *text = NULL;
    ssize_t got = -1;
    struct stat st;
    int fd;

    if (snprintf(path, sizeof(path), "%s/%.*s", directory, SLICE_ARGS(token)) >= (int)sizeof(path))
        return NULL;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= ANSWER_MAX)
        text = malloc(ANSWER_MAX);
    if (text)
        got = read(fd, text, ANSWER_MAX);
    close(fd);
    if (got < 0) {
        free(text);
        return NULL;
    }
    *len = (uint32_t)got;
    return text;
}

static enum verdict answer_challenge(struct request *rq, const char *directory)
{
    struct slice token = slice_skip(rq->path, challenge_path.len);
    bool reads = rq->head.method == METHOD_GET || rq->head.method == METHOD_HEAD;

    if (reads && is_token(token))
        rq->file = read_answer(directory, token, &rq->file_len);
    return rq->file ? VERDICT_ACME_ANSWER : VERDICT_NO_CHALLENGE;
}

/* ---- redirects */

/* A proxy in front of us that is trusted may have spoken TLS in our place. */
static bool came_secure(const struct request *rq, const struct settings *s)
{
    const struct http_field *proto = http_head_find(&rq->head, FIELD_X_FORWARDED_PROTO);

    return proto && slice_eq_nocase(proto->value, SLICE("https")) && forward_is_trusted(s, &rq->client->peer);
}

static enum verdict redirect(const struct request *rq, const struct settings *s)
{
    if (came_secure(rq, s))
        return VERDICT_PASS;
    if (!rq->host.len)
        return VERDICT_BAD_REQUEST;
    if (rq->head.path.len > TARGET_MAX)
        return VERDICT_TARGET_TOO_LONG;
    return s->redirect_https == REDIRECT_308 ? VERDICT_REDIRECT_308 : VERDICT_REDIRECT_301;
}

void scheme_location(const struct request *rq, struct field_list *out)
{
    uint16_t port = rq->worker->shared->https_port;
    uint32_t start = out->text_len;
    char text[8];

    field_list_text(out, SLICE("https://"));
    field_list_text(out, rq->host);
    if (port != HTTPS_PORT)
        field_list_text(out, slice_of(text, (size_t)snprintf(text, sizeof(text), ":%u", port)));
    field_list_text(out, rq->head.path.data[0] == '*' ? SLICE("/") : rq->head.path);
    field_list_add(out, SLICE("Location"), slice_of(out->text + start, out->text_len - start));
}

/* ---- client certificates */

/* Who asked for one name and then for another must not get in by what was right for the first (RFC 9110 15.5.20). */
static bool is_misdirected(const struct request *rq)
{
    struct slice asked = rq->client->tls->name;

    return asked.len && !slice_eq_nocase(asked, rq->host);
}

enum verdict scheme_check(struct request *rq)
{
    const struct settings *s = rq->lease->snapshot->settings;

    if (rq->client->secure) {
        if (s->tls.client_certificates != TLS_CLIENT_CERTIFICATES_REQUIRED)
            return VERDICT_PASS;
        return is_misdirected(rq) ? VERDICT_MISDIRECTED : VERDICT_PASS;
    }
    if (s->acme_directory && slice_starts(rq->path, challenge_path))
        return answer_challenge(rq, s->acme_directory);
    if (s->redirect_https == REDIRECT_OFF || slice_starts(rq->path, challenge_path))
        return VERDICT_PASS;
    return redirect(rq, s);
}

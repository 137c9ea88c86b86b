#include "worker/target.h"

#include "http/path.h"
#include "worker/request.h"

#include <stdlib.h>

static struct slice without_query(struct slice path)
{
    const char *query = memchr(path.data, '?', path.len);

    return query ? slice_of(path.data, (size_t)(query - path.data)) : path;
}

/* Rare: the path is spelled in another way, or holds what has to be looked at. */
static SELDOM enum verdict read_form(struct request *rq, struct slice path)
{
    struct slice query = slice_skip(rq->head.path, path.len);
    struct path_result form;
    char *text = malloc(rq->head.path.len);

    if (!text)
        return VERDICT_NO_MEMORY;
    rq->own_path = text;
    switch (path_normalise(path, text, &form)) {
    case PATH_REFUSED:
        rq->error = form.error;
        return VERDICT_BAD_PATH;
    case PATH_MADE:
        if (query.len)
            memcpy(text + form.len, query.data, query.len);
        rq->head.path = slice_of(text, form.len + query.len);
        break;
    case PATH_PLAIN:
        break;
    }
    rq->separators = form.separators;
    return VERDICT_PASS;
}

enum verdict target_read(struct request *rq)
{
    enum verdict verdict = VERDICT_PASS;
    struct slice path = without_query(rq->head.path);

    rq->host = rq->head.host.len ? rq->head.host_name : SLICE("");
    rq->path = SLICE("/");
    if (path.data[0] == '*')
        return VERDICT_PASS;
    if (UNLIKELY(!rq->own_path && !path_is_simple(path)))
        verdict = read_form(rq, path);
    rq->path = without_query(rq->head.path);
    return verdict;
}

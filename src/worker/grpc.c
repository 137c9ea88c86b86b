#include "worker/grpc.h"

#include "http/field_list.h"
#include "http/head.h"

bool grpc_is_call(const struct http_head *request)
{
    static const struct slice type = SLICE_INIT("application/grpc");

    for (unsigned i = 0; i < request->field_count; i++) {
        struct slice value = request->fields[i].value;

        if (!slice_eq_nocase(request->fields[i].name, SLICE("content-type")))
            continue;
        if (value.len < type.len || !slice_eq_nocase(slice_of(value.data, type.len), type))
            return false;
        return value.len == type.len || memchr("+; \t", value.data[type.len], 4);
    }
    return false;
}

static struct slice status_of(int http_status)
{
    switch (http_status) {
    case 400:
        return SLICE("13");
    case 401:
        return SLICE("16");
    case 403:
        return SLICE("7");
    case 404:
    case 501:
    case 505:
        return SLICE("12");
    case 408:
    case 504:
        return SLICE("4");
    case 413:
    case 414:
    case 429:
    case 431:
        return SLICE("8");
    case 502:
    case 503:
        return SLICE("14");
    default:
        return SLICE("2");
    }
}

void grpc_answer_fields(int status, struct slice message, struct field_list *out)
{
    field_list_add(out, SLICE("Content-Type"), SLICE("application/grpc"));
    field_list_add(out, SLICE("grpc-status"), status_of(status));
    field_list_add(out, SLICE("grpc-message"), message);
}

#include "control/config_check.h"

#include "config/options.h"
#include "http/head.h"

/* Letters, digits, "-" and "_" in labels of 1 to 63 joined by dots; copies in lower case. */
static bool copy_name(struct slice name, char *out)
{
    size_t label = 0;

    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if (c == '.') {
            if (label == 0 || out[i - 1] == '-')
                return false;
            label = 0;
        } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                   (c == '-' && label > 0)) {
            if (++label > 63)
                return false;
        } else {
            return false;
        }
        out[i] = c;
    }
    out[name.len] = '\0';
    return label > 0 && out[name.len - 1] != '-';
}

bool config_check_domain(struct slice text, char out[DOMAIN_SIZE], struct error *err)
{
    struct slice name = text;
    size_t prefix = 0;

    if (slice_eq(text, SLICE("*"))) {
        memcpy(out, "*", 2);
        return true;
    }
    if (slice_starts(text, SLICE("*."))) {
        memcpy(out, "*.", 2);
        prefix = 2;
        name = slice_of(text.data + 2, text.len - 2);
    }
    if (name.len > 1 && name.data[name.len - 1] == '.')
        name.len--;
    if (name.len == 0 || name.len > 253 || !copy_name(name, out + prefix))
        return error_set(err, "domains: \"%.*s\" is neither a host name nor *.example.com nor *",
                         (int)(text.len > 100 ? 100 : text.len), text.data);
    return true;
}

bool config_check_path(const char *field, struct slice path, struct error *err)
{
    if (path.len == 0 || path.data[0] != '/')
        return error_set(err, "%s: has to start with /", field);
    if (path.len > PATH_LENGTH_MAX)
        return error_set(err, "%s: longer than %d bytes", field, PATH_LENGTH_MAX);
    for (size_t i = 0; i < path.len; i++) {
        if (path.data[i] <= ' ' || path.data[i] == 0x7f)
            return error_set(err, "%s: may hold printable ASCII only, write others as %%XX", field);
        if (path.data[i] == '?' || path.data[i] == '#')
            return error_set(err, "%s: may not hold a query or a fragment", field);
    }
    return true;
}

bool config_check_backend(struct slice text, struct url *out, struct error *err)
{
    if (text.len > URL_LENGTH_MAX)
        return error_set(err, "backend_url: longer than %d bytes", URL_LENGTH_MAX);
    return url_parse(text, out, err);
}

bool config_check_priority(int64_t priority, struct error *err)
{
    if (priority < -PRIORITY_MAX || priority > PRIORITY_MAX)
        return error_set(err, "priority: has to be between -%d and %d", PRIORITY_MAX, PRIORITY_MAX);
    return true;
}

/* Fields by which a message is framed are the proxy's own. */
static bool is_framing(enum http_field_id id)
{
    return id == FIELD_CONNECTION || id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING ||
           id == FIELD_TE || id == FIELD_TRAILER || id == FIELD_UPGRADE || id == FIELD_KEEP_ALIVE ||
           id == FIELD_PROXY_CONNECTION;
}

static bool check_header(struct slice name, struct slice value, struct error *err)
{
    if (name.len > KEY_LENGTH_MAX)
        return error_set(err, "name: longer than %d bytes", KEY_LENGTH_MAX);
    if (!http_is_token(name))
        return error_set(err, "name: \"%.*s\" is not a header name", SLICE_ARGS(name));
    if (is_framing(http_field_id(name)))
        return error_set(err, "name: %.*s is the proxy's own to set", SLICE_ARGS(name));
    if (!http_is_field_value(value))
        return error_set(err, "value: not a header value");
    return true;
}

static bool check_option(struct slice key, struct slice value, struct error *err)
{
    const struct option_info *option = option_find(key);
    union option_value parsed;

    if (!option)
        return error_set(err, "unknown option: %.*s", SLICE_ARGS(slice_cut(key, 100)));
    return option_parse(option, value, &parsed, err);
}

static bool is_number(struct slice text, bool zero)
{
    bool positive = false;

    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        if (text.data[i] != '0')
            positive = true;
    }
    return text.len > 0 && text.len <= 15 && (zero || positive);
}

/* Each of the names is a field of value, a whole number above 0. */
static bool check_numbers(struct slice value, const char *const names[], unsigned count,
                          struct error *err)
{
    struct slice rest = value, part;
    unsigned i;

    for (i = 0; i < count; i++) {
        if (!slice_split(&rest, '|', &part) || !is_number(part, false))
            return error_set(err, "%s: has to be more than 0", names[i]);
    }
    if (rest.data)
        return error_set(err, "%s: more than one value", names[count - 1]);
    return true;
}

static bool check_health(struct slice value, struct error *err)
{
    static const char *const names[] = {"interval", "timeout"};
    struct slice rest = value, path;

    if (!slice_split(&rest, '|', &path) || !rest.data)
        return error_set(err, "path, interval and timeout are needed");
    return config_check_path("path", path, err) && check_numbers(rest, names, 2, err);
}

bool config_check_setting(enum scope scope, struct slice key, struct slice value, struct error *err)
{
    static const char *const ratelimit[] = {"requests", "window"};
    static const char *const circuit[] = {"threshold", "timeout", "half_open_requests"};

    switch (scope) {
    case SCOPE_HEADERS:
        return check_header(key, value, err);
    case SCOPE_OPTIONS:
        return check_option(key, value, err);
    case SCOPE_HEALTH:
        return check_health(value, err);
    case SCOPE_RATELIMIT:
        return check_numbers(value, ratelimit, 2, err);
    case SCOPE_CIRCUIT:
        return check_numbers(value, circuit, 3, err);
    case SCOPE_ROUTES:
    case SCOPES:
        break;
    }
    return error_set(err, "scope: takes no settings");
}

#include "http/accept.h"

#include "base/check.h"
#include "http/head.h"

enum { WEIGHT_MAX = 1000, MATCH_NONE = 0, MATCH_ANY, MATCH_KIND, MATCH_TYPE };

/* What the ranges read so far say about one type. */
struct rating {
    int weight;        /* q in thousandths */
    int match;         /* MATCH_: how closely the range that said so names it */
    unsigned position; /* of that range */
};

/* Takes the part before the next sep that is not quoted off the front of *rest. */
static bool next_part(struct slice *rest, char sep, struct slice *part)
{
    bool quoted = false;
    size_t i;

    if (!rest->data)
        return false;
    for (i = 0; i < rest->len && (quoted || rest->data[i] != sep); i++) {
        if (rest->data[i] == '"')
            quoted = !quoted;
        else if (quoted && rest->data[i] == '\\' && i + 1 < rest->len)
            i++;
    }
    *part = slice_trim(slice_of(rest->data, i));
    if (i < rest->len)
        *rest = slice_of(rest->data + i + 1, rest->len - i - 1);
    else
        *rest = slice_of(NULL, 0);
    return true;
}

/* "0.25" to 250; false when it is no weight (RFC 9110 12.4.2). */
static bool read_weight(struct slice text, int *weight)
{
    int digit = WEIGHT_MAX;

    if (text.len == 0 || text.len > 5 || text.data[0] < '0' || text.data[0] > '1')
        return false;
    if (text.len > 1 && text.data[1] != '.')
        return false;
    *weight = (text.data[0] - '0') * WEIGHT_MAX;
    for (size_t i = 2; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        digit /= 10;
        *weight += (text.data[i] - '0') * digit;
    }
    return *weight <= WEIGHT_MAX;
}

/* Reads the weight out of the parameters of a range; false when it is malformed. */
static bool read_parameters(struct slice rest, int *weight)
{
    struct slice parameter;

    *weight = WEIGHT_MAX;
    while (next_part(&rest, ';', &parameter)) {
        if (parameter.len < 2 || (parameter.data[0] | 0x20) != 'q' || parameter.data[1] != '=')
            continue;
        return read_weight(slice_of(parameter.data + 2, parameter.len - 2), weight);
    }
    return true;
}

/* Splits "text/html"; false when it is no media range. */
static bool split_range(struct slice range, struct slice *kind, struct slice *name)
{
    bool any_kind;

    if (!slice_split(&range, '/', kind) || !range.data)
        return false;
    *name = range;
    any_kind = slice_eq(*kind, SLICE("*"));
    return http_is_token(*kind) && http_is_token(*name) &&
           (!any_kind || slice_eq(*name, SLICE("*")));
}

static int match(struct slice kind, struct slice name, struct slice type)
{
    struct slice type_kind = {"", 0};

    if (slice_eq(kind, SLICE("*")))
        return MATCH_ANY;
    (void)slice_split(&type, '/', &type_kind);
    if (!slice_eq_nocase(kind, type_kind))
        return MATCH_NONE;
    if (slice_eq(name, SLICE("*")))
        return MATCH_KIND;
    return slice_eq_nocase(name, type) ? MATCH_TYPE : MATCH_NONE;
}

/* Lets one range say what it has to say about each type. */
static void apply_range(struct slice element, unsigned position, const struct slice *types,
                        unsigned type_count, struct rating *ratings)
{
    struct slice range, kind, name;
    int weight;

    if (!next_part(&element, ';', &range) || !split_range(range, &kind, &name) ||
        !read_parameters(element, &weight))
        return;
    for (unsigned i = 0; i < type_count; i++) {
        int how = match(kind, name, types[i]);

        if (how > ratings[i].match)
            ratings[i] = (struct rating){weight, how, position};
    }
}

static bool is_better(const struct rating *a, const struct rating *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight;
    if (a->match != b->match)
        return a->match > b->match;
    return a->position < b->position;
}

unsigned accept_choose(const struct slice *values, unsigned value_count, const struct slice *types,
                       unsigned type_count, unsigned fallback)
{
    struct rating ratings[ACCEPT_TYPES_MAX] = {{0, MATCH_NONE, 0}};
    unsigned best = fallback, position = 0;

    CHECK(type_count <= ACCEPT_TYPES_MAX && fallback < type_count);
    for (unsigned i = 0; i < value_count; i++) {
        struct slice rest = values[i], element;

        while (next_part(&rest, ',', &element))
            apply_range(element, position++, types, type_count, ratings);
    }
    for (unsigned i = 0; i < type_count; i++) {
        if (is_better(&ratings[i], &ratings[best]))
            best = i;
    }
    return ratings[best].weight ? best : fallback;
}

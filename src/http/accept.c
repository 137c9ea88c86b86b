#include "http/accept.h"

#include "base/check.h"
#include "http/head.h"
#include "http/weight.h"

enum { MATCH_NONE = 0, MATCH_ANY, MATCH_KIND, MATCH_TYPE };

/* What the ranges read so far say about one type. */
struct rating {
    int weight;        /* q in thousandths */
    int match;         /* MATCH_: how closely the range that said so names it */
    unsigned position; /* of that range */
};

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

    if (!weight_next_part(&element, ';', &range) || !split_range(range, &kind, &name) ||
        !weight_read(element, &weight))
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

        while (weight_next_part(&rest, ',', &element))
            apply_range(element, position++, types, type_count, ratings);
    }
    for (unsigned i = 0; i < type_count; i++) {
        if (is_better(&ratings[i], &ratings[best]))
            best = i;
    }
    return ratings[best].weight ? best : fallback;
}

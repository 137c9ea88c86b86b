#include "http/accept_encoding.h"

#include "base/check.h"
#include "http/head.h"
#include "http/weight.h"

enum { WEIGHT_UNSAID = -1, IDENTITY = ACCEPT_ENCODING_OFFERS_MAX, ANY, RATINGS };

static const struct slice x_gzip = SLICE_INIT("x-gzip"), gzip = SLICE_INIT("gzip");

/* The place of a coding in the ratings; RATINGS: one that is not on offer. */
static unsigned place_of(struct slice name, const struct slice *offers, unsigned offer_count)
{
    if (slice_eq_nocase(name, x_gzip)) /* an old name of the same, RFC 9110 8.4.1.3 */
        name = gzip;
    for (unsigned i = 0; i < offer_count; i++)
        if (slice_eq_nocase(name, offers[i]))
            return i;
    if (slice_eq_nocase(name, SLICE("identity")))
        return IDENTITY;
    return slice_eq(name, SLICE("*")) ? ANY : RATINGS;
}

static void read_field(struct slice value, const struct slice *offers, unsigned offer_count, int *ratings)
{
    struct slice element, name;

    while (weight_next_part(&value, ',', &element)) {
        unsigned place;
        int weight;

        if (!weight_next_part(&element, ';', &name) || !http_is_token(name) || !weight_read(element, &weight))
            continue;
        place = place_of(name, offers, offer_count);
        if (place < RATINGS && (ratings[place] == WEIGHT_UNSAID || weight < ratings[place]))
            ratings[place] = weight;
    }
}

unsigned accept_encoding_choose(const struct slice *values, unsigned value_count, const struct slice *offers,
                                unsigned offer_count)
{
    int ratings[RATINGS], least = 1;
    unsigned best = offer_count;

    CHECK(offer_count <= ACCEPT_ENCODING_OFFERS_MAX);
    for (unsigned i = 0; i < RATINGS; i++)
        ratings[i] = WEIGHT_UNSAID;
    for (unsigned i = 0; i < value_count; i++)
        read_field(values[i], offers, offer_count, ratings);
    if (ratings[IDENTITY] > least)
        least = ratings[IDENTITY];
    for (unsigned i = 0; i < offer_count; i++) {
        int weight = ratings[i] == WEIGHT_UNSAID ? ratings[ANY] : ratings[i];

        if (weight >= least) {
            best = i;
            least = weight + 1;
        }
    }
    return best;
}

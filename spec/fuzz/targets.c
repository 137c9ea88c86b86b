#include "spec/fuzz/fuzz.h"

#include <stdlib.h>

#define FUZZ_ROW(name, max_len) {#name, fuzz_##name, max_len},
const struct fuzz_target fuzz_targets[] = {FUZZ_TARGETS(FUZZ_ROW){0}};
#undef FUZZ_ROW

const struct fuzz_target *fuzz_find(const char *name)
{
    for (const struct fuzz_target *t = fuzz_targets; t->name; t++) {
        if (strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

struct slice fuzz_copy(struct slice text)
{
    char *block = malloc(text.len);

    CHECK(block || !text.len);
    if (text.len)
        memcpy(block, text.data, text.len);
    return slice_of(block, text.len);
}

uint8_t fuzz_take(struct slice *input)
{
    uint8_t first;

    if (!input->len)
        return 0;
    first = (uint8_t)input->data[0];
    *input = slice_skip(*input, 1);
    return first;
}

bool fuzz_same(struct slice a, struct slice b)
{
    return !a.data == !b.data && slice_eq(a, b);
}

bool fuzz_within(struct slice part, struct slice whole)
{
    return part.data >= whole.data && part.len <= whole.len &&
           (size_t)(part.data - whole.data) <= whole.len - part.len;
}

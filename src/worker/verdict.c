#include "worker/verdict.h"

#define TEXT(literal) {(literal), sizeof(literal) - 1}

const struct verdict_info verdict_table[VERDICT_COUNT] = {
#define VERDICT_ROW(id, status, name, error, text) \
    [VERDICT_##id] = {status, TEXT(name), TEXT(error), TEXT(text)},
    VERDICTS(VERDICT_ROW)
#undef VERDICT_ROW
};

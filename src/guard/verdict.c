#include "guard/verdict.h"

#define TEXT(literal) {(literal), sizeof(literal) - 1}

const struct verdict_info verdict_table[VERDICT_COUNT] = {
#define VERDICT_ROW(id, status_code, log_name, error, sentence) \
    [VERDICT_##id].status = (status_code), [VERDICT_##id].name = TEXT(log_name), \
    [VERDICT_##id].error_type = TEXT(error), [VERDICT_##id].text = TEXT(sentence),
    VERDICTS(VERDICT_ROW)
#undef VERDICT_ROW
#define VERDICT_FIELD(id, field_name, value) \
    [VERDICT_##id].field = TEXT(field_name), [VERDICT_##id].field_value = TEXT(value),
    VERDICT_FIELDS(VERDICT_FIELD)
#undef VERDICT_FIELD
};

enum { RETRY_MAINTENANCE_S = 300, RETRY_S = 5 };

unsigned verdict_retry_after_s(enum verdict verdict)
{
    int status = verdict_table[verdict].status;

    if (verdict == VERDICT_MAINTENANCE)
        return RETRY_MAINTENANCE_S;
    return status == 503 || status == 429 ? RETRY_S : 0;
}

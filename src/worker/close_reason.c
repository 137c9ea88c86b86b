#include "worker/close_reason.h"

static const char *const texts[CLOSE_REASON_COUNT] = {
#define CLOSE_REASON_TEXT(id, text) [CLOSE_##id] = text,
    CLOSE_REASONS(CLOSE_REASON_TEXT)
#undef CLOSE_REASON_TEXT
};

static const char *const names[CLOSE_REASON_COUNT] = {
#define CLOSE_REASON_NAME(id, text) [CLOSE_##id] = #id,
    CLOSE_REASONS(CLOSE_REASON_NAME)
#undef CLOSE_REASON_NAME
};

const char *close_reason_text(enum close_reason reason)
{
    return texts[reason];
}

const char *close_reason_name(enum close_reason reason)
{
    return names[reason];
}

#include "worker/close_reason.h"

static const char *const texts[CLOSE_REASON_COUNT] = {
#define CLOSE_REASON_TEXT(id, text) [CLOSE_##id] = text,
    CLOSE_REASONS(CLOSE_REASON_TEXT)
#undef CLOSE_REASON_TEXT
};

const char *close_reason_text(enum close_reason reason)
{
    return texts[reason];
}

#include "control/line.h"

#include "base/utf8.h"

#include <stdint.h>

const char *line_check(struct slice line)
{
    const uint8_t *s = (const uint8_t *)line.data;
    size_t size;

    for (size_t i = 0; i < line.len; i += size) {
        if (s[i] < 0x20 || s[i] == 0x7f)
            return "invalid character";
        size = utf8_sequence(line.data + i, line.len - i);
        if (size == 0)
            return "invalid utf-8";
    }
    return NULL;
}

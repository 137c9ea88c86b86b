#include "base/utf8.h"

#include <stdint.h>

size_t utf8_sequence(const char *text, size_t len)
{
    const uint8_t *s = (const uint8_t *)text;
    uint8_t low = 0x80, high = 0xbf;
    size_t size;

    if (s[0] < 0x80)
        return 1;
    if (s[0] >= 0xc2 && s[0] <= 0xdf)
        size = 2;
    else if ((s[0] & 0xf0) == 0xe0)
        size = 3;
    else if (s[0] >= 0xf0 && s[0] <= 0xf4)
        size = 4;
    else
        return 0;
    if (len < size)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    else if (s[0] == 0xed)
        high = 0x9f;
    else if (s[0] == 0xf0)
        low = 0x90;
    else if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    }
    return size;
}

#include "http/weight.h"

bool weight_next_part(struct slice *rest, char sep, struct slice *part)
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

/* "0.25" to 250; false when it is no weight. */
static bool read_number(struct slice text, int *weight)
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

bool weight_read(struct slice parameters, int *weight)
{
    struct slice parameter;

    *weight = WEIGHT_MAX;
    while (weight_next_part(&parameters, ';', &parameter)) {
        if (parameter.len < 2 || (parameter.data[0] | 0x20) != 'q' || parameter.data[1] != '=')
            continue;
        return read_number(slice_of(parameter.data + 2, parameter.len - 2), weight);
    }
    return true;
}

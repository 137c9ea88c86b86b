#include "http/field_list.h"

struct slice field_list_find(const struct field_list *l, struct slice name)
{
    for (unsigned i = 0; i < l->count; i++)
        if (slice_eq_nocase(l->field[i].name, name))
            return l->field[i].value;
    return slice_of(NULL, 0);
}

void field_list_remove(struct field_list *l, struct slice name)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < l->count; i++) {
        if (slice_eq_nocase(l->field[i].name, name))
            continue;
        if (kept != i)
            l->field[kept] = l->field[i];
        kept++;
    }
    l->count = kept;
}

static struct slice copy(struct field_list *l, struct slice s)
{
    uint32_t start = l->text_len;

    field_list_text(l, s);
    return slice_of(l->text + start, l->text_len - start);
}

void field_list_copy(struct field_list *l, struct slice name, struct slice value)
{
    name = copy(l, name);
    field_list_add(l, name, copy(l, value));
}

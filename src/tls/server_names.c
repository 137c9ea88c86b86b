#include "tls/server_names.h"

#include "base/need.h"

#include <stdlib.h>

enum { NAME_SIZE = 256 };

static struct server_choice *choice_at(struct map *names, struct slice name)
{
    struct server_choice *choice = map_get(names, name);

    if (choice)
        return choice;
    choice = need_zeroed(1, sizeof(*choice));
    (void)map_set(names, name, choice);
    return choice;
}

void server_names_add(struct map *names, struct certificate *c)
{
    for (unsigned i = 0; i < c->name_count; i++) {
        struct server_choice *choice = choice_at(names, slice_str(c->names[i]));

        if (!choice->of[c->kind])
            choice->of[c->kind] = c;
    }
}

/* That of "*." in the place of the first label; a wildcard covers one label, never none and never two (RFC 6125 6.4.3). */
static struct server_choice *covering(const struct map *names, struct slice name)
{
    const char *dot = name.len ? memchr(name.data, '.', name.len) : NULL;
    char wildcard[NAME_SIZE + 1];
    size_t rest;

    if (!dot || dot == name.data || name.data[0] == '*')
        return NULL;
    rest = name.len - (size_t)(dot - name.data);
    if (rest >= NAME_SIZE)
        return NULL;
    wildcard[0] = '*';
    memcpy(wildcard + 1, dot, rest);
    return map_get(names, slice_of(wildcard, rest + 1));
}

void server_names_fill(struct map *names)
{
    struct slice name;
    size_t cursor = 0;
    void *value;

    while (map_next(names, &cursor, &name, &value)) {
        struct server_choice *own = value, *wide = covering(names, name);

        for (int kind = 0; wide && kind < CERTIFICATE_KINDS; kind++)
            if (!own->of[kind])
                own->of[kind] = wide->of[kind];
    }
}

struct server_choice *server_names_find(const struct map *names, struct slice name)
{
    struct server_choice *own = map_get(names, name);

    return own ? own : covering(names, name);
}

void server_names_free(struct map *names)
{
    size_t cursor = 0;
    void *value;

    if (!names)
        return;
    while (map_next(names, &cursor, NULL, &value))
        free(value);
    map_free(names);
}

/* field_list.h - the fields of a head about to be sent, as slices, whatever the wire format.
 *
 * Thread: a worker's (it has one, as scratch). Ownership: slices point into the message they come
 * from, into configuration, or into text; all valid until the head is composed. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "http/head.h"
#endif

enum { FIELD_LIST_MAX = HTTP_FIELDS_MAX + 64, FIELD_LIST_TEXT = 16 * 1024 };

struct field_list {
    unsigned count;
    bool overflow;    /* something did not fit: the head must not be sent */
    uint32_t text_len;
    struct {
        struct slice name, value;
    } field[FIELD_LIST_MAX];
    char text[FIELD_LIST_TEXT]; /* values made here */
};

#ifndef FFI_CDEF
static inline void field_list_reset(struct field_list *l)
{
    l->count = 0;
    l->text_len = 0;
    l->overflow = false;
}

static inline void field_list_add(struct field_list *l, struct slice name, struct slice value)
{
    if (l->count == FIELD_LIST_MAX) {
        l->overflow = true;
        return;
    }
    l->field[l->count].name = name;
    l->field[l->count++].value = value;
}

/* Appends to the text under construction. */
static inline void field_list_text(struct field_list *l, struct slice s)
{
    if (FIELD_LIST_TEXT - l->text_len < s.len) {
        l->overflow = true;
        return;
    }
    memcpy(l->text + l->text_len, s.data, s.len);
    l->text_len += (uint32_t)s.len;
}
#endif

/* The value of the first field of this name; absent when there is none. */
struct slice field_list_find(const struct field_list *l, struct slice name);

/* Takes all fields of this name out; the others keep their order. */
void field_list_remove(struct field_list *l, struct slice name);

/* Adds a field whose name and value are copied into text. */
void field_list_copy(struct field_list *l, struct slice name, struct slice value);

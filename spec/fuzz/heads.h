/* heads.h - what targets do with heads that were read: comparing them, and writing them as HTTP/1 again.
 *
 * Thread: one. */
#pragma once
#include "http/parse.h"
#include "http/write.h"

/* Limits that nothing reaches which the targets write. */
extern const struct http_limits heads_wide;

/* Aborts unless both say the same in all that matters to who uses them. */
void heads_check_same(const struct http_head *a, const struct http_head *b);

/* Aborts unless every field can be written as it is. */
void heads_check_fields(const struct http_head *head);

/* Appends the fields, one line each, and the empty line. Those of the id `without` are left out; FIELD_OTHER: none. */
void heads_write_fields(struct writer *w, const struct http_head *head, enum http_field_id without);

/* Aborts unless a request, written as HTTP/1, is one, and says the same. */
void heads_check_request(const struct http_head *head);

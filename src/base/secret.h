/* secret.h - tokens, passwords and the like: compared without telling where they differ, and gone when they are freed.
 *
 * Every comparison of what a stranger sends with what nobody should guess goes through secret_equal. Session ids are
 * looked up instead, by a hash with a seed that nobody outside knows: bytes are compared only where all 64 bits of it
 * agree, so no byte of an id can be guessed by time.
 *
 * Thread: any. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdbool.h>
#endif

/* The same text? Takes as long for every text of given's length, whatever the secret is and however long; an absent
 * slice is the empty text. */
MUST_USE bool secret_equal(struct slice given, struct slice secret);

/* Overwrites and frees a NUL-terminated text; NULL is fine. */
void secret_free(char *secret);

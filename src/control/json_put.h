/* json_put.h - JSON for events, written to a stream (open_memstream) piece by piece.
 *
 * Thread: any. */
#pragma once
#include <stdio.h>

/* A text with its quotes, escaped; null for NULL. text is UTF-8. */
void json_put_text(FILE *out, const char *text);

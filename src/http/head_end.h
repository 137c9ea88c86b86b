/* head_end.h - where a head ends: line by line to the empty one, each byte once (but behind a bare CR), within the limits.
 *
 * Part of http/parse.c; nobody else calls it.
 *
 * Thread: any; no state but what is passed. */
#pragma once
#include "http/parse.h"

/* Looks for the empty line of the head that starts at data[start]; *end is one past it. Refuses a
 * bare LF, a line that starts with white space, more than head_size bytes from data[0] on, and a
 * first line whose second word has more than target_length bytes. PARSE_MORE: call again with more
 * data and the same scan; an error: *error is a static sentence. */
MUST_USE enum parse head_end_find(const char *data, size_t len, size_t start,
                                  struct http_scan *scan, const struct http_limits *limits,
                                  uint32_t target_length, size_t *end, const char **error);

/* source.h - the address that a request came from: for limits, for ip_hash, for operators' ranges.
 *
 * The client's own, or, where that is a trusted proxy, the last one in X-Forwarded-For that is none of theirs.
 *
 * Thread: the worker's. Ownership: *out is copied. */
#pragma once

struct address;
struct request;

void source_of(const struct request *rq, struct address *out);

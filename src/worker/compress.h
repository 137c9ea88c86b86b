/* compress.h - which responses are compressed, how, and what their heads say then.
 *
 * With the option compression a response is compressed unless its status, its type or its size speak against it, it is
 * encoded already or a part of something, has a checksum of its bytes, or one side forbids transformation. Such a
 * response varies with Accept-Encoding, whether this client gets it compressed or not. The proxy's own answers are not
 * compressed, nor are maintenance pages.
 *
 * Thread: the worker's. Ownership: rq->compress is the request's. */
#pragma once

struct http_head;
struct request;
struct response_head;
struct route_local;

/* Decides, and changes the head that the client is to get; its fields are put together already. */
void compress_head(struct request *rq, struct response_head *head);

/* Counts what was compressed of a request that ended. */
void compress_count(const struct request *rq, struct route_local *local);

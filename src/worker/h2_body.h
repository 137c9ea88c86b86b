/* h2_body.h - bodies on HTTP/2 streams: a source over what a stream received, a sink that sends on it.
 *
 * Source and sink are the struct h2_stream itself. Moved bytes stay in the buffer, so that the body can be sent again,
 * until half the stream's window is full of them and more is to come; from then on the body streams.
 *
 * Thread: the worker's. Ownership: the stream's. */
#pragma once
#include "worker/h2_stream.h"
#include "worker/relay.h"

extern const struct source_ops h2_source_ops;
extern const struct sink_ops h2_sink_ops;

/* Back to the first byte; only while not streaming. */
void h2_source_rewind(struct h2_stream *st);

/* Moved bytes are dropped from now on. */
void h2_source_stream(struct h2_stream *st);

/* Has everything arrived and been moved? */
bool h2_source_done(const struct h2_stream *st);

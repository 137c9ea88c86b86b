/* framing.h - where a message body ends (RFC 9112 sections 6 and 7), read in place.
 *
 * A body is a cursor over bytes that somebody else buffers. body_peek says what is at the front of
 * them: framing bytes to skip, then payload. The caller drops the skipped bytes, passes on as much
 * payload as it can and reports that with body_consume. Chunk extensions are dropped.
 *
 * BODY_BAD: a chunk size that is missing or has more than 16 digits, anything but an extension
 * behind it (white space alone included), a control byte in an extension, a chunk that does not end
 * in CR LF, a bare LF or CR, a chunk line or a trailer section of more than framing_limit bytes. It
 * stays bad.
 *
 * Bytes of chunk lines are skipped as they come, so a buffer never fills with them. A trailer
 * section is only handed out whole: the caller's buffer has to hold framing_limit bytes.
 *
 * Thread: any; no state but struct body. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include "http/head.h"
#endif

enum body_state {
    BODY_WANT,     /* more bytes are needed (skip may still be > 0) */
    BODY_DATA,     /* payload bytes follow the skipped ones */
    BODY_TRAILERS, /* payload is a whole, non-empty trailer section with its empty line; consume it
                      whole */
    BODY_END,      /* the body is complete; bytes behind the skipped ones are the next message's */
    BODY_BAD       /* malformed */
};

struct body {
    uint8_t kind;           /* enum http_body_kind */
    uint8_t phase;          /* private to framing.c */
    uint32_t framing_limit; /* most bytes a chunk line or trailer section may have */
    uint32_t framing_seen;  /* private: bytes seen of the chunk line or trailer section */
    uint64_t left;          /* bytes left of the body or chunk */
    uint64_t payload;       /* payload bytes consumed so far, trailers not counted */
};

/* Starts at the first byte after a head. framing_limit: bytes. */
void body_init(struct body *b, enum http_body_kind kind, uint64_t content_length,
               uint32_t framing_limit);

/* Looks at data[0, len). *skip: framing bytes at the front, to be dropped before the next call in
 * any case; *payload: payload bytes behind them, 0 unless BODY_DATA or BODY_TRAILERS. Once BODY_END
 * was returned it is returned for ever, with skip 0. With BODY_WANT the bytes behind the skipped
 * ones have to be seen again, with more behind them. */
MUST_USE enum body_state body_peek(struct body *b, const char *data, size_t len, size_t *skip,
                                   size_t *payload);

/* n payload bytes (at most what body_peek said; a trailer section only whole) were passed on and
 * dropped. */
void body_consume(struct body *b, size_t n);

/* Has the body ended (as far as bytes seen tell)? True at once for BODY_NONE and length 0. */
bool body_done(const struct body *b);

/* The connection ended: true if the body is complete by that (until close, or already done). */
MUST_USE bool body_eof(struct body *b);

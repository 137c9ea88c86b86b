/* load_response.h - reads responses from a stream of bytes, for load_client.c.
 *
 * Thread: one. Ownership: nothing is allocated. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RESPONSE_BUFFER = 65536, ORIGIN_MAX = 32 };

enum response_place {
    RESPONSE_HEAD,
    RESPONSE_LENGTH,
    RESPONSE_CHUNK_SIZE,
    RESPONSE_CHUNK_DATA,
    RESPONSE_TRAILER,
    RESPONSE_TO_CLOSE
};

enum response_result {
    RESPONSE_MORE, /* more bytes are needed */
    RESPONSE_DONE, /* a final response is complete */
    RESPONSE_BAD   /* what came is no HTTP response */
};

struct response {
    enum response_place place;
    int status;              /* 0 until the head is complete */
    bool last;               /* the connection ends after it */
    bool body_differs;       /* not what was expected */
    char origin[ORIGIN_MAX]; /* value of X-Origin, "" when there is none */
    uint64_t left;           /* bytes of body or chunk still to come */
    uint64_t body_size;      /* bytes of body so far */
    size_t fill;             /* bytes in in[] */
    char in[RESPONSE_BUFFER];
};

/* Forgets the response that is done; bytes of the next stay. */
void response_next(struct response *r);

/* Reads on in r->in; expect (NULL: anything) is the body that a 200 has to have. */
enum response_result response_read(struct response *r, const char *expect);

/* The connection has ended: was the response complete by that? */
bool response_ends_well(struct response *r, const char *expect);

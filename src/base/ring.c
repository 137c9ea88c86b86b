#include "base/ring.h"

enum { HEADER_SIZE = 3 }; /* tag, length in two bytes */

static void copy_in(struct ring *r, uint64_t at, const char *from, size_t n)
{
    size_t offset = at % RING_SIZE, first = n < RING_SIZE - offset ? n : RING_SIZE - offset;

    memcpy(r->bytes + offset, from, first);
    memcpy(r->bytes, from + first, n - first);
}

static void copy_out(const struct ring *r, uint64_t at, char *to, size_t n)
{
    size_t offset = at % RING_SIZE, first = n < RING_SIZE - offset ? n : RING_SIZE - offset;

    memcpy(to, r->bytes + offset, first);
    memcpy(to + first, r->bytes, n - first);
}

bool ring_put(struct ring *r, uint8_t tag, struct slice record, bool *was_empty)
{
    uint64_t written = atomic_load_explicit(&r->written, memory_order_relaxed);
    /* acquire: the reader has really left the bytes that it counted as taken */
    uint64_t taken = atomic_load_explicit(&r->taken, memory_order_acquire);
    char header[HEADER_SIZE] = {(char)tag, (char)(record.len & 0xff), (char)(record.len >> 8)};

    CHECK(record.len <= RING_RECORD_MAX);
    if (RING_SIZE - (written - taken) < HEADER_SIZE + record.len)
        return false;
    copy_in(r, written, header, HEADER_SIZE);
    copy_in(r, written + HEADER_SIZE, record.data, record.len);
    /* release: the bytes are there before the count says so; the full order with the reader's last look at
     * `written` before it sleeps is seq_cst, so that one of the two notices the other */
    atomic_store(&r->written, written + HEADER_SIZE + record.len);
    *was_empty = atomic_load(&r->taken) == written;
    return true;
}

bool ring_take(struct ring *r, uint8_t *tag, char *out, size_t *len)
{
    uint64_t taken = atomic_load_explicit(&r->taken, memory_order_relaxed);
    uint64_t written = atomic_load(&r->written);
    char header[HEADER_SIZE];

    if (taken == written)
        return false;
    copy_out(r, taken, header, HEADER_SIZE);
    *tag = (uint8_t)header[0];
    *len = (size_t)(uint8_t)header[1] | (size_t)(uint8_t)header[2] << 8;
    CHECK(*len <= RING_RECORD_MAX);
    copy_out(r, taken + HEADER_SIZE, out, *len);
    atomic_store(&r->taken, taken + HEADER_SIZE + *len);
    return true;
}

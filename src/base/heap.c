#include "base/heap.h"

#include <malloc.h>
#include <stdlib.h>

enum {
    KEEP_BYTES = 64 << 20,
    MMAP_BYTES = 16 << 20,
    END_BYTES = 64 * 1024, /* of the free end stay */
    PROD_BYTES = 80 * 1024 /* free looks at the end only after a piece of more than 64 KiB */
};

void heap_init(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
}

void heap_trim_end(void)
{
    void *volatile prod = malloc(PROD_BYTES); /* volatile: a compiler leaves out what is freed unused */

    (void)mallopt(M_TRIM_THRESHOLD, END_BYTES);
    free(prod);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
}

void heap_trim(void)
{
    (void)malloc_trim(0);
}

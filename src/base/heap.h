/* heap.h - malloc and the system: pages are kept while there is work, and given back after it.
 *
 * A page fault costs more than a request's own work, so free gives no page back as long as an arena's free end is not very large.
 * Whoever has freed what it had kept for busier times says so here.
 *
 * Thread: any, but for heap_init.
 *
 * Sources: malloc/arena.c of glibc 2.36 (heap_trim), malloc/malloc.c (mtrim, which leaves the free end of other arenas than the first). */
#pragma once

/* Thresholds for the whole process; once, before there are threads. */
void heap_init(void);

/* Gives back the free end of the calling thread's arena. Meanwhile another thread's free may give pages back, too: no harm. */
void heap_trim_end(void);

/* Gives back whole pages that are free, in all arenas. A thread that needs malloc waits until its arena is done: a millisecond where
 * 8 MiB go. */
void heap_trim(void);

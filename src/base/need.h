/* need.h - memory for what cannot be refused: messages, timers, notices, texts of events, pieces of configuration.
 *
 * When the allocator has none, a *reserve* is given back to it, block by block, and the call tried again. Until the
 * reserve is whole again (need_whole) no new command is run, so that what has begun can end. What is large asks for
 * room first (need_room) and is refused without; its pieces then come from here. With the reserve used up the program
 * aborts: nothing is left to go on with.
 *
 * Thread: any, but for need_open and need_close (main). Ownership: the caller's, freed by free(). The functions
 * return no NULL. */
#pragma once
#include "base/check.h"
#include "base/slice.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Sets the reserve apart (16 MiB of addresses, untouched) and makes libev allocate from here. */
void need_open(void);
void need_close(void);

/* Is the reserve whole? If not, tries to make it so. */
MUST_USE bool need_whole(void);

/* Is so much memory to be had now? Asked before something large is begun. */
MUST_USE bool need_room(size_t bytes);

void *need(size_t size);
void *need_zeroed(size_t count, size_t size);
void *need_aligned(size_t alignment, size_t size);
void *need_resized(void *old, size_t size); /* old may be NULL; the contents stay */
char *need_copy(struct slice text);         /* with a NUL behind it; absent is empty */
char *need_text(const char *text);
char *need_printf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* A stream that writes into *text, NUL-terminated and *len long after fflush or fclose; *text is the caller's then. */
FILE *need_stream(char **text, size_t *len);

#ifdef TIDELOCK_FAULTS
#include "base/fault.h"
/* Where the next call on this thread stands. */
extern _Thread_local struct fault_site *need_site;
#define need_room(...) (need_site = FAULT_SITE("need_room"), need_room(__VA_ARGS__))
#define need(...) (need_site = FAULT_SITE("need"), need(__VA_ARGS__))
#define need_zeroed(...) (need_site = FAULT_SITE("need_zeroed"), need_zeroed(__VA_ARGS__))
#define need_aligned(...) (need_site = FAULT_SITE("need_aligned"), need_aligned(__VA_ARGS__))
#define need_resized(...) (need_site = FAULT_SITE("need_resized"), need_resized(__VA_ARGS__))
#define need_copy(...) (need_site = FAULT_SITE("need_copy"), need_copy(__VA_ARGS__))
#define need_text(...) (need_site = FAULT_SITE("need_text"), need_text(__VA_ARGS__))
#define need_printf(...) (need_site = FAULT_SITE("need_printf"), need_printf(__VA_ARGS__))
#define need_stream(...) (need_site = FAULT_SITE("need_stream"), need_stream(__VA_ARGS__))
#endif

/* crash.h - what a crash tells before the process ends: which thread, what it was at, its last events, where in the code.
 *
 * Each thread has a trail: a ring of its last events and a note of what it works on. A fatal signal (SIGSEGV, SIGBUS,
 * SIGFPE, SIGILL, SIGABRT and with it every failed CHECK, SIGSYS of a refused system call) writes the trail of the
 * thread that got it to standard error, lines that begin with "tidelock: crash: ", and then does what it would have
 * done anyway: it ends the process, with a core where the system and core_dumps allow one. What is written are fixed
 * texts, numbers and ids of routes, never anything that a client, a service or a backend sent.
 *
 * Builds with a sanitizer keep the sanitizer's own reports and install nothing.
 *
 * Thread: crash_install the main thread, first of all; a trail is written by its own thread only. Ownership: a trail is
 * its thread's for as long as that runs. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#include <stdint.h>
#endif

enum { CRASH_EVENTS = 64, CRASH_NAME = 16, CRASH_TEXT = 24 };

struct crash_event {
    uint64_t at_ms;   /* monotonic clock */
    const char *what; /* static text */
    uint64_t number;
    char text[CRASH_TEXT]; /* "": none */
};

struct crash_trail {
    char name[CRASH_NAME]; /* "worker 0" */
    /* what runs now: describe(running) says it by crash_put_*, on the way down, when memory may be anything */
    const void *volatile running; /* NULL: nothing */
    void (*describe)(const void *running);
    /* the ring */
    uint32_t count; /* since start */
    struct crash_event event[CRASH_EVENTS];
    void *stack; /* that handlers run on, crash.c's */
};

/* Reports crashes from now on; version is static. */
void crash_install(const char *version);

/* The calling thread gets the trail, which the caller has zeroed but for describe, and a stack for handlers. name is
 * shown by ps -T, too, except for the main thread. */
void crash_attach(struct crash_trail *t, const char *name);

/* Before the calling thread ends. */
void crash_detach(struct crash_trail *t);

#ifndef FFI_CDEF
/* One event: a few stores. */
static inline void crash_note(struct crash_trail *t, uint64_t now_ms, const char *what, uint64_t number)
{
    struct crash_event *e = &t->event[t->count++ % CRASH_EVENTS];

    e->at_ms = now_ms;
    e->what = what;
    e->number = number;
    e->text[0] = '\0';
}
#endif

/* One event with the name of a registry command or the like: letters, digits, _ and - of it, as many as fit. */
void crash_note_text(struct crash_trail *t, uint64_t now_ms, const char *what, const char *text);

/* For describe: " key=text" and " key=12" on the report's line; safe in a handler. */
void crash_put_text(const char *key, const char *text);
void crash_put_number(const char *key, uint64_t number);

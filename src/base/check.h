/* check.h - assertions that stay in release builds, and which thread may run what.
 *
 * CHECK is for invariants of our own code: it prints the condition and its place, then aborts. Input
 * from a network, a file or a script is never CHECKed, it is answered.
 *
 * Thread: any. Each thread says once who it is (check_own_thread); ASSERT_CONTROL and ASSERT_WORKER
 * compare against that. */
#ifndef FFI_CDEF
#pragma once
#include <stddef.h>
#endif

#ifdef FFI_CDEF
#define MUST_USE
#define PRINTF_LIKE(fmt, args)
#else
/* The caller has to look at the result; ignoring it on purpose is written (void). */
#define MUST_USE __attribute__((warn_unused_result))
/* printf-style checking of argument number fmt against the arguments from number args on. */
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)

/* For a static function that begins a way which most calls of its callers do not take: as part of them, they would save registers and
 * guard the stack for it each time. */
#define SELDOM __attribute__((noinline))

/* Aborts with the text of cond, file and line when cond is false. */
#define CHECK(cond) \
    do { \
        if (UNLIKELY(!(cond))) \
            check_failed(#cond, __FILE__, __LINE__); \
    } while (0)

/* First line of a function that only the control thread may run. */
#define ASSERT_CONTROL() CHECK(check_thread_owner == CHECK_CONTROL)

/* First line of a function that only the thread of worker w may run. */
#define ASSERT_WORKER(w) CHECK(check_thread_owner == (const void *)(w))

/* The owner value of the control thread. */
#define CHECK_CONTROL ((const void *)&check_control_token)

/* Who this thread belongs to: CHECK_CONTROL, a struct worker, or NULL (any other thread). */
extern _Thread_local const void *check_thread_owner;
extern const char check_control_token;

/* Prints and aborts; called by CHECK only. */
void check_failed(const char *cond, const char *file, int line) __attribute__((noreturn, cold));
#endif

/* Declares the calling thread to belong to owner until the next call. */
void check_own_thread(const void *owner);

/* spin.h - a lock for a handful of instructions: some tens of nanoseconds, a leaf (nothing is called, allocated or
 * logged under it, no other lock taken).
 *
 * Thread: any. Ownership: a word of the caller's, zeroed while nobody holds it. */
#pragma once
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>

enum { SPIN_PATIENCE = 64 };

static inline void spin_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static inline void spin_lock(_Atomic uint32_t *lock)
{
    unsigned spins = 0;

    /* Acquire: pairs with the release of whoever held it before. */
    while (atomic_exchange_explicit(lock, 1, memory_order_acquire)) {
        /* Relaxed: waiting reads only, so that the line stays with the holder. */
        while (atomic_load_explicit(lock, memory_order_relaxed)) {
            if (++spins % SPIN_PATIENCE)
                spin_relax();
            else
                sched_yield(); /* the holder may be off its core */
        }
    }
}

static inline void spin_unlock(_Atomic uint32_t *lock)
{
    atomic_store_explicit(lock, 0, memory_order_release);
}

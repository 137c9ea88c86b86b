/* scripts_state.h - what the files of control/scripts share: the parts of a swap.
 *
 * Thread: control; none of these from within a call into Lua, but scripts_take_turn. */
#pragma once
#include "control/scripts.h"
#include "script/bundle.h"

struct page_book;
struct vm;

/* Makes a VM of a bundle and its pages: everything that can go wrong, before it is put in service. NULL: err. */
struct vm *scripts_try(struct scripts *s, const struct bundle *bundle, struct page_book **pages,
                       struct error *err);

/* The swap: from here on every call goes to vm. All three are taken. Returns the bundle that was in service,
 * its reference the caller's. */
struct bundle *scripts_put_in_service(struct scripts *s, struct bundle *bundle, struct vm *vm,
                                      struct page_book *pages);

/* Tells the world once all workers have the new pages. old: a reference, taken. taken_back: the generation that
 * was given up, 0: none. */
void scripts_announce(struct scripts *s, struct bundle *old, uint64_t taken_back);

/* Puts the last good generation back in service; says once that there is none. control/scripts_rollback.c */
void scripts_go_back(struct scripts *s);

/* Has what waits done as soon as no call runs. */
void scripts_take_turn(struct scripts *s);

/* *place = with, a reference that is taken; the one before is given back. */
static inline void scripts_keep(struct bundle **place, struct bundle *with)
{
    bundle_unref(*place);
    *place = with;
}

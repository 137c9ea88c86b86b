/* pattern.h - Lua's patterns, for scripts: the same results as Lua's own, but a match can be
 * stopped.
 *
 * A pattern that takes for ever ("a.-b.-c.-d" on a long text) is worked on inside one C function,
 * which no hook interrupts. This matcher tells vm_spend what it does, so that it ends with the
 * call's time. A pattern is checked as a whole before it is used; the depth of the C stack is at
 * most the number of its items.
 *
 * Functions raise Lua errors. Thread: the state's. Ownership: the pattern is the caller's; texts
 * are not copied. */
#pragma once
#include "base/slice.h"
#include <lua.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    PATTERN_ITEMS_MAX = 1000, /* characters, classes and sets of a pattern */
    PATTERN_FEW = 16,         /* items that are kept in place */
    PATTERN_CAPTURES_MAX = 32
};

enum pattern_kind {
    PATTERN_ONE, /* a byte out of the set, and as often as repeat says */
    PATTERN_OPEN,
    PATTERN_CLOSE,
    PATTERN_POSITION, /* () */
    PATTERN_AGAIN,    /* %1 */
    PATTERN_BALANCE,  /* %bxy */
    PATTERN_FRONTIER, /* %f[set] */
    PATTERN_TAIL      /* $ at the end */
};

struct pattern_item {
    uint8_t kind;
    uint8_t repeat;      /* '*', '+', '-', '?', or 0: once */
    uint8_t capture;     /* of OPEN, CLOSE, POSITION, AGAIN; counted from 0 */
    uint8_t left, right; /* of BALANCE */
    uint32_t set[8];     /* of ONE and FRONTIER: a bit for each byte */
};

struct pattern {
    struct pattern_item *items;
    unsigned count, captures;
    bool anchored; /* starts with ^ */
    struct pattern_item few[PATTERN_FEW];
};

/* A capture: a piece of the text, or a position (len is PATTERN_AT). */
#define PATTERN_AT SIZE_MAX

struct pattern_match {
    size_t start, end; /* of the whole match */
    struct slice captures[PATTERN_CAPTURES_MAX];
};

/* Reads a pattern; ^ is an anchor when anchors is true. May push one value, which has to stay on
 * the stack as long as the pattern is used. Raises for one that is malformed or too long. */
void pattern_read(lua_State *L, struct pattern *p, struct slice text, bool anchors);

/* Does the pattern match at this offset of the text? */
bool pattern_match_at(lua_State *L, const struct pattern *p, struct slice text, size_t offset,
                      struct pattern_match *out);

/* The first match from an offset on; an anchored pattern is tried there alone. */
bool pattern_find(lua_State *L, const struct pattern *p, struct slice text, size_t offset,
                  struct pattern_match *out);

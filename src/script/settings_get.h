/* settings_get.h - reads a value of a table of the checked configuration: by its dotted path one of all settings, by its
 * key one of an entry of a list.
 *
 * The table is at the top of the stack, and is there again afterwards unless a function pushes. All raise when lua/config
 * hands over what the schema does not promise, which is a bug.
 *
 * Thread: control, inside vm_call. Ownership: copies are the caller's. */
#pragma once
#include "base/slice.h"
#include "base/sock.h"
#include <lua.h>

/* Pushes a value; false and nothing pushed when it is not set. */
bool settings_get(lua_State *L, const char *key);

/* Pushes a value that has to be there. */
void settings_get_needed(lua_State *L, const char *key);

lua_Number settings_get_number(lua_State *L, const char *key);
bool settings_get_flag(lua_State *L, const char *key);

/* A copy, NUL-terminated; NULL when it is not set. */
char *settings_get_text(lua_State *L, const char *key);

/* The index of a word among names. */
unsigned settings_get_word(lua_State *L, const char *key, const char *const *names, unsigned count);

/* Pushes a list and tells its length; false and nothing pushed when it is not set. */
bool settings_get_list(lua_State *L, const char *key, unsigned *count);

/* A zeroed array for as many items, never NULL; for free. */
void *settings_get_room(unsigned count, size_t size);

/* A copy, NUL-terminated, of the text at index i of the list at the top. */
struct slice settings_get_item(lua_State *L, int i);

/* The string at the top, which keeps it alive. */
struct slice settings_get_top(lua_State *L);

/* The address at the top, which is popped. */
void settings_get_address(lua_State *L, struct address *out);

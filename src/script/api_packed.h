/* api_packed.h - texts for long answers: gzip, in base64.
 *
 * Thread: control. */
#pragma once
#include "base/slice.h"
#include <lua.h>

enum { PACKED_TEXT_MAX = 16 * 1024 * 1024 /* bytes of a text before it is packed */ };

/* Pushes the text packed; false, when that is too long for an answer. Raises when the call's time
 * is up. */
void api_push_packed(lua_State *L, struct slice text);

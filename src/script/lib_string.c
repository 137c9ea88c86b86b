#include "script/lib_string.h"

#include "script/pattern.h"
#include "script/vm_call.h"

#include <lauxlib.h>
#include <limits.h>
#include <string.h>

enum { FORMAT_VALUES_MAX = 200 };

static struct slice check_text(lua_State *L, int index)
{
    struct slice text;

    text.data = luaL_checklstring(L, index, &text.len);
    return text;
}

/* Raises when function would make a longer text than is allowed. */
static void check_length(lua_State *L, const char *function, double length)
{
    if (length > VM_TEXT_MAX)
        vm_raise(L, "%s: would be longer than %d bytes", function, VM_TEXT_MAX);
}

/* ---- captures */

static void push_capture(lua_State *L, const struct pattern_match *match, unsigned i,
                         struct slice text)
{
    struct slice capture = match->captures[i];

    if (capture.len == PATTERN_AT)
        lua_pushinteger(L, capture.data - text.data + 1);
    else
        lua_pushlstring(L, capture.data, capture.len);
}

/* Pushes all captures, or the whole match where there is none; returns how many. */
static int push_captures(lua_State *L, const struct pattern *p, const struct pattern_match *match,
                         struct slice text)
{
    luaL_checkstack(L, PATTERN_CAPTURES_MAX, "captures");
    for (unsigned i = 0; i < p->captures; i++)
        push_capture(L, match, i, text);
    if (p->captures)
        return (int)p->captures;
    lua_pushlstring(L, text.data + match->start, match->end - match->start);
    return 1;
}

/* ---- find, match */

/* The offset that the argument at index stands for, at most len. */
static size_t start_offset(lua_State *L, int index, size_t len)
{
    lua_Integer start = luaL_optinteger(L, index, 1);

    if (start < 0)
        start += (lua_Integer)len + 1;
    start = start < 1 ? 0 : start - 1;
    return (size_t)start > len ? len : (size_t)start;
}

static bool is_plain(struct slice pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        if (pattern.data[i] && strchr("^$*+?.([%-", pattern.data[i]))
            return false;
    }
    return true;
}

static bool find_plain(lua_State *L, struct slice text, struct slice word, size_t offset,
                       struct pattern_match *out)
{
    const char *at = text.data + offset;

    vm_spend(L, (unsigned)(text.len - offset) / 8);
    if (word.len)
        at = memmem(at, text.len - offset, word.data, word.len);
    if (!at)
        return false;
    out->start = (size_t)(at - text.data);
    out->end = out->start + word.len;
    return true;
}

static int string_find(lua_State *L)
{
    struct slice text = check_text(L, 1), word = check_text(L, 2);
    size_t offset = start_offset(L, 3, text.len);
    struct pattern p = {.captures = 0};
    struct pattern_match match;
    bool found;

    if (lua_toboolean(L, 4) || is_plain(word)) {
        found = find_plain(L, text, word, offset, &match);
    } else {
        pattern_read(L, &p, word, true);
        found = pattern_find(L, &p, text, offset, &match);
    }
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, (lua_Integer)match.start + 1);
    lua_pushinteger(L, (lua_Integer)match.end);
    return 2 + (p.captures ? push_captures(L, &p, &match, text) : 0);
}

static int string_match(lua_State *L)
{
    struct slice text = check_text(L, 1), word = check_text(L, 2);
    size_t offset = start_offset(L, 3, text.len);
    struct pattern_match match;
    struct pattern p;

    pattern_read(L, &p, word, true);
    if (pattern_find(L, &p, text, offset, &match))
        return push_captures(L, &p, &match, text);
    lua_pushnil(L);
    return 1;
}

/* ---- gmatch */

/* Upvalues: the text, the pattern, the offset to go on from. */
static int next_match(lua_State *L)
{
    struct slice text = check_text(L, lua_upvalueindex(1));
    struct slice word = check_text(L, lua_upvalueindex(2));
    size_t offset = (size_t)lua_tointeger(L, lua_upvalueindex(3));
    struct pattern_match match;
    struct pattern p;

    pattern_read(L, &p, word, false);
    if (offset > text.len || !pattern_find(L, &p, text, offset, &match))
        return 0;
    lua_pushinteger(L, (lua_Integer)match.end + (match.end == match.start));
    lua_replace(L, lua_upvalueindex(3));
    return push_captures(L, &p, &match, text);
}

static int string_gmatch(lua_State *L)
{
    struct pattern p;

    pattern_read(L, &p, check_text(L, 2), false);
    luaL_checkstring(L, 1);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 2);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_match, 3);
    return 1;
}

/* ---- gsub */

/* One gsub: text 1, pattern 2, replacement 3. */
struct replacing {
    lua_State *L;
    struct slice text;
    struct pattern pattern;
    struct pattern_match match;
    int kind;  /* Lua type of the replacement */
    char *out; /* the result so far, in a userdata at index slot */
    size_t len, size;
    int slot;
};

static void append(struct replacing *r, const char *data, size_t len)
{
    size_t size = r->size;
    char *more;

    check_length(r->L, "string.gsub", (double)r->len + (double)len);
    while (size < r->len + len)
        size *= 2;
    if (size > r->size) {
        more = lua_newuserdata(r->L, size);
        memcpy(more, r->out, r->len);
        lua_replace(r->L, r->slot);
        r->out = more;
        r->size = size;
    }
    vm_spend(r->L, (unsigned)len / 8 + 4);
    memcpy(r->out + r->len, data, len);
    r->len += len;
}

/* A replacement text, with its %0 to %9. */
static void append_template(struct replacing *r)
{
    struct slice word = check_text(r->L, 3);

    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.data[i];
        unsigned capture;
        struct slice piece;

        if (c != '%') {
            append(r, &word.data[i], 1);
            continue;
        }
        c = (unsigned char)word.data[++i]; /* of a last %: the NUL, as Lua has it */
        capture = c - (unsigned)'1';
        if (c < '0' || c > '9') {
            append(r, &word.data[i], 1);
        } else if (c == '0' || (c == '1' && !r->pattern.captures)) {
            append(r, r->text.data + r->match.start, r->match.end - r->match.start);
        } else {
            if (capture >= r->pattern.captures)
                vm_raise(r->L, "invalid capture index");
            push_capture(r->L, &r->match, capture, r->text);
            piece.data = lua_tolstring(r->L, -1, &piece.len);
            append(r, piece.data, piece.len);
            lua_pop(r->L, 1);
        }
    }
}

/* What a table has, or a function returns, for the match. */
static void append_value(struct replacing *r)
{
    lua_State *L = r->L;
    int captures;
    struct slice value;

    vm_enter(L);
    if (r->kind == LUA_TFUNCTION)
        lua_pushvalue(L, 3);
    captures = push_captures(L, &r->pattern, &r->match, r->text);
    if (r->kind == LUA_TFUNCTION) {
        lua_call(L, captures, 1);
    } else {
        lua_pop(L, captures - 1);
        lua_gettable(L, 3);
    }
    vm_leave(L);
    if (!lua_toboolean(L, -1)) {
        append(r, r->text.data + r->match.start, r->match.end - r->match.start);
    } else if (lua_isstring(L, -1)) {
        value.data = lua_tolstring(L, -1, &value.len);
        append(r, value.data, value.len);
    } else {
        vm_raise(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    }
    lua_settop(L, r->slot + 1);
}

static int replace_all(struct replacing *r, lua_Integer limit)
{
    lua_Integer count = 0;
    size_t at = 0;

    while (count < limit) {
        bool found = pattern_match_at(r->L, &r->pattern, r->text, at, &r->match);

        if (found) {
            count++;
            if (r->kind == LUA_TSTRING)
                append_template(r);
            else
                append_value(r);
        }
        if (found && r->match.end > at)
            at = r->match.end;
        else if (at < r->text.len)
            append(r, &r->text.data[at++], 1);
        else
            break;
        if (r->pattern.anchored)
            break;
    }
    append(r, r->text.data + at, r->text.len - at);
    return (int)count;
}

static int string_gsub(lua_State *L)
{
    struct replacing r = {.L = L, .size = 256, .slot = 4};
    lua_Integer limit;
    int count;

    r.text = check_text(L, 1);
    luaL_checkstring(L, 2);
    r.kind = lua_type(L, 3) == LUA_TNUMBER ? LUA_TSTRING : lua_type(L, 3);
    if (r.kind != LUA_TSTRING && r.kind != LUA_TTABLE && r.kind != LUA_TFUNCTION)
        return luaL_argerror(L, 3, "string/function/table expected");
    limit = luaL_optinteger(L, 4, (lua_Integer)r.text.len + 1);
    lua_settop(L, 3);
    r.out = lua_newuserdata(L, r.size);
    pattern_read(L, &r.pattern, check_text(L, 2), true);
    lua_settop(L, r.slot + 1); /* the pattern's value, or nil */
    count = replace_all(&r, limit);
    lua_pushlstring(L, r.out, r.len);
    lua_pushinteger(L, count);
    return 2;
}

/* ---- rep, format */

static int string_rep(lua_State *L)
{
    struct slice text = check_text(L, 1), sep = {NULL, 0};
    lua_Number times = luaL_checknumber(L, 2);
    size_t len, done;
    char *out;

    sep.data = luaL_optlstring(L, 3, "", &sep.len);
    if (!(times >= 1) || text.len + sep.len == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    times = times > INT_MAX ? INT_MAX : (lua_Number)(int)times;
    check_length(L, "string.rep", (double)(text.len + sep.len) * times - (double)sep.len);
    len = (text.len + sep.len) * (size_t)times - sep.len;
    out = lua_newuserdata(L, len + sep.len);
    memcpy(out, text.data, text.len);
    memcpy(out + text.len, sep.data, sep.len);
    for (done = text.len + sep.len; done < len; done *= 2)
        memcpy(out + done, out, done < len + sep.len - done ? done : len + sep.len - done);
    lua_pushlstring(L, out, len);
    return 1;
}

/* Upvalue: Lua's own, which calls __tostring. */
static int string_format(lua_State *L)
{
    int count = lua_gettop(L);

    if (count > FORMAT_VALUES_MAX)
        return luaL_error(L, "string.format: more than %d values", FORMAT_VALUES_MAX);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    vm_enter(L);
    lua_call(L, count, 1);
    vm_leave(L);
    return 1;
}

void lib_string_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", string_find}, {"match", string_match}, {"gmatch", string_gmatch},
        {"gsub", string_gsub}, {"rep", string_rep},     {NULL, NULL},
    };

    luaL_setfuncs(L, functions, 0);
    lua_getfield(L, -1, "format");
    lua_pushcclosure(L, string_format, 1);
    lua_setfield(L, -2, "format");
}

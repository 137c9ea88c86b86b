#include "script/pattern.h"

#include "script/vm_call.h"

#include <string.h>

/* ---- reading */

struct reader {
    lua_State *L;
    struct pattern *p;
    const uint8_t *at, *end;
    uint8_t open[PATTERN_CAPTURES_MAX]; /* captures that are not closed, innermost last */
    unsigned open_count;
    uint32_t closed; /* a bit for each capture that is */
};

static void malformed(struct reader *r, const char *why)
{
    vm_raise(r->L, "malformed pattern (%s)", why);
}

static void put(uint32_t *set, unsigned byte)
{
    set[byte / 32] |= 1U << byte % 32;
}

static bool has(const uint32_t *set, uint8_t byte)
{
    return set[byte / 32] >> byte % 32 & 1;
}

static void put_range(uint32_t *set, unsigned first, unsigned last)
{
    for (; first <= last; first++)
        put(set, first);
}

static void put_letters(uint32_t *set)
{
    put_range(set, 'A', 'Z');
    put_range(set, 'a', 'z');
}

/* The bytes of a class by its lower case letter; false when there is no such class. */
static bool fill_class(uint8_t letter, uint32_t *set)
{
    switch (letter) {
    case 'a':
        put_letters(set);
        return true;
    case 'c':
        put_range(set, 0, 31);
        put(set, 127);
        return true;
    case 'd':
        put_range(set, '0', '9');
        return true;
    case 'g':
        put_range(set, 33, 126);
        return true;
    case 'l':
        put_range(set, 'a', 'z');
        return true;
    case 'p':
        put_range(set, 33, 47);
        put_range(set, 58, 64);
        put_range(set, 91, 96);
        put_range(set, 123, 126);
        return true;
    case 's':
        put_range(set, 9, 13);
        put(set, ' ');
        return true;
    case 'u':
        put_range(set, 'A', 'Z');
        return true;
    case 'w':
        put_letters(set);
        put_range(set, '0', '9');
        return true;
    case 'x':
        put_range(set, '0', '9');
        put_range(set, 'A', 'F');
        put_range(set, 'a', 'f');
        return true;
    case 'z':
        put(set, 0);
        return true;
    default:
        return false;
    }
}

/* Adds what % and this character stand for. */
static void put_escaped(uint32_t *set, uint8_t c)
{
    bool upper = c >= 'A' && c <= 'Z';
    uint32_t class[8] = {0};

    if (!fill_class(upper ? c + ('a' - 'A') : c, class)) {
        put(set, c);
        return;
    }
    for (int i = 0; i < 8; i++)
        set[i] |= upper ? ~class[i] : class[i];
}

/* The ] that ends the set which starts at the reader. */
static const uint8_t *set_end(struct reader *r, const uint8_t *at)
{
    do {
        if (at == r->end)
            malformed(r, "missing ']'");
        if (*at++ == '%' && at < r->end)
            at++;
    } while (at == r->end || *at != ']');
    return at;
}

/* Reads a set behind its [. */
static void read_set(struct reader *r, uint32_t *set)
{
    bool negated = r->at < r->end && *r->at == '^';
    const uint8_t *at = r->at + negated, *last = set_end(r, at);

    for (; at < last; at++) {
        if (*at == '%') {
            put_escaped(set, *++at);
        } else if (at + 2 < last && at[1] == '-') {
            put_range(set, at[0], at[2]);
            at += 2;
        } else {
            put(set, *at);
        }
    }
    for (int i = 0; negated && i < 8; i++)
        set[i] = ~set[i];
    r->at = last + 1;
}

static struct pattern_item *add(struct reader *r, enum pattern_kind kind)
{
    struct pattern *p = r->p;
    struct pattern_item *more;

    if (p->count == PATTERN_FEW) {
        more = lua_newuserdata(r->L, PATTERN_ITEMS_MAX * sizeof(*more));
        memcpy(more, p->few, sizeof(p->few));
        p->items = more;
    } else if (p->count == PATTERN_ITEMS_MAX) {
        vm_raise(r->L, "pattern with more than %d items", PATTERN_ITEMS_MAX);
    }
    p->items[p->count] = (struct pattern_item){.kind = (uint8_t)kind};
    return &p->items[p->count++];
}

static void read_repeat(struct reader *r, struct pattern_item *item)
{
    if (r->at < r->end && *r->at && strchr("*+-?", *r->at))
        item->repeat = *r->at++;
}

static void read_open(struct reader *r)
{
    bool position = r->at < r->end && *r->at == ')';
    struct pattern_item *item = add(r, position ? PATTERN_POSITION : PATTERN_OPEN);

    if (r->p->captures == PATTERN_CAPTURES_MAX)
        vm_raise(r->L, "too many captures");
    item->capture = (uint8_t)r->p->captures++;
    if (position) {
        r->at++;
        r->closed |= 1U << item->capture;
    } else {
        r->open[r->open_count++] = item->capture;
    }
}

static void read_close(struct reader *r)
{
    if (!r->open_count)
        vm_raise(r->L, "invalid pattern capture");
    add(r, PATTERN_CLOSE)->capture = r->open[--r->open_count];
    r->closed |= 1U << r->open[r->open_count];
}

static void read_escape(struct reader *r)
{
    struct pattern_item *item;
    uint8_t c;

    if (r->at == r->end)
        malformed(r, "ends with '%'");
    c = *r->at++;
    if (c >= '0' && c <= '9') {
        item = add(r, PATTERN_AGAIN);
        item->capture = (uint8_t)(c - '1');
        if (c == '0' || !(r->closed >> item->capture & 1))
            vm_raise(r->L, "invalid capture index");
    } else if (c == 'b') {
        if (r->end - r->at < 2)
            vm_raise(r->L, "unbalanced pattern");
        item = add(r, PATTERN_BALANCE);
        item->left = *r->at++;
        item->right = *r->at++;
    } else if (c == 'f') {
        if (r->at == r->end || *r->at++ != '[')
            vm_raise(r->L, "missing '[' after '%%f' in pattern");
        read_set(r, add(r, PATTERN_FRONTIER)->set);
    } else {
        item = add(r, PATTERN_ONE);
        put_escaped(item->set, c);
        read_repeat(r, item);
    }
}

static void read_one(struct reader *r, uint8_t c)
{
    struct pattern_item *item = add(r, PATTERN_ONE);

    if (c == '[')
        read_set(r, item->set);
    else if (c == '.')
        memset(item->set, 0xff, sizeof(item->set));
    else
        put(item->set, c);
    read_repeat(r, item);
}

void pattern_read(lua_State *L, struct pattern *p, struct slice text, bool anchors)
{
    struct reader r = {.L = L, .p = p, .at = (const uint8_t *)text.data};

    r.end = r.at + text.len;
    p->items = p->few;
    p->count = p->captures = 0;
    p->anchored = anchors && text.len > 0 && text.data[0] == '^';
    r.at += p->anchored;
    while (r.at < r.end) {
        uint8_t c = *r.at++;

        if (c == '(')
            read_open(&r);
        else if (c == ')')
            read_close(&r);
        else if (c == '%')
            read_escape(&r);
        else if (c == '$' && r.at == r.end)
            add(&r, PATTERN_TAIL);
        else
            read_one(&r, c);
    }
    if (r.open_count)
        vm_raise(L, "unfinished capture");
}

/* ---- matching */

struct matcher {
    lua_State *L;
    const struct pattern_item *end; /* behind the last item */
    const uint8_t *start, *stop;    /* of the text */
    struct slice *captures;
};

static const uint8_t *match(struct matcher *m, const struct pattern_item *item, const uint8_t *s);

/* How many bytes at s are in the item's set. */
static size_t run_length(struct matcher *m, const struct pattern_item *item, const uint8_t *s)
{
    const uint8_t *at = s;

    while (at < m->stop && has(item->set, *at))
        at++;
    vm_spend(m->L, (unsigned)(at - s));
    return (size_t)(at - s);
}

/* As many as there are, then ever fewer. */
static const uint8_t *match_most(struct matcher *m, const struct pattern_item *item,
                                 const uint8_t *s)
{
    size_t least = item->repeat == '+', count = run_length(m, item, s);

    for (; count >= least; count--) {
        const uint8_t *end = match(m, item + 1, s + count);

        if (end)
            return end;
        if (count == 0)
            break;
    }
    return NULL;
}

/* As few as will do. */
static const uint8_t *match_least(struct matcher *m, const struct pattern_item *item,
                                  const uint8_t *s)
{
    for (;; s++) {
        const uint8_t *end = match(m, item + 1, s);

        if (end || s == m->stop || !has(item->set, *s))
            return end;
    }
}

/* The end of a balanced piece at s, or NULL. */
static const uint8_t *match_balance(struct matcher *m, const struct pattern_item *item,
                                    const uint8_t *s)
{
    const uint8_t *at = s;
    size_t depth = 1;

    if (s == m->stop || *s != item->left)
        return NULL;
    while (++at < m->stop && depth) {
        if (*at == item->right)
            depth--;
        else if (*at == item->left)
            depth++;
    }
    vm_spend(m->L, (unsigned)(at - s));
    return depth ? NULL : at;
}

static const uint8_t *match_again(struct matcher *m, const struct pattern_item *item,
                                  const uint8_t *s)
{
    struct slice text = m->captures[item->capture];

    if (text.len > (size_t)(m->stop - s)) /* a position, too */
        return NULL;
    vm_spend(m->L, (unsigned)(text.len / 8));
    return memcmp(text.data, s, text.len) == 0 ? s + text.len : NULL;
}

static bool at_frontier(const struct matcher *m, const struct pattern_item *item, const uint8_t *s)
{
    uint8_t before = s == m->start ? 0 : s[-1], after = s == m->stop ? 0 : *s;

    return !has(item->set, before) && has(item->set, after);
}

/* Captures are set before the rest is tried and put back when that fails, so that a close finds
 * where its open was. */
static const uint8_t *match_capture(struct matcher *m, const struct pattern_item *item,
                                    const uint8_t *s)
{
    struct slice *capture = &m->captures[item->capture], before = *capture;
    const uint8_t *end;

    if (item->kind == PATTERN_CLOSE)
        capture->len = (size_t)(s - (const uint8_t *)capture->data);
    else
        *capture = slice_of((const char *)s, PATTERN_AT);
    end = match(m, item + 1, s);
    if (!end)
        *capture = before;
    return end;
}

/* What an item that is taken once leads to: where the text goes on, or NULL. */
static const uint8_t *match_once(struct matcher *m, const struct pattern_item *item,
                                 const uint8_t *s)
{
    switch (item->kind) {
    case PATTERN_ONE:
        return s < m->stop && has(item->set, *s) ? s + 1 : NULL;
    case PATTERN_AGAIN:
        return match_again(m, item, s);
    case PATTERN_BALANCE:
        return match_balance(m, item, s);
    case PATTERN_FRONTIER:
        return at_frontier(m, item, s) ? s : NULL;
    default:
        return s == m->stop ? s : NULL; /* PATTERN_TAIL */
    }
}

static const uint8_t *match_optional(struct matcher *m, const struct pattern_item *item,
                                     const uint8_t *s)
{
    const uint8_t *end = NULL;

    if (s < m->stop && has(item->set, *s))
        end = match(m, item + 1, s + 1);
    return end ? end : match(m, item + 1, s);
}

/* The end of the match of item and all behind it, or NULL. */
static const uint8_t *match(struct matcher *m, const struct pattern_item *item, const uint8_t *s)
{
    for (; s && item < m->end; item++) {
        vm_spend(m->L, 4);
        if (item->kind == PATTERN_OPEN || item->kind == PATTERN_CLOSE ||
            item->kind == PATTERN_POSITION)
            return match_capture(m, item, s);
        if (item->repeat == '*' || item->repeat == '+')
            return match_most(m, item, s);
        if (item->repeat == '-')
            return match_least(m, item, s);
        if (item->repeat == '?')
            return match_optional(m, item, s);
        s = match_once(m, item, s);
    }
    return s;
}

bool pattern_match_at(lua_State *L, const struct pattern *p, struct slice text, size_t offset,
                      struct pattern_match *out)
{
    const uint8_t *start = (const uint8_t *)text.data, *end;
    struct matcher m = {L, p->items + p->count, start, start + text.len, out->captures};

    end = match(&m, p->items, start + offset);
    if (!end)
        return false;
    out->start = offset;
    out->end = (size_t)(end - start);
    return true;
}

bool pattern_find(lua_State *L, const struct pattern *p, struct slice text, size_t offset,
                  struct pattern_match *out)
{
    do {
        if (pattern_match_at(L, p, text, offset, out))
            return true;
    } while (!p->anchored && ++offset <= text.len);
    return false;
}

/* What a policy decided, without Lua: what it means for members and for the fields that are sent. */
#include "config/route_state.h"
#include "script/hook.h"

#include <stdio.h>
#include <stdlib.h>

void hook_body_free(struct hook_body *body)
{
    free(body->data);
    *body = (struct hook_body){0};
}

void hook_exchange_clear(struct hook_exchange *ex)
{
    hook_body_free(&ex->answer);
    hook_body_free(&ex->page);
    ex->target = ex->to_host = ex->rate_key = ex->kept = slice_of(NULL, 0);
    ex->status = 0;
    ex->edit_count = ex->tag_count = ex->choice_count = 0;
    ex->text_len = 0;
}

enum hook_member hook_member(const struct hook_exchange *ex, const struct route_state *state)
{
    bool rather = false, use = false, used = false, only = false, chosen = false;

    for (unsigned i = 0; i < ex->choice_count; i++) {
        bool named = hook_names_member(ex->choice[i].who, state);

        switch (ex->choice[i].how) {
        case HOOK_USE:
            use = true;
            used = used || named;
            break;
        case HOOK_AVOID:
            rather = rather || named;
            break;
        case HOOK_ONLY:
            only = true;
            chosen = chosen || named;
            break;
        case HOOK_EXCLUDE:
            if (named)
                return HOOK_MEMBER_NEVER;
        }
    }
    if (only && !chosen)
        return HOOK_MEMBER_NEVER;
    return rather || (use && !used) ? HOOK_MEMBER_RATHER_NOT : HOOK_MEMBER_ANY;
}

bool hook_names_member(struct slice who, const struct route_state *state)
{
    char id[17];

    if (slice_eq(who, slice_str(state->instance)) || slice_eq(who, slice_str(state->service)) ||
        slice_eq(who, slice_str(state->route_id)))
        return true;
    if (who.len != sizeof(id) - 1)
        return false;
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)state->identity);
    return slice_eq(who, slice_of(id, sizeof(id) - 1));
}

const struct hook_field *hook_edit_of(const struct hook_exchange *ex, struct slice name)
{
    for (unsigned i = ex->edit_count; i > 0; i--)
        if (slice_eq_nocase(ex->edit[i - 1].name, name))
            return &ex->edit[i - 1];
    return NULL;
}

void hook_edit_fields(const struct hook_exchange *ex, struct field_list *out)
{
    for (unsigned i = 0; i < ex->edit_count; i++) {
        field_list_remove(out, ex->edit[i].name);
        if (ex->edit[i].value.data)
            field_list_add(out, ex->edit[i].name, ex->edit[i].value);
    }
}

void hook_answer_fields(const struct hook_exchange *ex, struct field_list *out)
{
    bool typed = false;

    for (unsigned i = 0; i < ex->edit_count; i++) {
        field_list_add(out, ex->edit[i].name, ex->edit[i].value);
        typed = typed || slice_eq_nocase(ex->edit[i].name, SLICE("content-type"));
    }
    if (!typed && ex->answer.len)
        field_list_add(out, SLICE("Content-Type"), SLICE("text/plain; charset=utf-8"));
}

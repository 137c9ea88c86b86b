#include "config/snapshot.h"

#include "base/check.h"
#include "base/hash.h"
#include "config/page.h"
#include "tls/server_context.h"

#include <stdlib.h>

uint64_t snapshot_member_hash(const struct route_state *state)
{
    return hash_u64((uintptr_t)state);
}

const struct member *snapshot_member(const struct snapshot *s, const struct route_state *state)
{
    uint64_t hash = snapshot_member_hash(state), at = hash;
    const struct member *m;

    while ((m = table_next(s->members, hash, &at)))
        if (m->state == state)
            return m;
    return NULL;
}

void snapshot_free(struct snapshot *s)
{
    if (!s)
        return;
    ASSERT_CONTROL();
    CHECK(s->leases == 0);
    lineage_release(s->lineage, &s->version);
    settings_unref((struct settings *)s->settings);
    page_book_unref((struct page_book *)s->pages);
    server_context_unref(s->tls);
    free(s);
}

#include "config/lineage.h"

#include "base/check.h"

#include <stddef.h>

void lineage_init(struct lineage *l)
{
    l->editing = 1;
    list_init(&l->versions);
}

void lineage_add(struct lineage *l, struct lineage_node *node, void (*free)(struct lineage_node *))
{
    *node = (struct lineage_node){.born = l->editing, .free = free};
}

static void push(struct lineage_node **dead, struct lineage_node *node)
{
    node->next = *dead;
    *dead = node;
}

void lineage_drop(struct lineage *l, struct lineage_node *node)
{
    ASSERT_CONTROL();
    if (!node)
        return;
    /* One that is older is in the newest version, as nothing left it since. */
    if (lineage_is_own(l, node))
        node->free(node);
    else
        push(&CONTAINER_OF(l->versions.prev, struct lineage_version, link)->dead, node);
}

void lineage_commit(struct lineage *l, struct lineage_version *v)
{
    ASSERT_CONTROL();
    *v = (struct lineage_version){.number = l->editing++};
    list_push_back(&l->versions, &v->link);
}

void lineage_release(struct lineage *l, struct lineage_version *v)
{
    struct lineage_version *before = NULL;

    ASSERT_CONTROL();
    CHECK(v->link.prev && v->link.next);
    if (v->link.prev != &l->versions)
        before = CONTAINER_OF(v->link.prev, struct lineage_version, link);
    while (v->dead) {
        struct lineage_node *node = v->dead;

        v->dead = node->next;
        if (before && node->born <= before->number)
            push(&before->dead, node);
        else
            node->free(node);
    }
    list_remove(&v->link);
}

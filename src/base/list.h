/* list.h - an intrusive doubly linked ring.
 *
 * A struct list is either a head or a member embedded in a larger struct. An unlinked member points to
 * itself, so unlinking twice is harmless.
 *
 * Thread: the one that owns the ring. Ownership: none; members belong to whoever embeds them. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *prev, *next;
};

/* The struct of the given type whose member field is at node. */
#define CONTAINER_OF(node, type, member) ((type *)((char *)(node) - offsetof(type, member)))

/* Walks from head; the current node may be removed on the way. */
#define LIST_EACH(node, tmp, head) \
    for ((node) = (head)->next, (tmp) = (node)->next; (node) != (head); (node) = (tmp), (tmp) = (node)->next)

static inline void list_init(struct list *l)
{
    l->prev = l->next = l;
}

static inline bool list_empty(const struct list *head)
{
    return head->next == head;
}

static inline void list_push_back(struct list *head, struct list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_push_back(head->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

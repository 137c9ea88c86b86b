/* descriptor_plan.h - who may have how many of the process's descriptors.
 *
 * Workers get what is left once everything is open and a reserve was kept back for control: the registry's connections, scripts,
 * logs, probes, names. Clients may have half of the workers' unless limits.connections says otherwise, as each may need a connection to
 * a backend.
 *
 * Thread: any; pure. FFI-clean. */
#ifndef FFI_CDEF
#pragma once
#include <stdint.h>
#endif

struct descriptor_plan {
    uint64_t reserve; /* of control */
    uint64_t probes;  /* of these, connections that ask backends how they are, at least 4 */
    uint64_t registry; /* connections of the registry that may be, whatever its limit says, at least 1 */
    uint64_t workers; /* of all workers together, at least 2 */
    uint64_t clients; /* of these, connections of clients, at least 1 */
};

/* limit: descriptors of the process. open: that it has open before it serves anybody. registry: connections that the registry may have. */
void descriptor_plan_make(struct descriptor_plan *plan, uint64_t limit, uint64_t open, uint64_t registry);

/* How many descriptors it takes for so many clients (limits.connections), each with a backend, and as many connections of the registry. */
uint64_t descriptor_plan_needs(uint64_t open, uint64_t registry, uint64_t clients);

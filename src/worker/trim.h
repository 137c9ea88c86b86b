/* trim.h - a worker's memory follows the load down.
 *
 * What a worker keeps for reuse (blocks, requests, exchanges of policies, encoders) was needed at its busiest moment. A timer looks
 * twice in timeouts.spare_memory and gives back to malloc what nobody needed for that long; control then gives malloc's pages back to
 * the system (control/give_back.h).
 *
 * Thread: the worker's, or control before it starts and after it ended. Ownership: stores and timer are the worker's. */
#pragma once

struct worker;

/* Empty stores, and no timer yet. */
void trim_init(struct worker *w);

/* Sets the timer by the settings of the newest lease. A timer that is right runs on: applies may come faster than it. */
void trim_adopt(struct worker *w);

/* Frees the stores of requests and exchanges; blocks and encoders have owners of their own. */
void trim_fini(struct worker *w);

/* give_back.h - pages that malloc has and nobody uses go back to the system.
 *
 * Workers free what they have not needed for a while (worker/trim.h), but free alone keeps the pages: thresholds are high, as a page
 * fault costs more than a request's own work. So control does it, twice in timeouts.spare_memory, for the arenas of all threads. A
 * thread that asks malloc meanwhile waits until its arena is done, a millisecond where 8 MiB go; requests on kept connections do not ask.
 *
 * Thread: control. Ownership: the timer is control's. */
#pragma once

struct control;

/* Begins, or goes on as the settings in force say. */
void give_back_follow(struct control *c);

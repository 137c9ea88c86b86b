/* scripts_tell.h - what is said about scripts, in the log and to subscribers of global_config_changed.
 *
 * Thread: control. */
#pragma once
#include "control/scripts.h"

/* Takes an error apart: "commands/x.lua:3: reason". Bytes that have no place in a registry line are replaced. */
void scripts_fault_set(struct scripts_fault *fault, const struct error *err);

/* A generation is in service: log, before its pages are everywhere. old: the one before. */
void scripts_log_serving(const struct scripts *s, const struct bundle *old, const char *why);

/* ... and event, once they are. taken_back: the generation that was given up for it, 0: none. */
void scripts_send_serving(struct control *c, const struct bundle *old, const struct bundle *now,
                          uint64_t taken_back, const char *reason);

/* Scripts were refused (s->refused): log and event. */
void scripts_tell_refused(const struct scripts *s, const char *why);

/* A policy was switched off: log and event. kind: "health" or "request"; without: what happens from now on. */
void scripts_tell_policy_off(const struct scripts *s, const char *kind, const char *policy,
                             const char *without, const struct scripts_fault *fault);

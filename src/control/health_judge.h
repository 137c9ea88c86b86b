/* health_judge.h - what a result of a health check means: its policy's word, and what holds without one.
 *
 * Thread: control. */
#pragma once
#include "guard/health_history.h"

struct vm;

/* What a member is now that a result has come in; facts hold it. before is what held so far. The policy is not asked
 * about the first result. When it fails, what it said last goes on to hold, and rise and fall when it never said
 * anything or is off. *judged: has the policy ever answered for this check? */
struct health_judgement health_judge(struct vm *vm, const char *policy, const struct health_facts *facts,
                                     const struct health_judgement *before, bool *judged);

/* vm_health.h - asking the health policies of scripts/health/.
 *
 * Thread: control. */
#pragma once
#include "base/check.h"
#include "guard/health_history.h"

struct vm;

/* Is there a policy of this name? */
bool vm_has_policy(const struct vm *vm, const char *name);

/* Was it switched off, since it failed too often? */
bool vm_policy_off(const struct vm *vm, const char *name);

/* Asks a policy that there is. False: it failed - raised, answered nonsense, took longer than its
 * time (then it is left alone for a while) - or is off, and *out is as it was. The first failure of a
 * row is logged, at most one a second; as many as scripts_rollback says switch it off for the VM's life. */
MUST_USE bool vm_judge(struct vm *vm, const char *name, const struct health_facts *facts,
                       struct health_judgement *out);

/* vm_load.h - the scripts of a bundle, into a fresh VM.
 *
 * Thread: control. */
#pragma once
#include "script/vm_state.h"

struct bundle;

/* Opens the sandbox, loads all scripts and lets each check itself, within scripts_budget.load together. False:
 * err names file, line and what to mend. */
MUST_USE bool vm_load(struct vm *vm, const struct bundle *bundle, struct error *err);

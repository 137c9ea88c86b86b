/* vm_load.h - the scripts of a directory, into a fresh VM.
 *
 * Thread: control. */
#pragma once
#include "script/vm_state.h"

/* Opens the sandbox and loads commands/, hooks/ and health/ of dir. False: err names file, line and
 * what to mend. */
MUST_USE bool vm_load(struct vm *vm, const char *dir, struct error *err);

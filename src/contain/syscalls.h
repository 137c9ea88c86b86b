/* syscalls.h - which system calls the process can make from now on (seccomp).
 *
 * What a proxy needs once it serves is allowed. What only somebody who has taken the process over would try - to run
 * a program, to look into another process, to mount, to load code, to change who it is - ends the process with SIGSYS,
 * which base/crash.h reports with the call's number. Everything else fails: sockets of other families than IPv4 and
 * IPv6 with EAFNOSUPPORT, memory that can be executed with EACCES, other calls with ENOSYS, as on a kernel that does not
 * have them: that is what libraries can cope with when they try something newer.
 *
 * Thread: the main thread; every thread of the process is bound at once. */
#ifndef FFI_CDEF
#pragma once
#include "base/check.h"
#endif

/* Puts the filter in force; it can never be taken off. The process must have no new privileges to gain
 * (identity_close). 0 or -errno. */
MUST_USE int syscalls_restrict(void);

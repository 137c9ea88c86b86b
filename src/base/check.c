#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Thread_local const void *check_thread_owner;
const char check_control_token = 'c';

void check_failed(const char *cond, const char *file, int line)
{
    fprintf(stderr, "tidelock: check failed: %s (%s:%d)\n", cond, file, line);
    abort();
}

void check_own_thread(const void *owner)
{
    check_thread_owner = owner;
}

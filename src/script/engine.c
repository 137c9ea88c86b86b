#include "script/engine.h"

#include <luajit.h>

const char *engine_version(void)
{
    return LUAJIT_VERSION;
}

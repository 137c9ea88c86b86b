#include "script/lua_version.h"

#include <luajit.h>

const char *lua_version(void)
{
    return LUAJIT_VERSION;
}

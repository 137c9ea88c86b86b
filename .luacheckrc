-- luacheck's settings: no globals of our own anywhere.
std = "luajit"
max_line_length = 120 -- 100 is the rule of style, this the limit
codes = true
self = false -- methods that need no self are still methods

-- Trusted library and scripts run sandboxed: what the sandbox takes away is an undefined global here.
local sandbox = { read_globals = {}, not_globals = { "io", "debug", "loadfile", "dofile", "jit" } }
files["lua"] = sandbox
files["scripts"] = sandbox

files["spec/**/*_spec.lua"] = { std = "luajit+busted" }
files["spec/chaos/soak.lua"] = { std = "luajit+busted" } -- a spec that runs only when asked for

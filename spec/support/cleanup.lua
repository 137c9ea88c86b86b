--- What a spec has started, so that the helper can stop it at the spec's end, also when it
-- failed.

local loop = require("spec.support.loop")

local cleanup = {}

local things = {}
local shared = {} -- what outlives the spec it was started before

--- Registers something with a method that ends it.
-- @param thing has method cleanup(failed): called once, newest first; may raise an error
function cleanup.add(thing)
  things[#things + 1] = thing
  return thing
end

--- Forgets a thing that has ended by itself.
function cleanup.remove(thing)
  for i = #things, 1, -1 do
    if things[i] == thing then
      table.remove(things, i)
    end
  end
end

local function end_all(list, failed)
  local first
  while #list > 0 do
    local thing = table.remove(list)
    local ok, err = pcall(thing.cleanup, thing, failed)
    if not ok and not first then
      first = err
    end
  end
  return first
end

--- Ends everything but what is shared.
-- @param failed has the spec failed?
-- @return the first error, or nil
function cleanup.run(failed)
  return end_all(things, failed)
end

--- For a file whose specs use one proxy and one origin: in setup(). Whatever start() starts, tasks included,
-- goes on until cleanup.end_shared(), which belongs into teardown().
-- @return what start returned
function cleanup.share(start)
  local own = things
  things = shared
  local ok, result = pcall(loop.keep, start)
  things = own
  if not ok then
    cleanup.end_shared()
    error(result, 0)
  end
  return result
end

--- Ends what is shared; raises the first error.
function cleanup.end_shared()
  local first = end_all(shared, false)
  loop.forget_kept()
  if first then
    error(first, 0)
  end
end

return cleanup

--- What a spec has started, so that the helper can stop it at the spec's end, also when it
-- failed.

local cleanup = {}

local things = {}

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

--- Ends everything.
-- @param failed has the spec failed?
-- @return the first error, or nil
function cleanup.run(failed)
  local first
  while #things > 0 do
    local thing = table.remove(things)
    local ok, err = pcall(thing.cleanup, thing, failed)
    if not ok and not first then
      first = err
    end
  end
  return first
end

return cleanup

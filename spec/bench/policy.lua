--- The request policy of benchmarks: what most policies do.

local sys = require("spec.support.sys")

local policy = {}

local POLICY = [[
return {
  summary = "One header read, one set each way.",
  on_request = function(req)
    if req:header("User-Agent") then
      req:set_header("X-Seen", "yes")
    end
  end,
  on_response = function(res)
    res:set_header("X-Answered", "yes")
  end,
}
]]

--- A directory of the product's scripts and the policy "bench".
function policy.scripts()
  local dir = sys.temp_dir()
  os.execute(("cp -r scripts %s/scripts"):format(dir))
  sys.write_file(dir .. "/scripts/policies/bench.lua", POLICY)
  return dir .. "/scripts"
end

return policy

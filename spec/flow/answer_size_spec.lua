--- Answers that would be larger than any may be: a refusal, never a failure of scripts, which would put others out of service.

local cjson = require("cjson")
local origin = require("spec.support.origin")
local reloads = require("spec.flow.reloads")

local TOO_LARGE = "ERROR|response too large"

local function add_routes(r, count)
  local url = origin.refusing_url()
  for from = 1, count, 100 do
    local list = {}
    for i = from, math.min(from + 99, count) do
      list[#list + 1] = { domains = { ("h%d.example"):format(i) }, path = "/", backend_url = url }
    end
    r:ok("ROUTE_ADD_BULK", cjson.encode(list))
  end
  r:ok("CONFIG_APPLY")
end

describe("an answer", function()
  it("about more routes than can be told is refused, and the scripts are not blamed", function()
    local _, r = reloads.start { config = { scripts_budget = { command = "10s" } } }
    add_routes(r, 5001)
    for _ = 1, 6 do
      assert.equal(TOO_LARGE .. ", use compressed", r:call("STATS_GET", "ALL"))
      assert.equal(TOO_LARGE, r:call("STATS_GET", "ALL", "compressed"))
    end
    assert.equal(0, reloads.status(r).failures)
    assert.equal("r5001", cjson.decode((r:ok("STATS_GET", "r5001"))).route_id)
    r:ok("ROUTE_REMOVE", "r1")
    r:ok("CONFIG_APPLY")
    assert.matches("^STATS_OK|%S+$", r:call("STATS_GET", "ALL", "compressed"))
  end)

  it("with more values than a text may have is too large in both forms", function()
    local body = [[
      local all, json = {}, require("json")
      local some = json.array({ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19 })
      for i = 1, 13000 do all[i] = some end
      if true then return reply.json("MANY_OK", json.array(all), cmd.form) end]]
    local more = 'args = { { "form", function(text) return text end, optional = true } },'
    local _, r = reloads.start {
      config = { scripts_budget = { command = "10s" } },
      files = { ["commands/many.lua"] = reloads.command("MANY", body, more) },
    }
    assert.equal(TOO_LARGE .. ", use compressed", r:call("MANY"))
    assert.equal(TOO_LARGE, r:call("MANY", "compressed"))
    assert.equal(0, reloads.status(r).failures)
  end)
end)

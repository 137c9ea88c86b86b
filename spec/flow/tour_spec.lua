local loop = require("spec.support.loop")
local process = require("spec.support.process")
local sys = require("spec.support.sys")

local SCALE = 0.2 * loop.SLOWNESS
local LIMIT = 90 * loop.SLOWNESS

local function start()
  return process.start({ "/usr/bin/luajit", "spec/demo/tour.lua", tostring(SCALE) }, {
    name = "tour", env = { DEMO_PORTS = "any", LC_ALL = "C.UTF-8" },
  })
end

describe("the tour", function()
  it("keeps every promise of every act, and prints plain text to a file", function()
    local tour = start()
    local code = tour:wait_exit(LIMIT)
    local out = sys.read_file(tour.stdout)
    assert.equal(0, code, tour:output())
    for _, line in ipairs({
      "the shops take turns", "DRAIN_OK|", "drain_completed  shop%-a", "were turned away; %d+%.%d %% were due",
      "during the drain: %d+ answers, all of them 200, not one failed", "<title>shop: maintenance</title>",
      "X%-Maintenance%-Mode: true", '{"error":"maintenance"', "closed → open %(failures in a row%)",
      "X%-Circuit%-State: open", "half%-open → closed %(probes passed%)", 'RateLimit%-Policy: "tidelock";q=50;w=1',
      "shop%-b is down, ", "shop%-b serves again", "\n  health +%d+ +%d+ +· +· +· +· +· +kept\n",
      "All promises were kept",
    }) do
      assert.truthy(out:find(line), "no line like " .. line .. "\n" .. out)
    end
    assert.is_nil(out:find("\27", 1, true))
    for line in out:gmatch("[^\n]+") do
      local _, columns = line:gsub("[^\128-\191]", "")
      assert.is_true(columns <= 80, line)
    end
  end)

  it("fails when the proxy does", function()
    local tour = start()
    local pid = tour:wait_line("^The proxy %(process (%d+)%)")
    tour:wait_line("the shops take turns", LIMIT)
    require("ffi").C.kill(tonumber(pid), 9)
    assert.equal(1, tour:wait_exit(LIMIT))
  end)
end)

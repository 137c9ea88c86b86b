--- Steady traffic over the members of a group.

local screen = require("spec.demo.screen")

return {
  name = "steady",
  title = "Steady traffic",
  text = "Two shops share one host and path; clients ask 200 times a second.",
  run = function(g, tally)
    local function draw()
      return g:shop_lines(), nil
    end
    for _, instance in ipairs({ "shop-a", "shop-b" }) do
      local console, route = g:console(g.services[instance]), g.services[instance].route
      g:wait(instance .. " warmed up", 30, function()
        return g:json(console, "ROUTE_STATUS", route).effective.use == "full"
      end, draw)
    end
    local counted = g.shop:count()
    g:pause(3, draw)
    g.shop:uncount(counted)
    screen.show(g:shop_lines(), "steady")
    local a, b = counted.from["shop-a"] or 0, counted.from["shop-b"] or 0
    g:promise(math.abs(a - b) <= 2 + 0.02 * (a + b), "the shops take turns: %d and %d answers", a, b)
    g:promise_all_well(tally.all(), "steady traffic")
  end,
}

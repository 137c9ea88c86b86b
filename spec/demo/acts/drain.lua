--- A drain of one member: what should be turned away, what is, and what clients notice of it.

local log_line = require("spec.support.log_line")
local loop = require("spec.support.loop")
local screen = require("spec.demo.screen")
local share = require("spec.support.share")

local SECONDS = 8
local TOLERANCE = 0.05 -- for what is under way while it is counted

-- Reads the proxy's counters every now and then: the share of what came to the member that it turned away since.
local function meter(g, console)
  local self = { share = 0, come = 0, due = 0, first = nil, due_sum = 0, answers = 0 }
  local last, next_at, due_sum, answers = nil, 0, 0, 0

  function self.sample()
    local stats = g:json(console, "STATS_GET", "r1")
    local now = { turned = stats.rejected.drain, taken = stats.requests }
    self.first = self.first or now
    if last then
      self.come = now.turned - last.turned + now.taken - last.taken
      self.share = self.come > 0 and (now.turned - last.turned) / self.come or self.share
      self.due = self.answers > answers and (self.due_sum - due_sum) / (self.answers - answers) or self.due
    end
    last, due_sum, answers, next_at = now, self.due_sum, self.answers, loop.now() + g:seconds(0.8)
  end

  function self.sample_if_due()
    if loop.now() >= next_at then
      self.sample()
    end
  end

  --- Over the whole drain: share turned away, share that should have been.
  function self.whole()
    local turned, taken = last.turned - self.first.turned, last.taken - self.first.taken
    return turned / math.max(1, turned + taken), self.due_sum / math.max(1, self.answers)
  end
  return self
end

local function lines(g, meter_now, elapsed, length)
  local over = math.min(1, elapsed / length)
  local shown = g:shop_lines()
  table.insert(shown, 1, g.share_line("time over", over, "yellow", ("%.1f of %.1f s"):format(
    math.min(elapsed, length), length)))
  table.insert(shown, 2, g.share_line("turned away", meter_now.share, "red", ("of %d (due: %.0f %%)"):format(
    meter_now.come, meter_now.due * 100)))
  return shown
end

-- The moment at which the drain started, on this program's clock, by the proxy's log.
local function start_of(g)
  local logged = g.proxy:wait_log('time=(%S+) level=info msg="[^"]*[Dd]rain started')
  return loop.now() - (share.now_ms() - log_line.wall_ms(logged)) / 1000
end

-- Watches the drain to its end.
local function watch(g, measured, started, length)
  g:wait_event("drain_completed", { instance = "shop-a" }, length + 10, function()
    local elapsed = loop.now() - started
    measured.sample_if_due()
    return lines(g, measured, elapsed, length), math.min(3, math.floor(elapsed / length * 4))
  end)
  measured.sample()
  screen.show(lines(g, measured, loop.now() - started, length), "end")
  screen.leave()
end

local function cancel(g, console)
  screen.say("  > DRAIN_CANCEL: it comes back little by little (option slow_start)")
  console:ok("DRAIN_CANCEL")
  g:pause(3.5, function()
    return g:shop_lines(), nil
  end)
  screen.show(g:shop_lines(), "after")
  g:promise((g.recent.from["shop-a"] or 0) > 0, "shop-a has requests again")
end

return {
  name = "drain",
  title = "A drain: DRAIN_START, DRAIN_STATUS, DRAIN_CANCEL",
  text = "shop-a is to go: elapsed / duration of its requests go elsewhere, none is lost.",
  run = function(g, tally)
    local a, length = g:console(g.services["shop-a"]), g:seconds(SECONDS)
    local measured = meter(g, a)
    screen.say("  > DRAIN_START|...|%s", g:duration(SECONDS))
    measured.sample()
    local started = loop.now()
    g.shop.on_answer = function()
      measured.due_sum = measured.due_sum + math.min(1, math.max(0, (loop.now() - started) / length))
      measured.answers = measured.answers + 1
    end
    screen.say("  < DRAIN_OK|%s", a:ok("DRAIN_START", g:duration(SECONDS)))
    started = start_of(g)
    watch(g, measured, started, length)
    g.shop.on_answer = nil
    local status = g:json(a, "DRAIN_STATUS")
    screen.say("  < DRAIN_STATUS_OK|... completed %s, traffic_percent %d", tostring(status.completed),
      status.traffic_percent)
    local turned, due = measured.whole()
    g:promise(math.abs(turned - due) <= TOLERANCE,
      "over the whole drain %.1f %% were turned away; %.1f %% were due", turned * 100, due * 100)
    g:promise(status.completed and status.traffic_percent == 0, "it has completed: nothing goes there any more")
    g:promise_all_well(tally.all(), "during the drain")
    cancel(g, a)
  end,
}

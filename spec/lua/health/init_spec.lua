require("spec.lua.host")

--- A fresh module: what is defined stays defined.
local function fresh()
  package.loaded.health = nil
  return require("health")
end

local function policy(judge)
  return { summary = "One's own.", judge = judge or function() return "healthy" end }
end

--- What a policy's judge returns, as health.judge has it.
local function judged(...)
  local health, answer = fresh(), { ... }
  health.define("own", "own.lua", policy(function() return answer[1], answer[2], answer[3] end))
  return health.judge("own", { count = 1 })
end

local function refuses(message, ...)
  local answer = { ... }
  assert.has_error(function() judged(answer[1], answer[2], answer[3]) end, "own.lua: " .. message)
end

describe("a health policy", function()
  it("is known under its name once it is defined", function()
    local health = fresh()
    health.define("b", "b.lua", policy())
    health.define("a", "a.lua", policy())
    assert.is_true(health.known("a"))
    assert.is_false(health.known("c"))
    assert.same({ "a", "b" }, health.names())
  end)

  it("is given the check and answers for it", function()
    local health, seen = fresh(), nil
    health.define("own", "own.lua", policy(function(check)
      seen = check
      return "down", "status_503"
    end))
    assert.same({ "down", "status_503" }, { health.judge("own", { count = 7 }) })
    assert.equal(7, seen.count)
  end)

  it("may answer healthy, degraded with a share, or down", function()
    assert.same({ "healthy" }, { judged("healthy") })
    assert.same({ "degraded", "slow", 0.25 }, { judged("degraded", "slow", 0.25) })
    assert.same({ "down" }, { judged("down") })
  end)

  it("has its share dropped unless it answers degraded", function()
    assert.is_nil((select(3, judged("healthy", nil, 0.5))))
  end)

  it("may not answer anything else", function()
    refuses('judge answered "sick" instead of "healthy", "degraded" or "down"', "sick")
    refuses('judge answered a nil instead of "healthy", "degraded" or "down"')
    refuses('judge answered a boolean instead of "healthy", "degraded" or "down"', true)
  end)

  local share = "judge answered degraded without a share above 0 and at most 1"
  for name, value in pairs { ["0"] = 0, ["1.1"] = 1.1, text = "0.5", nan = 0 / 0, ["-1"] = -1 } do
    it("may not give a share that is " .. name, function()
      refuses(share, "degraded", nil, value)
    end)
  end

  local reason = "judge gave a reason that is not one word of letters, digits, _, - and ."
  for name, value in pairs { words = "two words", empty = "", number = 5, long = ("x"):rep(64), quote = 'a"b' } do
    it("may not give a reason that is no token: " .. name, function()
      refuses(reason, "down", value)
    end)
  end
end)

describe("a health policy's script", function()
  local function refused(message, value, name)
    assert.has_error(function() fresh().define(name or "own", "own.lua", value) end, "own.lua: " .. message)
  end

  it("has to return a table with summary and judge, and nothing else", function()
    refused("must return a table: return { summary = \"...\", judge = function(check) ... end }", 5)
    refused("judge is missing (a function)", { summary = "x" })
    refused("summary is missing (a string)", { judge = print })
    refused("judge must be a function", { summary = "x", judge = 5 })
    refused("unknown key jugde", { summary = "x", judge = print, jugde = print })
  end)

  it("has to have a name that the option health_policy can say", function()
    refused("a policy's name is letters, digits, _ and -, at most 64 of them", policy(), "a b")
  end)

  it("cannot come once loading has ended", function()
    local health = fresh()
    health.seal()
    assert.has_error(function() health.define("own", "own.lua", policy()) end)
  end)
end)

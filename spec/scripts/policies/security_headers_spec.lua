local behind = require("spec.scripts.policies.behind")

local NAMES = { "X-Content-Type-Options", "Referrer-Policy", "X-Frame-Options", "Content-Security-Policy",
  "Strict-Transport-Security" }

local function values(answer)
  local list = {}
  for i, name in ipairs(NAMES) do
    list[i] = answer.headers[name] or "none"
  end
  return list
end

describe("the policy security_headers", function()
  it("adds what is safe for everybody", function()
    assert.same({ "nosniff", "strict-origin-when-cross-origin", "DENY", "none", "none" },
      values(behind.start("security_headers"):get("/")))
  end)

  it("adds what it is told", function()
    local b = behind.start("security_headers", "hsts=60 csp='default-src https:' frame=SAMEORIGIN")
    assert.same({ "nosniff", "strict-origin-when-cross-origin", "SAMEORIGIN", "default-src https:", "max-age=60" },
      values(b:get("/")))
  end)

  it("leaves what the backend says, and adds to the proxy's own answers", function()
    local b = behind.start("security_headers", nil, {
      handler = function() return { headers = { ["X-Frame-Options"] = "SAMEORIGIN" } } end,
    })
    assert.equal("SAMEORIGIN", b:get("/").headers["X-Frame-Options"])
    b.origin:kill()
    local answer = b:get("/")
    assert.same({ 502, "DENY" }, { answer.status, answer.headers["X-Frame-Options"] })
  end)
end)

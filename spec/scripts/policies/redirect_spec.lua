local behind = require("spec.scripts.policies.behind")

local function location(b, host, headers)
  local answer = b:get("/p?q", { host = host, headers = headers })
  return answer.headers["Location"] or answer.status
end

describe("the policy redirect", function()
  it("sends plain HTTP to HTTPS", function()
    local b = behind.start("redirect", "https=true")
    assert.equal(308, b:get("/", { host = "a.example" }).status)
    assert.equal("https://a.example/p?q", location(b, "a.example"))
    assert.equal("https://a.example/p?q", location(b, "a.example:8080"))
    assert.equal(0, b.origin:count())
  end)

  it("believes a trusted proxy that it was HTTPS, and nobody else", function()
    local headers = { ["X-Forwarded-Proto"] = "https" }
    local trusting = behind.start("redirect", "https=true", { config = { trusted_proxies = { "127.0.0.0/8" } } })
    assert.equal(200, location(trusting, "a.example", headers))
    assert.equal("https://a.example/p?q", location(behind.start("redirect", "https=true"), "a.example", headers))
  end)

  it("adds or removes www., once", function()
    local add, remove = behind.start("redirect", "www=add"), behind.start("redirect", "www=remove status=302")
    assert.same({ "http://www.a.example:81/p?q", 200 },
      { location(add, "a.example:81"), location(add, "www.a.example") })
    assert.same({ "http://a.example/p?q", 200 }, { location(remove, "WWW.a.example"), location(remove, "a.example") })
    assert.equal(302, remove:get("/", { host = "www.a.example" }).status)
  end)
end)

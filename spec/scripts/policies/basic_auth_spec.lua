local behind = require("spec.scripts.policies.behind")

-- The SHA-256 of "secret".
local DIGEST = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"

local function start(args)
  return behind.start("basic_auth", args or "realm='Back office' users=bob:0,alice:" .. DIGEST)
end

local function get(b, authorization)
  return b:get("/", { headers = { Authorization = authorization } })
end

describe("the policy basic_auth", function()
  it("lets who knows name and password pass, and keeps them from the backend", function()
    local b = start()
    assert.equal(200, get(b, "Basic YWxpY2U6c2VjcmV0").status) -- alice:secret
    assert.is_nil(b:received().headers["Authorization"])
  end)

  it("asks everybody else", function()
    local b = start()
    local answer = b:get("/")
    assert.equal(401, answer.status)
    assert.equal('Basic realm="Back office", charset="UTF-8"', answer.headers["WWW-Authenticate"])
    for _, wrong in ipairs({
      "Basic YWxpY2U6c2VjcmV4", -- alice:secrex
      "Basic Ym9iOnNlY3JldA==", -- bob:secret
      "Basic Og==", "Basic YWxpY2U=", "Basic !", "Basic", "Bearer YWxpY2U6c2VjcmV0", "Basic OjA=",
    }) do
      assert.equal(401, get(b, wrong).status)
    end
    assert.equal(0, b.origin:count())
  end)

  it("lets nobody pass when it is not told who may", function()
    assert.equal(503, get(start("realm=x"), "Basic YWxpY2U6c2VjcmV0").status)
  end)
end)

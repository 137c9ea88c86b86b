local behind = require("spec.scripts.policies.behind")

describe("the policy sticky", function()
  it("keeps a client with the backend that answered it first", function()
    local b = behind.start("sticky", "cookie=at max_age=60")
    local other = b:join("two")
    local first = b:get("/")
    local cookie = first.headers["Set-Cookie"]
    assert.truthy(cookie:find("^at=%x+; Path=/; HttpOnly; SameSite=Lax; Max%-Age=60$"), cookie)
    local chosen = b.origin:count() == 1 and b.origin or other
    for _ = 1, 6 do
      local answer = b:get("/", { headers = { Cookie = cookie:match("^[^;]+") } })
      assert.is_nil(answer.headers["Set-Cookie"])
    end
    assert.equal(7, chosen:count())
  end)

  it("spreads clients without the cookie", function()
    local b = behind.start("sticky")
    local other = b:join("two")
    for _ = 1, 6 do
      b:get("/")
    end
    assert.same({ 3, 3 }, { b.origin:count(), other:count() })
  end)

  it("moves a client whose backend is gone, and its cookie", function()
    local b = behind.start("sticky")
    local other = b:join("two")
    local cookie = b:get("/").headers["Set-Cookie"]
    local gone = b.origin:count() == 1 and b.origin or other
    gone:kill()
    local answer = b:get("/", { headers = { Cookie = cookie:match("^[^;]+") } })
    assert.equal(200, answer.status)
    assert.truthy(answer.headers["Set-Cookie"])
    assert.not_equal(cookie, answer.headers["Set-Cookie"])
  end)
end)

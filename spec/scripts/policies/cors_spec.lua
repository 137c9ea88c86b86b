local behind = require("spec.scripts.policies.behind")

local A = "https://a.example"

local function preflight(b, origin)
  return b:get("/", { method = "OPTIONS",
    headers = { Origin = origin, ["Access-Control-Request-Method"] = "PUT" } })
end

describe("the policy cors", function()
  it("answers preflight requests of known origins", function()
    local b = behind.start("cors", ("origins=%s,https://b.example methods=GET,PUT headers=X-A max_age=60"):format(A))
    local answer = preflight(b, A)
    assert.same({ 204, A, "GET,PUT", "X-A", "60", "Origin" },
      { answer.status, answer.headers["Access-Control-Allow-Origin"], answer.headers["Access-Control-Allow-Methods"],
        answer.headers["Access-Control-Allow-Headers"], answer.headers["Access-Control-Max-Age"],
        answer.headers["Vary"] })
    assert.equal(0, b.origin:count())
  end)

  it("allows other origins nothing", function()
    local b = behind.start("cors", "origins=" .. A)
    local answer = preflight(b, "https://c.example")
    assert.equal(204, answer.status)
    assert.is_nil(answer.headers["Access-Control-Allow-Origin"])
    assert.is_nil(answer.headers["Access-Control-Allow-Methods"])
    assert.is_nil(b:get("/", { headers = { Origin = "https://c.example" } }).headers["Access-Control-Allow-Origin"])
  end)

  it("lets known origins have the response, with credentials where it is told so", function()
    local b = behind.start("cors", "credentials=true origins=" .. A)
    local answer = b:get("/", { headers = { Origin = A } })
    assert.same({ A, "true" },
      { answer.headers["Access-Control-Allow-Origin"], answer.headers["Access-Control-Allow-Credentials"] })
  end)

  it("lets everybody have it without credentials", function()
    local b = behind.start("cors", "credentials=true origins=*")
    local answer = b:get("/", { headers = { Origin = A } })
    assert.equal("*", answer.headers["Access-Control-Allow-Origin"])
    assert.is_nil(answer.headers["Access-Control-Allow-Credentials"])
    assert.is_nil(answer.headers["Vary"])
  end)

  it("passes other OPTIONS requests on", function()
    local b = behind.start("cors", "origins=*")
    assert.equal(200, b:get("/", { method = "OPTIONS" }).status)
    assert.equal(1, b.origin:count())
  end)
end)

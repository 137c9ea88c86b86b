local heads = require("spec.unit.http.heads")

-- A request of exactly this many bytes.
local function request_of(size)
  local start, finish = "GET / HTTP/1.1\r\nHost: a\r\nX: ", "\r\n\r\n"
  return start .. ("x"):rep(size - #start - #finish) .. finish
end

local function target_of(len)
  return "GET /" .. ("x"):rep(len - 1) .. " HTTP/1.1\r\nHost: a\r\n\r\n"
end

describe("the size of a head", function()
  it("may be the limit and no more, start line and empty line included", function()
    assert.equal("done", heads.parse_all_ways(request_of(200), { head_size = 200 }).result)
    assert.equal("head too big", heads.refusal(request_of(201), { head_size = 200 }))
  end)

  it("counts no byte behind the head", function()
    local answer = heads.parse(request_of(200) .. ("x"):rep(500), { head_size = 200 })
    assert.equal(200, answer.used)
  end)

  it("counts empty lines before the head", function()
    assert.equal("done", heads.parse_all_ways("\r\n" .. request_of(198), { head_size = 200 }).result)
    assert.equal("head too big", heads.refusal("\r\n" .. request_of(199), { head_size = 200 }))
    assert.equal("head too big", heads.refusal(("\r\n"):rep(101), { head_size = 200 }))
    local behind = request_of(100) -- is none of the head's, and not looked at
    assert.equal("head too big", heads.refusal(("\r\n"):rep(101) .. behind, { head_size = 200, target_length = 40 }))
  end)

  it("is over as soon as no complete head can fit any more", function()
    local text = request_of(1000)
    assert.equal("more", heads.parse(text:sub(1, 199), { head_size = 200 }))
    assert.equal("head too big", heads.parse(text:sub(1, 200), { head_size = 200 }).result)
  end)

  it("may become less than what has come", function()
    for _, text in ipairs { request_of(300), ("\r\n"):rep(150), ("x"):rep(300) } do
      local scan = heads.scan()
      assert.equal("more", heads.parse(text:sub(1, 150), { head_size = 200 }, scan))
      assert.equal("head too big", heads.parse(text:sub(1, 160), { head_size = 100 }, scan).result)
    end
  end)

  it("is over for a line without end", function()
    assert.equal("head too big", heads.parse("GET", { head_size = 3 }).result)
    assert.equal("head too big", heads.parse(("x"):rep(300), { head_size = 200 }).result)
  end)

  it("may be larger than what http-parser takes by itself", function()
    assert.equal("done", heads.parse(request_of(200000), { head_size = 200000 }).result)
  end)

  it("holds for responses too", function()
    local options = { head_size = 50, response_to = heads.lib.METHOD_GET }
    local start = "HTTP/1.1 200 OK\r\nX: "
    assert.equal("done", heads.parse_all_ways(start .. ("x"):rep(50 - #start - 4) .. "\r\n\r\n", options).result)
    assert.equal("head too big", heads.refusal(start .. ("x"):rep(51 - #start - 4) .. "\r\n\r\n", options))
  end)
end)

describe("the number of fields", function()
  local function fields(count)
    local text = "GET / HTTP/1.1\r\nHost: a\r\n"
    for i = 2, count do
      text = text .. "X" .. i .. ": y\r\n"
    end
    return text .. "\r\n"
  end

  it("may be the limit and no more", function()
    assert.equal(10, #heads.parse_all_ways(fields(10), { field_count = 10 }).head.fields)
    local result, sentence = heads.refusal(fields(11), { field_count = 10 })
    assert.equal("head too big", result)
    assert.equal("too many fields", sentence)
  end)

  it("may be what the struct holds, whatever the limit says", function()
    assert.equal(128, #heads.head(fields(128), { field_count = 1000 }).fields)
    assert.equal("head too big", heads.parse(fields(129), { field_count = 1000 }).result)
  end)
end)

describe("the length of a target", function()
  it("may be the limit and no more", function()
    assert.equal(100, #heads.parse_all_ways(target_of(100), { target_length = 100 }).head.target)
    local result, sentence = heads.refusal(target_of(101), { target_length = 100 })
    assert.equal("target too big", result)
    assert.equal("request target too long", sentence)
  end)

  it("is over as soon as the target is, without the end of its line", function()
    local text = target_of(500)
    assert.equal("more", heads.parse(text:sub(1, 104), { target_length = 100 }))
    assert.equal("target too big", heads.parse(text:sub(1, 105), { target_length = 100 }).result)
  end)

  it("is looked at before the size of the head", function()
    assert.equal("target too big", heads.refusal(target_of(500), { target_length = 100, head_size = 150 }))
  end)

  it("is that of the target, not of the lines behind it", function()
    assert.equal("done", heads.parse_all_ways(request_of(300), { target_length = 1 }).result)
  end)

  it("holds behind empty lines", function()
    assert.equal("target too big", heads.refusal("\r\n\r\n" .. target_of(101), { target_length = 100 }))
  end)
end)

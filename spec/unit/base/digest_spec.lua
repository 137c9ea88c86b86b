local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/digest.h")

local function sha256(text)
  local out = ffi.new("uint8_t[?]", lib.DIGEST_SHA256_SIZE)
  lib.digest_sha256(text, #text, out)
  return (ffi.string(out, lib.DIGEST_SHA256_SIZE):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

describe("SHA-256", function()
  it("gives what FIPS 180-4 says for its examples", function()
    assert.equal("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", sha256(""))
    assert.equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", sha256("abc"))
  end)

  it("is SHA-1 in Base64 where WebSocket wants it so (the example of RFC 6455)", function()
    local text = "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    local sum, written = ffi.new("uint8_t[20]"), ffi.new("char[29]")
    lib.digest_sha1(text, #text, sum)
    lib.digest_base64(sum, 20, written)
    assert.equal("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", ffi.string(written))
  end)
end)

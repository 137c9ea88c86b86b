--- The certificates that the proxy shows to clients.

local check = require("check")
local json = require("json")
local reply = require("registry.reply")

local function describe_one(certificate)
  return json.object(
    "file", certificate.file,
    "names", json.array(certificate.names),
    "key", certificate.key,
    "not_before", json.time(certificate.not_before_ms),
    "not_after", json.time(certificate.not_after_ms),
    "days_left", certificate.days_left,
    "fingerprint", certificate.fingerprint,
    "stapled", certificate.stapled,
    "stapled_until", certificate.stapled_until_ms and json.time(certificate.stapled_until_ms) or json.null
  )
end

local function describe(conn)
  local list, handshakes = {}, conn:handshakes()
  for i, certificate in ipairs(conn:certificates()) do
    list[i] = describe_one(certificate)
  end
  return json.object(
    "certificates", json.array(list),
    "handshakes", json.object("done", handshakes.done, "resumed", handshakes.resumed, "failed", handshakes.failed)
  )
end

return {
  {
    name = "CERT_STATUS",
    summary = "Say which certificates clients are shown, until when they are good, and how handshakes went.",
    args = {
      { "form", check.one_of("compressed"), optional = true },
    },
    reply = "CERT_STATUS_OK|{json}",
    since = "0.1",
    errors = { "response too large, use compressed" },
    notes = "days_left: full days, -1 for an expired certificate. stapled: an OCSP answer goes with it. handshakes: "
      .. "since the start, with all workers; resumed are among those done.",
    run = function(cmd)
      return reply.json("CERT_STATUS_OK", describe(cmd.conn), cmd.form)
    end,
  },
}

--- Answers: a word and its fields. The registry puts the transaction id between them and watches
-- the length.

local host = require("host")

local reply = {}

--- Longest answer lines in bytes, the newline included: what the buffers of existing clients hold.
reply.LINE_MAX = 64 * 1024
reply.COMPRESSED_MAX = 1024 * 1024

local REASON_MAX = 1024 -- of a refusal, which may quote what it refuses

--- @param word string: the answer's first field
-- @param ... string or number: its other fields
-- @return answer
function reply.ok(word, ...)
  return { word = word, fields = { ... } }
end

--- An answer with a JSON field.
-- @param word string
-- @param value what to write as JSON
-- @param form "compressed": gzipped, in base64; nil: as it is
-- @return answer
function reply.json(word, value, form)
  local compressed = form == "compressed"
  local text, err = (compressed and host.json_pack or host.json_encode)(value)
  if text == nil then
    error("cannot be written as JSON: " .. err, 2)
  end
  return { word = word, fields = { text or nil }, too_long = not text,
    compressed = compressed, compressible = not compressed }
end

--- The line of an answer.
-- @param answer of reply.ok or reply.json
-- @param txn string or nil
-- @return string; or nil, reason
function reply.line(answer, txn)
  local parts, length = { answer.word }, #answer.word
  parts[2] = txn
  for _, field in ipairs(answer.fields) do
    parts[#parts + 1] = tostring(field)
  end
  for i = 2, #parts do
    length = length + 1 + #parts[i]
  end
  if answer.too_long or length >= (answer.compressed and reply.COMPRESSED_MAX or reply.LINE_MAX) then
    local advice = answer.compressible and ", use compressed" or ""
    return nil, "response too large" .. advice
  end
  return table.concat(parts, "|")
end

--- The line of a refusal. A reason is one line, whatever it quotes, and never longer than an answer
-- may be.
function reply.error(reason, txn)
  reason = tostring(reason):gsub("%c", " ")
  if #reason > REASON_MAX then
    reason = reason:sub(1, REASON_MAX):gsub("[\192-\255][\128-\191]*$", "") .. "..."
  end
  return txn and ("ERROR|%s|%s"):format(txn, reason) or "ERROR|" .. reason
end

return reply

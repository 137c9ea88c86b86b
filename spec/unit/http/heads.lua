--- Parsing heads in specs: C structs to plain tables, and every way to cut the bytes.

local assert = require("luassert")
local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/head.h", "http/parse.h")

local heads = { lib = lib }

ffi.cdef("void *malloc(size_t); void free(void *);")

local RESULTS = {
  [lib.PARSE_MORE] = "more", [lib.PARSE_DONE] = "done", [lib.PARSE_BAD] = "bad",
  [lib.PARSE_HEAD_TOO_BIG] = "head too big", [lib.PARSE_TARGET_TOO_BIG] = "target too big",
  [lib.PARSE_VERSION] = "version",
}

local BODIES = {
  [lib.BODY_NONE] = "none", [lib.BODY_LENGTH] = "length", [lib.BODY_CHUNKED] = "chunked",
  [lib.BODY_UNTIL_CLOSE] = "until close",
}

local function limits_of(options)
  return ffi.new("struct http_limits", {
    head_size = options.head_size or 16384,
    field_count = options.field_count or 100,
    target_length = options.target_length or 8192,
  })
end

local function fields_of(head)
  local fields = {}
  for i = 0, head.field_count - 1 do
    local field = head.fields[i]
    fields[i + 1] = {
      name = unit.text(field.name), value = unit.text(field.value), id = tonumber(field.id),
      hop_by_hop = field.hop_by_hop,
    }
  end
  return fields
end

-- All that a head says. What is not valid for its kind stands in the struct as zero.
local function describe_head(head)
  return {
    method = tonumber(head.method), method_text = unit.text(head.method_text), target = unit.text(head.target),
    path = unit.text(head.path), authority = unit.text(head.authority), host = unit.text(head.host),
    host_name = unit.text(head.host_name), via = unit.text(head.via),
    status = head.status, reason = unit.text(head.reason), minor = head.minor,
    body = BODIES[tonumber(head.body)], content_length = tonumber(head.content_length),
    keep_alive = head.keep_alive, expect_continue = head.expect_continue, te_trailers = head.te_trailers,
    upgrade = head.upgrade, fields = fields_of(head),
  }
end

-- The bytes in a block of exactly their size, so that a sanitizer sees a read past them.
local function block_of(text)
  local block = ffi.gc(ffi.C.malloc(#text), ffi.C.free)
  ffi.copy(block, text, #text)
  return block
end

-- One call. Returns "more", or the answer as a table.
local function step(text, scan, options)
  local head, used, err = ffi.new("struct http_head"), ffi.new("size_t[1]"), ffi.new("const char *[1]")
  ffi.fill(head, ffi.sizeof(head), 0xa5) -- what is not written by the parser is seen
  local block = block_of(text)
  local data, limits = ffi.cast("const char *", block), limits_of(options)
  local result
  if options.response_to then
    result = lib.http_parse_response(head, options.response_to, data, #text, scan, limits, used, err)
  else
    result = lib.http_parse_request(head, data, #text, scan, limits, used, err)
  end
  result = RESULTS[tonumber(result)]
  if result == "more" then
    return result
  elseif result == "done" then
    return { result = result, used = tonumber(used[0]), head = describe_head(head) }
  end
  return { result = result, error = ffi.string(err[0]) }
end

--- Where the search for the end of a head stands, for heads.parse.
function heads.scan()
  return ffi.new("struct http_scan")
end

--- Parses text that is there at once, or goes on with more of it.
-- @param text the bytes
-- @param options head_size, field_count, target_length; response_to: the method of the request
-- @param scan that of the call before, which had less of the same text; nil: this is the first
-- @return table: result, and used and head or error; "more" when text is no complete head
function heads.parse(text, options, scan)
  return step(text, scan or heads.scan(), options or {})
end

-- Feeds text up to each of the given lengths. The first answer that is not "more", and how much it took.
local function feed(text, lengths, options)
  local scan = ffi.new("struct http_scan")
  for _, len in ipairs(lengths) do
    local answer = step(text:sub(1, len), scan, options)
    if answer ~= "more" then
      return answer, len
    end
  end
  return "more"
end

--- Parses text whole, in two pieces cut at every place, and byte by byte; all must say the same.
-- @return as heads.parse
function heads.parse_all_ways(text, options)
  options = options or {}
  local whole = heads.parse(text, options)
  local trickle = {}
  for len = 0, #text do
    assert.same(whole, (feed(text, { len, #text }, options)))
    trickle[#trickle + 1] = len
  end
  local answer, taken = feed(text, trickle, options)
  assert.same(whole, answer)
  if answer.result == "done" then
    assert.equal(answer.used, taken)
  end
  return whole
end

--- The head of a request or response that has to be right.
function heads.head(text, options)
  local answer = heads.parse(text, options)
  assert.equal("done", answer.result, answer.error or answer)
  return answer.head
end

--- What is wrong with text: the result and the sentence, the same however it is cut.
function heads.refusal(text, options)
  local answer = heads.parse_all_ways(text, options)
  return answer.result or answer, answer.error
end

--- Parses a trailer section.
-- @return list of fields; nil, the result and the sentence
function heads.trailers(text, options)
  local head, err = ffi.new("struct http_head"), ffi.new("const char *[1]")
  local block = block_of(text)
  local slice = ffi.new("struct slice", { ffi.cast("const char *", block), #text })
  local result = lib.http_parse_trailers(head, slice, limits_of(options or {}), err)
  result = RESULTS[tonumber(result)]
  if result ~= "done" then
    return nil, result, ffi.string(err[0])
  end
  return fields_of(head)
end

return heads

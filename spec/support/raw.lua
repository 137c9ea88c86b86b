--- Words for the tables of raw requests in spec/flow/raw/: a case is { name, bytes, what is allowed to happen }.
--
-- What is allowed: statuses (of the answers, in order), seen (what the backend gets, as texts of
-- spec/support/recorder),
-- closed (the connection ends behind the last answer; else it goes on), partial (instead: the backend gets a beginning
-- of that text at most, and no whole request).

local raw = { HOST = "a.example" }

--- A request without body: "GET / HTTP/1.1" with a Host, and further lines as they are.
function raw.get(lines, first)
  return (first or "GET / HTTP/1.1") .. "\r\nHost: a.example\r\n" .. (lines or "") .. "\r\n"
end

--- A POST with further lines, then a body.
function raw.post(lines, body)
  return raw.get(lines, "POST / HTTP/1.1") .. (body or "")
end

--- A POST in chunks, whose body is given as it is on the wire.
function raw.chunked(body, lines)
  return raw.post("Transfer-Encoding: chunked\r\n" .. (lines or ""), body)
end

--- What the backend gets, byte by byte.
-- @param first request line; default "GET / HTTP/1.1"
-- @param request lines (as they are; of the client's own fields), host, via (the version in Via), framing (a line),
-- body
function raw.sees(first, request)
  request = request or {}
  local host = request.host or raw.HOST
  return (first or "GET / HTTP/1.1") .. "\r\nHost: " .. host .. "\r\n" .. (request.lines or "")
    .. "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: " .. (request.asked or host)
    .. "\r\nX-Real-IP: 127.0.0.1\r\nVia: " .. (request.via or "1.1 tidelock") .. "\r\n" .. (request.te and
    "TE: trailers\r\nConnection: TE\r\n" or "") .. (request.framing or "") .. "\r\n" .. (request.body or "")
end

--- Refused: that status, the connection closed, nothing at the backend.
function raw.refused(status)
  return { statuses = { status or 400 }, seen = {}, closed = true }
end

--- Refused within its body, which may have begun to pass.
function raw.broken(first, request)
  return { statuses = { 400 }, seen = {}, closed = true, partial = raw.sees(first, request) }
end

--- Passes as one request; the connection goes on.
function raw.passes(first, request)
  return { statuses = { 200 }, seen = { raw.sees(first, request) } }
end

--- Passes as one request; the connection ends.
function raw.last(first, request)
  local what = raw.passes(first, request)
  what.closed = true
  return what
end

--- A POST that passes with that body, of known length.
function raw.posts(body, lines)
  return raw.passes("POST / HTTP/1.1",
    { lines = lines, framing = ("Content-Length: %d\r\n"):format(#body), body = body })
end

--- A POST that passes in chunks.
function raw.streams(body, lines)
  return raw.passes("POST / HTTP/1.1", { lines = lines, framing = "Transfer-Encoding: chunked\r\n", body = body })
end

--- A POST in chunks that is malformed behind body.
function raw.breaks(body, lines)
  return raw.broken("POST / HTTP/1.1", { lines = lines, framing = "Transfer-Encoding: chunked\r\n", body = body })
end

--- A byte as it can stand in a name of a case.
function raw.byte_name(byte)
  return ("0x%02x"):format(byte)
end

return raw

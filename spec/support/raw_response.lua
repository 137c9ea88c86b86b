--- Words for the tables of raw responses in spec/flow/raw/: a case is { name, bytes, what is allowed to happen }, with
-- request (method, version, lines; default: GET of HTTP/1.1) and ends = true when the backend closes behind the bytes.
--
-- What is allowed: head and body (what the client gets, with trailers as text behind the body), interim (heads before
-- it), closed (its connection ends), or bad (502), or cut (nothing that is whole); reused (is the backend's connection
-- used again?).

local raw_response = {}

--- The client gets this head: status line, lines as they are (of the backend's own fields), Via, framing (lines).
function raw_response.gets(first, response)
  response = response or {}
  return {
    head = first .. "\r\n" .. (response.lines or "") .. "Via: " .. (response.via or "1.1 tidelock") .. "\r\n"
      .. (response.framing or "") .. "\r\n",
    body = response.body or "", interim = response.interim or {}, closed = response.closed,
    reused = response.reused ~= false,
  }
end

--- 200 with that body, of known length.
function raw_response.ok(body, response)
  response = response or {}
  response.body = body
  response.framing = ("Content-Length: %d\r\n"):format(#body)
  return raw_response.gets("HTTP/1.1 200 OK", response)
end

--- 200 with that body, in chunks; response.body: with trailers behind it.
function raw_response.chunks(body, response)
  response = response or {}
  response.body = body
  response.framing = "Transfer-Encoding: chunked\r\n"
  return raw_response.gets("HTTP/1.1 200 OK", response)
end

--- 502, and the backend's connection is never used again.
function raw_response.bad()
  return { bad = true, interim = {}, reused = false }
end

--- The head has passed when it shows that it can not be: nothing whole comes.
function raw_response.cut()
  return { cut = true, interim = {}, reused = false }
end

--- The head that an interim response becomes.
function raw_response.interim(first, lines)
  return first .. "\r\n" .. (lines or "") .. "Via: 1.1 tidelock\r\n\r\n"
end

--- Bytes: 200 with a body of known length.
function raw_response.plain(body, lines)
  return ("HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s"):format(lines or "", #body, body)
end

--- Bytes: 200 with these fields, then a body as it is.
function raw_response.with(lines, body)
  return "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n" .. (body or "")
end

--- Bytes: 200 in chunks, the body as it is on the wire.
function raw_response.chunked(body, lines)
  return raw_response.with((lines or "") .. "Transfer-Encoding: chunked\r\n", body)
end

return raw_response

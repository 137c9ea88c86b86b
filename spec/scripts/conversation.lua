--- Conversations with the real program over the registry protocol, for the specs of scripts/.

local cjson = require("cjson")
local mime = require("mime")
local proxy = require("spec.support.proxy")
local sys = require("spec.support.sys")

local conversation = {}

--- A proxy and a registered session on it.
-- @param options of proxy.start; default: one worker
-- @return registry connection, proxy
function conversation.start(options)
  local p = proxy.start(options or { workers = 1 })
  local r = p:registry()
  r:register("shop", "shop-1")
  return r, p
end

--- The JSON behind the word of an answer.
-- @param answer line
-- @param word what it has to start with
function conversation.json(answer, word)
  local text = answer:match("^" .. word .. "|(.*)$")
  if not text then
    error(("expected %s, got %s"):format(word, answer:sub(1, 200)), 2)
  end
  return cjson.decode(text)
end

--- The JSON in a compressed answer.
function conversation.unpack(answer, word)
  local text = answer:match("^" .. word .. "|([%w+/=]+)$")
  if not text then
    error(("expected %s and base64, got %s"):format(word, answer:sub(1, 200)), 2)
  end
  local path = os.tmpname()
  sys.write_file(path, (mime.unb64(text)))
  local pipe = assert(io.popen("gzip -dc < " .. path))
  local json = pipe:read("*a")
  pipe:close()
  os.remove(path)
  return cjson.decode(json)
end

--- Says that a command's answer is exactly this refusal.
function conversation.refused(reason, answer)
  if answer ~= "ERROR|" .. reason then
    error(("expected ERROR|%s\ngot      %s"):format(reason, answer:sub(1, 300)), 2)
  end
end

--- A text without a directory's name in it.
function conversation.without(dir, text)
  return (text:gsub(dir:gsub("%p", "%%%0") .. "/", ""))
end

--- A line of an exact length.
-- @param start what the line starts with
-- @param length of the whole line
function conversation.long_line(start, length)
  return start .. ("x"):rep(length - #start)
end

return conversation

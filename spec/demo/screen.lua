--- What the tour prints: 80 columns; on a terminal in colour (unless NO_COLOR is set), with a block of lines that
-- moves; in a file or a pipe plain lines, one after the other.

local ffi = require("ffi")
require("spec.demo.terminal") -- declares isatty

local screen = { WIDTH = 80 }

local function env(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

local locale = env("LC_ALL") or env("LC_CTYPE") or env("LANG") or ""
local moving = ffi.C.isatty(1) == 1 and (env("TERM") or "dumb") ~= "dumb"
local coloured = moving and not env("NO_COLOR")
local rich = locale:lower():find("utf%-?8") ~= nil

local COLOURS = { bold = 1, dim = 2, red = 31, green = 32, yellow = 33, blue = 34, cyan = 36 }
local FULL, EMPTY, RULE = "█", "░", "─"
if not rich then
  FULL, EMPTY, RULE = "#", ".", "-"
end

--- One of two texts: for a terminal that shows UTF-8, and for any.
function screen.symbol(utf8, ascii)
  return rich and utf8 or ascii
end

--- Text in a colour, or bold, or dim.
function screen.paint(colour, text)
  return coloured and ("\27[%dm%s\27[0m"):format(COLOURS[colour], text) or text
end

--- A bar of `width` columns, a share (0 to 1) of it filled.
function screen.bar(share, width, colour)
  local filled = math.floor(math.min(1, math.max(0, share)) * width + 0.5)
  return screen.paint(colour, FULL:rep(filled)) .. screen.paint("dim", EMPTY:rep(width - filled))
end

local block, last_mark = {}, nil

local function erase()
  if #block > 0 then
    io.write(("\27[%dA\27[J"):format(#block))
  end
end

local function draw()
  for _, line in ipairs(block) do
    io.write(line, "\n")
  end
  io.flush()
end

--- Prints a line; a moving block stays below it.
function screen.say(format, ...)
  erase()
  io.write(select("#", ...) > 0 and format:format(...) or format, "\n")
  draw()
end

--- Shows the block anew. Where nothing can move it is printed once for each new mark, never for nil.
-- @param lines list
-- @param mark what tells stages apart
function screen.show(lines, mark)
  if moving then
    erase()
    block = lines
    draw()
  elseif mark ~= nil and mark ~= last_mark then
    last_mark = mark
    io.write(table.concat(lines, "\n"), "\n")
    io.flush()
  end
end

--- The block stays as it is; what comes is printed below it.
function screen.leave()
  block, last_mark = {}, nil
end

--- A heading over the whole width.
function screen.title(text)
  screen.leave()
  local line = RULE:rep(2) .. " " .. text .. " "
  local length = 4 + #text -- titles are ASCII
  screen.say("")
  screen.say(screen.paint("bold", line) .. screen.paint("dim", RULE:rep(screen.WIDTH - length)))
end

return screen

--- assert as specs have it: a function as in Lua, with busted's names as fields.

local match = require("examples.match")

local assert_that = {}

local function fail(what, ...)
  error(what:format(...), 3)
end

--- Equal, tables by identity.
function assert_that.equal(expected, got)
  if expected ~= got then
    fail("expected %s, got %s", match.show(expected), match.show(got))
  end
end

assert_that.equals = assert_that.equal

--- Equal all the way down.
function assert_that.same(expected, got)
  if not match.same(expected, got) then
    fail("expected %s, got %s", match.show(expected), match.show(got))
  end
end

--- As expect in an example: named things only.
function assert_that.like(expected, got)
  local problems = match.problems(expected, got)
  if #problems > 0 then
    fail("%s", table.concat(problems, "\n"))
  end
end

function assert_that.truthy(got)
  if not got then
    fail("expected something, got %s", match.show(got))
  end
end

function assert_that.falsy(got)
  if got then
    fail("expected nothing or false, got %s", match.show(got))
  end
end

function assert_that.is_true(got)
  if got ~= true then
    fail("expected true, got %s", match.show(got))
  end
end

function assert_that.is_false(got)
  if got ~= false then
    fail("expected false, got %s", match.show(got))
  end
end

function assert_that.is_nil(got)
  if got ~= nil then
    fail("expected nil, got %s", match.show(got))
  end
end

--- A text that matches a pattern.
function assert_that.matches(pattern, got)
  if type(got) ~= "string" or not got:find(pattern) then
    fail("expected a text that matches %s, got %s", match.show(pattern), match.show(got))
  end
end

--- A function that raises; with a text, one whose message contains it.
function assert_that.has_error(run, text)
  local ok, err = pcall(run)
  if ok then
    fail("expected an error, got none")
  elseif text and not tostring(err):find(text, 1, true) then
    fail("expected an error with %s, got %s", match.show(text), match.show(err))
  end
end

return setmetatable(assert_that, {
  __call = function(_, value, message, ...)
    if not value then
      error(message or "assertion failed!", 0)
    end
    return value, message, ...
  end,
})

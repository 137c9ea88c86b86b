--- Checks of arguments: from a field's text to a value.
--
-- A check is function(text, name, cmd) -> value | nil, reason. The reason is what the client reads
-- after ERROR|, so it names the field. cmd holds the arguments before this one.

local strict = require("strict")

local check = {}

for _, part in ipairs({ "value", "routing" }) do
  for name, run in pairs(require("check." .. part)) do
    check[name] = run
  end
end

return strict.seal(check, "check")

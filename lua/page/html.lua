--- HTML for pages: escaping, and templates that escape.

local html = {}

local ENTITIES = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;",
}

--- A text as it is written in HTML, between tags or in a quoted attribute.
-- @param text string or number
-- @return string
function html.escape(text)
  return (tostring(text):gsub("[&<>\"']", ENTITIES))
end

--- A template with every {{name}} replaced by the escaped value of that name.
-- @param template string
-- @param values table: name to string or number; a name that is missing is an error
-- @return string
function html.fill(template, values)
  return (template:gsub("{{([%w_]+)}}", function(name)
    local value = values[name]
    if value == nil then
      error(("there is no value for {{%s}}"):format(name), 0)
    end
    return html.escape(value)
  end))
end

return html

local cleanup = require("spec.support.cleanup")
local process = require("spec.support.process")
local proxy = require("spec.support.proxy")
local socket = require("socket")
local sys = require("spec.support.sys")

--- A port that nothing listens on.
local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

local MARK = "-- next --"

--- The tutorials as one shell script: what they save is saved, what stands behind "$ " is run, a mark after each.
-- @return the script; list of { command =, expected = }
local function script_of(readme)
  local lines, steps, inside, path = {}, {}, false, nil
  for line in readme:gmatch("([^\n]*)\n") do
    path = line:match("Save this as `([%w_/.]+)`:$") or line:match("save this in place of `([%w_/.]+)`%.$") or path
    if line == "```lua" and path then
      lines[#lines + 1] = ("cat > scripts/%s <<'END OF FILE'"):format(path)
      inside = "file"
    elseif line:find("^```") and inside == "file" then
      lines[#lines + 1] = "END OF FILE"
      inside, path = false, nil
    elseif line:find("^```") then
      inside = not inside and line == "```" and "shell"
    elseif inside == "file" then
      lines[#lines + 1] = line
    elseif inside == "shell" and line:find("^%$ ") then
      lines[#lines + 1] = line:sub(3)
      lines[#lines + 1] = "echo; echo '" .. MARK .. "'"
      steps[#steps + 1] = { command = line:sub(3), expected = "" }
    elseif inside == "shell" and #steps > 0 then
      steps[#steps].expected = steps[#steps].expected .. line .. "\n"
    end
  end
  return table.concat(lines, "\n") .. "\n", steps
end

--- Does a text look as the page shows it? "..." stands for the rest of a line.
local function looks_like(expected, text)
  local pattern = expected:gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", "[^\n]*"):gsub("%s+$", "")
  return text:gsub("\r", ""):find("^" .. pattern .. "%s*$") ~= nil
end

describe("scripts/README.md", function()
  it("leads from nothing to working scripts, as it stands", function()
    local readme = sys.read_file("scripts/README.md"):match("^(.-)\n## Examples\n") .. "\n"
    local script, steps = script_of(readme)
    local dir = sys.temp_dir()
    cleanup.add({ cleanup = function() os.execute("rm -rf " .. dir) end })
    os.execute(("cp -r scripts %s/scripts && mkdir %s/build && cp %s %s/build/tidelock"):format(
      dir, dir, proxy.binary, dir))
    -- Ports of this machine, and what it builds, stand in for the reader's.
    script = script:gsub("8080", free_port()):gsub("8181", free_port()):gsub("9000", free_port())
      :gsub("\nmake\n", "\n"):gsub("sleep 1", "sleep 0.01")
      :gsub("tidelock (%-%-http[^&]*)&", "tidelock %1>/dev/null 2>&1 &")
    sys.write_file(dir .. "/tutorial", ("cd %s\ntrap 'kill $(jobs -p)' EXIT\n%s"):format(dir, "\n" .. script))

    local run = process.start({ "/bin/bash", dir .. "/tutorial" })
    cleanup.add({ cleanup = function() os.execute(("kill -9 -- -%d 2>/dev/null"):format(run.pid)) end })
    run:wait_exit(60)
    local out, at = sys.read_file(run.stdout), 1
    for _, step in ipairs(steps) do
      local mark = out:find("\n" .. MARK .. "\n", at, true)
      assert.truthy(mark, step.command .. "\n" .. run:output())
      local got = out:sub(at, mark - 1)
      assert.is_true(step.expected == "" or looks_like(step.expected, got),
        ("$ %s\nexpected\n%s\ngot\n%s"):format(step.command, step.expected, got))
      at = mark + #MARK + 2
    end
    assert.is_true(#steps >= 20, #steps)
  end)
end)

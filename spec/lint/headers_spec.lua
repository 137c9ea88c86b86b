local sys = require("spec.support.sys")
local tree = require("spec.support.tree")

describe("headers", function()
  it("open with a comment that names them and says which thread they belong to", function()
    local problems = {}
    for _, path in ipairs(tree.find("src -name '*.h'")) do
      local comment = sys.read_file(path):match("^/%*(.-)%*/") or ""
      local name = path:match("[^/]+$")
      if comment:sub(1, #name + 4) ~= " " .. name .. " - " then
        problems[#problems + 1] = ("%s does not open with \"/* %s - \""):format(path, name)
      end
      if not comment:find("Thread:") then
        problems[#problems + 1] = path .. ": its first comment names no thread (Thread: ...)"
      end
    end
    tree.report(problems)
  end)

  it("compile alone", function()
    local command = [[find src -name '*.h' | env -u LD_PRELOAD xargs -P 2 -I{} sh -c '
      cc -std=gnu11 -D_GNU_SOURCE -Isrc $(pkg-config --cflags luajit) -Wall -Wextra \
        -fsyntax-only -include {} -x c /dev/null 2>&1 || echo {} does not compile alone']]
    local pipe = assert(io.popen(command))
    local output = pipe:read("*a")
    pipe:close()
    assert.equal("", output)
  end)
end)

-- A table of rows X(ID, ...) and the prefix that makes an enum constant of an ID.
local TABLES = {
  { "src/worker/close_reason.h", "CLOSE_REASONS", "CLOSE_" },
  { "src/guard/verdict.h", "VERDICTS", "VERDICT_" },
  { "src/guard/circuit.h", "CIRCUIT_CAUSES", "CIRCUIT_CAUSE_" },
}

describe("tables of named ends", function()
  it("hold no row that nothing uses", function()
    local sources, problems = {}, {}
    for _, path in ipairs(tree.find("src -name '*.c'")) do
      sources[#sources + 1] = sys.read_file(path)
    end
    sources = table.concat(sources)
    for _, rows in ipairs(TABLES) do
      local header = assert(sys.read_file(rows[1]), rows[1])
      local body = header:match("#define " .. rows[2] .. "%(X%)(.-[^\\])\n")
      assert.is_truthy(body, rows[1] .. " has no table " .. rows[2])
      for id in body:gmatch("X%(([%u%d_]+)") do
        if not sources:find("%f[%w_]" .. rows[3] .. id .. "%f[^%w_]") then
          problems[#problems + 1] = ("%s: nothing uses %s%s"):format(rows[1], rows[3], id)
        end
      end
    end
    tree.report(problems)
  end)
end)

--- All works in the order of the table. A work: name, summary, run(bench) -> rows (see report.lua); bench has rounds
-- and seconds (of a round, whole).

local FILES = { "http", "syscalls", "idle", "routes", "policy", "tls", "h2", "workers", "control", "start" }

local works = {}

for _, file in ipairs(FILES) do
  for _, work in ipairs(require("spec.bench.works." .. file)) do
    works[#works + 1] = work
  end
end

return works

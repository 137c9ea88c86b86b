--- The table of effective states, read from the code (src/guard/effective.h): for its documentation and its specs.

local unit = require("spec.support.unit")
local ffi = unit.ffi

local states = {}

--- The dimensions, in the order of the columns, each with the bits of its values.
states.DIMENSIONS = {
  { name = "session", first = 0, last = 2 },
  { name = "drain", first = 3, last = 5 },
  { name = "maintenance", first = 6, last = 7 },
  { name = "health", first = 8, last = 12 },
  { name = "circuit", first = 13, last = 16 },
  { name = "slow start", first = 17, last = 18 },
  { name = "requests", first = 19, last = 20 },
}

local function lib()
  return unit.load("base/check.h", "base/slice.h", "guard/verdict.h", "guard/effective.h")
end

local function fact_name(bit_number)
  return ffi.string(lib().effective_fact_name(bit_number))
end

--- Every combination of values: a list of { session = "connected", ..., facts = number }.
function states.all()
  local list = { { facts = 0 } }
  for _, dimension in ipairs(states.DIMENSIONS) do
    local longer = {}
    for _, state in ipairs(list) do
      for at = dimension.first, dimension.last do
        local copy = { facts = bit.bor(state.facts, bit.lshift(1, at)) }
        for key, value in pairs(state) do
          copy[key] = copy[key] or value
        end
        copy[dimension.name] = fact_name(at)
        longer[#longer + 1] = copy
      end
    end
    list = longer
  end
  return list
end

--- What the code says of one state.
-- @return { use, verdict (its name, "" for none), status, error, field, field_value, rule }
function states.effective(state)
  local count = ffi.new("unsigned[1]")
  local rule = lib().effective_of(state.facts)
  local verdict = lib().verdict_table[tonumber(rule.verdict)]
  return {
    use = ffi.string(lib().effective_use_name(rule.use)),
    verdict = unit.text(verdict.name),
    status = verdict.status,
    error = unit.text(verdict.error_type),
    field = unit.text(verdict.field) or "",
    field_value = unit.text(verdict.field_value),
    rule = tonumber(rule - lib().effective_rules(count)) + 1,
  }
end

--- The values of a dimension that occur among states, in order.
local function values_of(dimension, list)
  local seen, values = {}, {}
  for _, state in ipairs(list) do
    seen[state[dimension.name]] = true
  end
  for at = dimension.first, dimension.last do
    if seen[fact_name(at)] then
      values[#values + 1] = fact_name(at)
    end
  end
  return values
end

--- One row of the table for each rule: a row covers every combination of the values in its columns.
-- @return list of { use, verdict, status, ..., columns = { session = { values }, ... }, states = list }
function states.rows()
  local rows = {}
  for _, state in ipairs(states.all()) do
    local effective = states.effective(state)
    local row = rows[effective.rule] or effective
    row.states = row.states or {}
    row.states[#row.states + 1] = state
    rows[effective.rule] = row
  end
  for index, row in ipairs(rows) do
    local product = 1
    row.columns = {}
    for _, dimension in ipairs(states.DIMENSIONS) do
      row.columns[dimension.name] = values_of(dimension, row.states)
      product = product * #row.columns[dimension.name]
    end
    assert(product == #row.states, ("rule %d of effective.c is no row: make two rules of it"):format(index))
  end
  return rows
end

return states

local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("base/slice.h", "http/head.h", "http/field_list.h")

local function list_of(...)
  local list = ffi.new("struct field_list")
  for _, pair in ipairs({ ... }) do
    local name, value = pair:match("^(.-)=(.*)$")
    lib.field_list_copy(list, unit.slice(name), unit.slice(value))
  end
  return list
end

local function text_of(list)
  local parts = {}
  for i = 0, list.count - 1 do
    parts[i + 1] = unit.text(list.field[i].name) .. "=" .. unit.text(list.field[i].value)
  end
  return table.concat(parts, " ")
end

describe("a list of fields", function()
  it("finds the first field of a name, in capital or small letters", function()
    local list = list_of("A=1", "Set-Cookie=2", "set-cookie=3")
    assert.equal("2", unit.text(lib.field_list_find(list, unit.slice("SET-COOKIE"))))
    assert.is_true(lib.field_list_find(list, unit.slice("Set-Cooki")).data == nil)
  end)

  it("loses all fields of a name and keeps the order of the others", function()
    local list = list_of("A=1", "B=2", "a=3", "C=4", "A=5", "D=6")
    lib.field_list_remove(list, unit.slice("a"))
    assert.equal("B=2 C=4 D=6", text_of(list))
    lib.field_list_remove(list, unit.slice("none"))
    assert.equal("B=2 C=4 D=6", text_of(list))
  end)

  it("says when a text or a field is too much", function()
    local list = list_of()
    lib.field_list_copy(list, unit.slice("A"), unit.slice(("x"):rep(lib.FIELD_LIST_TEXT - 1)))
    assert.is_false(list.overflow)
    lib.field_list_copy(list, unit.slice(""), unit.slice("x"))
    assert.is_true(list.overflow)
    list = list_of()
    for _ = 1, lib.FIELD_LIST_MAX do
      lib.field_list_copy(list, unit.slice("A"), unit.slice("1"))
    end
    assert.is_false(list.overflow)
    lib.field_list_copy(list, unit.slice("A"), unit.slice("1"))
    assert.is_true(list.overflow)
  end)
end)

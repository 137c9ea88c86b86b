--- Bodies that can be checked byte by byte: what a request's body, or its answer's, has to be follows from a key.

local bytes = {}

local FILLER = ("abcdefghijklmnopqrstuvwxyz0123456789"):rep(7)

--- The body of a key: no two of its blocks of 256 bytes are alike, nor those of two keys.
function bytes.body(key, size)
  local blocks = {}
  for i = 1, math.ceil(size / 256) do
    local head = ("%s:%d;"):format(key, i)
    blocks[i] = head .. FILLER:sub(1, 256 - #head)
  end
  return table.concat(blocks):sub(1, size)
end

--- Where two texts differ, as words.
function bytes.difference(expected, got)
  if #expected ~= #got then
    return ("%d bytes in place of %d"):format(#got, #expected)
  end
  for i = 1, #expected do
    if expected:byte(i) ~= got:byte(i) then
      return ("byte %d of %d differs"):format(i, #expected)
    end
  end
  return nil
end

return bytes

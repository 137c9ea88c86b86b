--- Text as backends serve it, the same at every run: pages and API answers, made from words that are as unevenly
-- common as words are.
--
--   corpus.html(100000), corpus.json(100000), corpus.noise(100000)

local corpus = {}

--- Numbers from 0 to n - 1, the same sequence for the same seed (Lehmer's generator).
local function generator(seed)
  local state = seed
  return function(n)
    state = state * 48271 % 2147483647
    return state % n
  end
end

local SYLLABLES = {
  "ta", "ren", "mo", "lis", "ka", "ver", "du", "sin", "pro", "el", "chi", "ban", "ort", "ing", "ful", "we", "sh", "an",
}

local function vocabulary(random, count)
  local words = {}
  for i = 1, count do
    local parts = {}
    for k = 1, 1 + random(4) do
      parts[k] = SYLLABLES[random(#SYLLABLES) + 1]
    end
    words[i] = table.concat(parts)
  end
  return words
end

--- A function that gives words, the first of the vocabulary most often.
local function writer(seed)
  local random = generator(seed)
  local words = vocabulary(random, 4000)
  local function word()
    local u = (random(1000000) + 1) / 1000001
    return words[math.floor((#words) ^ u)]
  end
  return word, random
end

local function text(word, count)
  local list = {}
  for i = 1, count do
    list[i] = word()
  end
  return table.concat(list, " ")
end

local function fill(size, make)
  local pieces, total = {}, 0
  while total < size do
    local piece = make(#pieces)
    pieces[#pieces + 1] = piece
    total = total + #piece
  end
  return table.concat(pieces):sub(1, size)
end

local SECTION = [[
<section class="article" id="s%d">
  <h2>%s</h2>
  <p class="lead">%s.</p>
  <p>%s, <a href="/%s/%s?id=%d">%s</a> %s.</p>
  <ul>
    <li>%s</li>
    <li>%s</li>
  </ul>
</section>
]]

local RECORD = '{"id":%d,"name":"%s","email":"%s@%s.example","score":%d.%02d,"active":%s,"tags":["%s","%s"],'
  .. '"note":"%s"},\n'

--- Sections with headings, paragraphs, links and lists.
function corpus.html(size, seed)
  local word, random = writer(seed or 7)
  return fill(size, function(i)
    return SECTION:format(i, text(word, 4), text(word, 18 + random(20)), text(word, 30 + random(40)), word(), word(),
      random(100000), text(word, 2), text(word, 20 + random(30)), text(word, 6), text(word, 5))
  end)
end

--- A list of records.
function corpus.json(size, seed)
  local word, random = writer(seed or 11)
  return fill(size, function(i)
    return RECORD:format(i, text(word, 2), word(), word(), random(1000), random(100),
      random(2) == 0 and "true" or "false", word(), word(), text(word, 8 + random(10)))
  end)
end

--- Bytes that nothing can make shorter.
function corpus.noise(size, seed)
  local random = generator(seed or 13)
  return fill(size, function()
    local bytes = {}
    for i = 1, 1000 do
      bytes[i] = math.floor(random(2147483646) / 65536) % 256
    end
    return string.char(unpack(bytes))
  end)
end

return corpus

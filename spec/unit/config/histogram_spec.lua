local unit = require("spec.support.unit")
local ffi = unit.ffi
local lib = unit.load("config/histogram.h")

local function bucket(us)
  return lib.histogram_bucket(us)
end

local function top(index)
  return tonumber(lib.histogram_bucket_top(index))
end

local function sum_of(...)
  local sum = ffi.new("struct histogram_sum")
  for _, values in ipairs({ ... }) do
    local histogram = ffi.new("struct histogram")
    for _, value in ipairs(values) do
      lib.histogram_add(histogram, value)
    end
    lib.histogram_merge(sum, histogram)
  end
  return sum
end

local function percentile(sum, share)
  return tonumber(lib.histogram_percentile(sum, share))
end

-- Latencies as they are met: many small, a long tail.
local function random_values(count)
  local values = {}
  for i = 1, count do
    values[i] = math.floor(math.exp(math.random() * 16))
  end
  return values
end

describe("histogram bucket", function()
  it("follows on the one before without a gap", function()
    for index = 0, lib.HISTOGRAM_BUCKETS - 2 do
      assert.equal(index, bucket(top(index)))
      assert.equal(index + 1, bucket(top(index) + 1))
    end
  end)

  it("is at most a sixteenth wide", function()
    for index = 16, lib.HISTOGRAM_BUCKETS - 1 do
      local low = top(index - 1) + 1
      assert.is_true((top(index) - low + 1) / low <= 1 / 16)
    end
  end)

  it("takes up to more than an hour exactly, and anything longer in the last", function()
    assert.equal(2 ^ 32 - 1, top(lib.HISTOGRAM_BUCKETS - 1))
    assert.equal(lib.HISTOGRAM_BUCKETS - 1, bucket(2 ^ 32))
    assert.equal(lib.HISTOGRAM_BUCKETS - 1, bucket(0xffffffffffffffffULL))
  end)
end)

describe("histogram percentile", function()
  it("is 0 without values", function()
    assert.equal(0, percentile(sum_of({}), 0.99))
  end)

  it("of one value is its bucket's top, whatever the share", function()
    local sum = sum_of({ 12345 })
    for _, share in ipairs({ 0, 0.01, 0.5, 0.99, 1 }) do
      assert.equal(top(bucket(12345)), percentile(sum, share))
    end
  end)

  it("is that of the sorted list, up to the width of a bucket", function()
    for _ = 1, 50 do
      local values = random_values(math.random(1, 500))
      local sum = sum_of(values)
      table.sort(values)
      for _, share in ipairs({ 0.5, 0.9, 0.95, 0.99, 1 }) do
        local exact = values[math.max(1, math.ceil(share * #values))]
        assert.equal(top(bucket(exact)), percentile(sum, share))
      end
    end
  end)

  it("of several workers is that of all their values", function()
    local a, b = random_values(300), random_values(200)
    local all = {}
    for _, value in ipairs(a) do all[#all + 1] = value end
    for _, value in ipairs(b) do all[#all + 1] = value end
    local merged, whole = sum_of(a, b), sum_of(all)
    assert.equal(500, tonumber(merged.count))
    assert.equal(percentile(whole, 0.95), percentile(merged, 0.95))
  end)
end)

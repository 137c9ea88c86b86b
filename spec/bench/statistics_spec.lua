local statistics = require("spec.bench.statistics")

describe("statistics of rounds", function()
  it("take the middle, of an even number the mean of two", function()
    assert.equal(3, statistics.median { 9, 1, 3 })
    assert.equal(2.5, statistics.median { 4, 1, 2, 3 })
    assert.equal(7, statistics.median { 7 })
    assert.is_nil(statistics.median {})
  end)

  it("leave the lists as they are", function()
    local list = { 3, 1, 2 }
    statistics.spread(list)
    assert.same({ 3, 1, 2 }, list)
  end)

  it("say least, median and greatest", function()
    assert.same({ 1, 2, 9 }, { statistics.spread { 9, 1, 2 } })
  end)

  it("pair by rounds: the median of ratios is not the ratio of medians", function()
    local ours, theirs = { 1, 20, 3 }, { 2, 10, 12 }
    local ratios = statistics.ratios(ours, theirs)
    assert.same({ .5, 2, .25 }, ratios)
    assert.equal(.5, statistics.median(ratios))
    assert.equal(.3, statistics.median(ours) / statistics.median(theirs))
  end)

  it("refuse rounds that do not pair", function()
    assert.has_error(function() statistics.ratios({ 1, 2 }, { 1 }) end, "rounds do not pair")
    assert.has_error(function() statistics.ratios({}, {}) end, "rounds do not pair")
  end)

  it("take one field of each record", function()
    assert.same({ 1, 2 }, statistics.column({ { a = 1, b = 5 }, { a = 2 } }, "a"))
  end)
end)

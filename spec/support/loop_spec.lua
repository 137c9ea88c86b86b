local loop = require("spec.support.loop")

describe("the specs' loop", function()
  it("runs tasks while the spec waits", function()
    local turns = 0
    loop.spawn(function()
      for _ = 1, 3 do
        loop.delay(0.001)
        turns = turns + 1
      end
    end)
    loop.eventually(function() return turns == 3 end)
  end)

  it("raises a task's error from what the spec waits for", function()
    loop.spawn(function()
      loop.delay(0.001)
      error("the task's words", 0)
    end)
    local ok, err = pcall(loop.delay, 1)
    assert.is_false(ok)
    assert.matches("the task's words", err)
  end)

  it("keeps an error that no call has raised, for the spec's end", function()
    loop.spawn(function() error("unseen", 0) end)
    assert.matches("unseen", loop.reset())
    assert.is_nil(loop.reset())
  end)

  it("joins tasks and hands on their results", function()
    assert.same({ 1, 2 }, loop.all {
      function()
        loop.delay(0.002)
        return 1
      end,
      function() return 2 end,
    })
  end)

  it("gives up on what does not come true, with the last error", function()
    local ok, err = pcall(loop.eventually, function() error("not yet", 0) end, 0.01)
    assert.is_false(ok)
    assert.equal("not yet", err)
  end)

  it("does not run a cancelled task again", function()
    local ran = false
    local task = loop.spawn(function()
      loop.delay(0.001)
      ran = true
    end)
    loop.cancel(task)
    loop.delay(0.005)
    assert.is_false(ran)
    assert.is_true(task.done)
  end)
end)

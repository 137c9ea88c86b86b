local html = require("page.html")

describe("HTML", function()
  it("escapes what would be read as markup", function()
    assert.equal("&lt;a b=&quot;c&quot; d=&#39;e&#39;&gt;&amp;amp;", html.escape([[<a b="c" d='e'>&amp;]]))
    assert.equal("503", html.escape(503))
  end)

  it("fills templates with escaped values, each as often as it is named", function()
    assert.equal("<p>&lt;b&gt; 5 &lt;b&gt;</p>", html.fill("<p>{{a}} {{b_2}} {{a}}</p>", { a = "<b>", b_2 = 5 }))
  end)

  it("does not look for names in values, nor for patterns", function()
    assert.equal("{{b}} %1 %", html.fill("{{a}} {{c}}", { a = "{{b}}", c = "%1 %" }))
  end)

  it("leaves CSS alone and refuses a name without a value", function()
    assert.equal("a { b: c; } {x}", html.fill("a { b: c; } {x}", {}))
    assert.has_error(function() html.fill("{{a}}", {}) end, "there is no value for {{a}}")
  end)
end)

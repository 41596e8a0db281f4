"""Texts that a data set, a model or a caption may hold and that no page, table or figure may take for markup."""

NASTY = [
    "<script>alert(1)</script>",
    "</pre></td></table><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    "&lt;b&gt; &amp; &#60;",
    "# Heading\n\n- list\n\n[link](javascript:alert(1)) ![image](http://example.org/x.png)",
    "```\nclosed\n```\n<b>outside</b>",
    "````\n``````\n~~~",
    "| a | b |\n|---|---|",
    "safe\u202egnp.exe\u202c \u2066isolated\u2069 \u200fright to left\u200e",
    "zero\u200bwidth\ufeff\u2060joiner\u00ad",
    "\x1b[31mred\x1b[0m \x07 \x08\x08 over\rwritten \x00",
    "line\u2028separator\u2029paragraph\x85next",
    "\ud800 lone surrogate".encode("utf-16", "surrogatepass").decode("utf-16", "replace"),
    "private \ue000 and \U000f0000, tag \U000e0041",
    "\\boxed{<b>7</b>} $x < y$ \\u202e",
    r"$\frac{1}{$",
    r"$ $$ \$ $x_{",
    "- <b>bold</b> [[x]](http://example.org)",
    ".. include:: /etc/passwd",
    "first\n\n.. raw:: html\n\n   <script>alert(1)</script>\n",
    "`link <http://example.org>`_ |sub| [#]_ :raw-html:`<b>` **bold** ``code`` \\",
    '#eval("1 + 1") #read("/etc/passwd") ] #panic() $ * _x_ @label <label> // /* ```',
    r"\input{/etc/passwd} \write18{ls} \end{tabular} ^^41 ~ % & # _ ^",
    "{{ 7 * 7 }} {% for x in y %} {# remark #}",
    "=1+1 @SUM(1) \"quoted\", 'cell'",
    "",
]
HIDDEN = (
    "\u202e\u202c\u2066\u2069\u200f\u200e\u200b\ufeff\u2060\u00ad\x1b\x07\x08\r\x00\u2028\u2029\x85\ue000\U000e0041"
)

"""Foreign text made harmless for a reader: completions may hold markup, control characters and direction marks.

Everything that shows a completion goes through here, so that no page renders what a model wrote.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

KEPT = "\n\t"
HIDDEN = (
    "Cc",
    "Cf",
    "Co",
    "Cs",
    "Cn",
    "Zl",
    "Zp",
)  # control, format (direction marks, zero width), private, separators
PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")  # what CommonMark takes a backslash before
LINK_FROM = re.compile(r"\]([(:\[])")  # of a link, a definition, a reference
FENCE = re.compile(r"`{3,}")
LEAST_FENCE = 3


def visible(text: str) -> str:
    r"""Text whose control, format and unassigned characters are written out.

    Lines and tabs are kept; a carriage return is written out, since a terminal would hide what stands before it.

    >>> visible("a\u202eb\x1b[31m")
    'a\\u202eb\\x1b[31m'
    """
    if text.isprintable():  # the rule; pictures in Base64 are megabytes
        return text
    return "".join(
        character if character in KEPT or unicodedata.category(character) not in HIDDEN else _code(character)
        for character in text
    )


def html_text(text: str) -> str:
    """Text for the inside of an HTML element or a quoted attribute; nothing in it is markup."""
    return html.escape(visible(text), quote=True)


def markdown_inline(text: str) -> str:
    r"""One line for running text or a cell of a table: no markup, no HTML, no end of line.

    >>> markdown_inline("<b>|*x*\ny")
    '\\<b\\>\\|\\*x\\* ⏎ y'
    """
    one_line = visible(text).replace("\t", " ").replace("\n", " \N{RETURN SYMBOL} ")
    return PUNCTUATION.sub(r"\\\1", one_line)


def markdown_cell(text: str) -> str:
    r"""Text for a table's cell or a caption that keeps its looks: no HTML, no link, no bar, no end of line.

    >>> markdown_cell("78.1 [71, 84] <b>|\n[x](y)")
    '78.1 [71, 84] &lt;b&gt;\\|<br>[x]\\(y)'
    """
    shown = html.escape(visible(text), quote=False).replace("|", r"\|")
    return LINK_FROM.sub(r"]\\\1", shown).replace("\n", "<br>")


def markdown_table(frame: "pd.DataFrame", **options: Any) -> str:
    """A data frame as a Markdown table without its index: cells that are texts, and headings, by ``markdown_cell``.

    Args:
        frame: Texts and numbers.
        options: Passed on to ``DataFrame.to_markdown``.
    """
    safe = frame.map(lambda cell: markdown_cell(cell) if isinstance(cell, str) else cell)
    safe.columns = [markdown_cell(str(name)) for name in frame.columns]
    return str(safe.to_markdown(index=False, **options))


def comment_line(text: str) -> str:
    r"""One line of printable ASCII for a comment in HTML or LaTeX, which nothing in it ends.

    >>> comment_line("a -->\n\u202eb")
    'a --&gt; \\u202eb'
    """
    shown = visible(text).replace("\n", " ").replace("\t", " ").replace(">", "&gt;")
    return shown.encode("ascii", "backslashreplace").decode()


def plot_text(text: str) -> str:
    r"""Text that matplotlib draws as it stands: a dollar sign starts no formula.

    >>> plot_text(r"$\frac{1}{$")
    '\\$\\frac{1}{\\$'
    """
    return visible(text).replace("$", r"\$")


def visible_texts(value: Any) -> Any:
    """A JSON value with all texts of its lists and objects made visible, for a document that sets texts as they are."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, Mapping):
        return {key: visible_texts(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [visible_texts(each) for each in value]
    return value


def markdown_block(text: str) -> str:
    """A fenced block whose fence is longer than any run of backticks in the text, so that nothing can close it."""
    shown = visible(text)
    longest = max((len(run) for run in FENCE.findall(shown)), default=LEAST_FENCE - 1)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{shown}\n{fence}"


def shortened(text: str, limit: int) -> str:
    """Text of at most ``limit`` characters and a remark: its beginning and its end, where the answer stands."""
    if len(text) <= limit:
        return text
    head = limit // 2
    tail = limit - head
    return f"{text[:head]}\n[{len(text) - limit:,} characters left out]\n{text[-tail:]}"


def _code(character: str) -> str:
    number = ord(character)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"

"""Fenced blocks of a completion, as people and models write them, and which of them is the program."""

import ast
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from textwrap import dedent

PYTHON = re.compile(r"(?:lang(?:uage)?-)?\.?(?:i|c)?py(?:thon|py)?[\d.-]*|[\w./-]+\.py", re.IGNORECASE)
WRAPPERS = frozenset(("code", "code-cell", "code-block"))  # before a language's name
LABEL_WORD = re.compile(r"[\w+#.-]+")
OPENS = re.compile(
    r"(?P<lead>(?:<(?:think|answer)>)*[ \t]*(?P<quote>>[> \t]*)?(?:(?:[-*+]|\d{1,3}[.)])[ \t]+)?)"
    r"(?P<marks>`{3,}|~{3,})(?P<rest>.*)"
)
QUOTE = re.compile(r"[ \t]*(?:>[ \t]?)+")
CLOSES = re.compile(r"[ \t]*(?P<marks>`{3,}|~{3,})(?P<rest>.*)")
LABELS_BEGIN = re.compile(r"[A-Za-z{]|\.[A-Za-z]")
CODE_BEGINS = re.compile(
    r"(?:async[ \t]+def|def|class|import|from|for|while|if|try|with|@\w+|lambda)\b.|\w+[ \t]*=[ \t]*lambda\b"
)
STRINGS = re.compile(r"""#.*|'''|\"""|'(?:\\.|[^'\\])*+'|"(?:\\.|[^"\\])*+"|\\.""")
ENDS = re.compile(r"(?:<[|/][^<>]*>)*$")  # signs of a chat template behind a fence
BEHIND_WORDS = re.compile(r"[^`~]*(?P<marks>`{3,})(?P<rest>[^`]*)")
DOCUMENTS = frozenset(("markdown", "md"))  # blocks that hold blocks
BLANKS = "\r\u200b\u200c\u200d\ufeff \t"
# For programs that do not compile: what a line at the beginning of a line defines.
DEFINES = re.compile(r"^(?:async[ \t]+def|def|class)[ \t]+(\w+)|^(\w+)[ \t]*(?::[^=\n]*)?=(?!=)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A closed fenced block.

    Attributes:
        label: What it is labelled as, in small letters; ``python`` for every spelling of that.
        text: Its lines.
    """

    label: str
    text: str


def find_blocks(text: str) -> list[Block]:
    """The closed fenced blocks of a text, in order, in time linear in its length.

    Blocks are fenced by three or more backticks or tildes, also within a quotation, an item of a list or a block
    of Markdown. The closing
    fence is at least as long as the opening one and has no label: punctuation, a sign of a chat template or a sentence
    may follow it. The first line of the program may stand on the line of the opening fence, the closing fence at the
    end of the last. A fence within a string of three quotes that is closed later is a part of the program. A block
    that is never closed (the completion was cut off) is passed over.
    """
    inner = ((block, _closed(block.text)) if block.label in DOCUMENTS else (block, []) for block in _closed(text))
    return [one for block, within in inner for one in within or [block]]


def _closed(text: str) -> list[Block]:
    lines = text.split("\n")
    blocks = list(_scan(lines, heed_strings=True))
    if blocks and blocks[-1] is None:  # a string that is never closed would swallow what follows the block
        blocks = list(_scan(lines, heed_strings=False))
    return [block for block in blocks if block is not None]


def _scan(lines: Sequence[str], heed_strings: bool) -> Iterator[Block | None]:
    """Closed blocks; ``None`` at the end if a fence was passed over within a string and no other closed the block."""
    opened: _Opened | None = None
    for line in lines:
        if opened is None:
            opened = _open(line)
            if opened is not None and opened.closed:
                yield opened.block()
                opened = None
        elif opened.take(line, heed_strings):
            yield opened.block()
            opened = None
        elif opened.lost:
            break
    if opened is not None and opened.passed_over:
        yield None


class _Opened:
    """A block while its lines are read."""

    def __init__(self, marks: str, label: str, quoted: bool, first: str | None = None) -> None:
        self.marks, self.label, self.quoted = marks, label, quoted
        self.lines: list[str] = []
        self.string = ""  # the quotes of the string that is open
        self.passed_over = self.lost = self.closed = False
        if first is not None:
            self._add(first)

    def block(self) -> Block:
        return Block(self.label, dedent("\n".join(self.lines)))

    def take(self, line: str, heed_strings: bool) -> bool:
        """Read a line; says whether it closed the block."""
        if self.quoted and (quote := QUOTE.match(line)):
            line = line[quote.end() :]
        fence = CLOSES.match(line)
        if fence and fence["marks"].startswith(self.marks):
            closes = _is_closing(fence["rest"])
            if closes and not (heed_strings and self.string):
                return True
            self.passed_over |= closes
            self.lost = self.passed_over and not closes and label_of(fence["rest"]) == "python"
        elif not self.string and (code := _before_fence(line, self.marks)) is not None:
            self._add(code)
            return True
        self._add(line)
        return False

    def _add(self, line: str) -> None:
        self.lines.append(line)
        place = 0
        while place < len(line):
            if self.string:
                end = line.find(self.string, place)
                if end < 0:
                    return
                place, self.string = end + 3, ""
            found = STRINGS.search(line, place)
            if not found:
                return
            place = found.end()
            self.string = found[0] if found[0] in ("'''", '"""') else ""


def _open(line: str) -> _Opened | None:
    fence = OPENS.match(line)
    if not fence:
        behind = BEHIND_WORDS.fullmatch(line)
        spelt = behind is not None and PYTHON.fullmatch(behind["rest"].strip(BLANKS))
        return _Opened(behind["marks"], "python", False) if behind and spelt else None
    marks, rest, quoted = fence["marks"], fence["rest"].strip(BLANKS), bool(fence["quote"])
    code = _code_on_line(rest)
    if code is not None and (whole := _before_fence(code, marks)) is not None:
        opened = _Opened(marks, label_of(rest) if not CODE_BEGINS.match(rest) else "", quoted, whole)
        opened.closed = True
        return opened
    if marks[0] in rest or (rest and not LABELS_BEGIN.match(rest) and code is None):
        return None
    return _Opened(marks, "" if CODE_BEGINS.match(rest) else label_of(rest), quoted, code)


def _code_on_line(rest: str) -> str | None:
    """The program's first line where it stands behind the fence or behind the label."""
    if CODE_BEGINS.match(rest):
        return rest
    label, _, code = rest.partition(" ")
    return code if PYTHON.fullmatch(label) and CODE_BEGINS.match(code) else None


def _before_fence(line: str, marks: str) -> str | None:
    """A line without the fence that ends it; ``None`` if none does, or if it holds another."""
    bare = line.rstrip(BLANKS)
    bare = ENDS.sub("", bare).rstrip(BLANKS) if bare.endswith(">") else bare
    code = bare.rstrip(marks[0])
    return code if len(bare) - len(code) >= len(marks) and marks not in code and code.strip() else None


def _is_closing(rest: str) -> bool:
    """Whether what follows the marks is not a label."""
    bare = rest.strip(BLANKS)
    if not bare or not LABELS_BEGIN.match(bare):
        return True
    return rest[0] in " \t" and len(bare.split()) > 1 and label_of(bare) != "python"


def label_of(info: str) -> str:
    """The language that follows an opening fence: ``python`` of "Python3 title", "{.python}", "python:solution.py"."""
    words = LABEL_WORD.findall(info.replace(":", " ").lower())
    if len(words) > 1 and words[0] in WRAPPERS:
        words = words[1:]
    if not words:
        return ""
    return "python" if PYTHON.fullmatch(words[0]) else words[0]


def choose_program(blocks: Sequence[Block], called: Collection[str] = ()) -> str | None:
    """The program among the blocks of a completion.

    It is the last block labelled Python that defines what the tests call, so that an example of its use may follow it;
    or the last such block without a label; where none does, the last block labelled Python or, without any, the last
    one without a label.

    Args:
        blocks: In their order.
        called: Names that the program must define.
    """
    labelled = [block.text for block in blocks if block.label == "python"]
    unlabelled = [block.text for block in blocks if not block.label]
    for programs in (labelled, unlabelled) if called else ():
        for program in reversed(programs):
            if defined_names(program) >= set(called):
                return program
    chosen = labelled or unlabelled
    return chosen[-1] if chosen else None


def defined_names(program: str) -> set[str]:
    """Names that a program defines at its top level, also under a condition; imports are none of its own."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return {name for found in DEFINES.findall(program) for name in found if name}
    names: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif not isinstance(node, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            waiting.extend(ast.iter_child_nodes(node))
    return names

"""Docstrings as Markdown reads them: roles as code, doctests as code blocks, brackets of formulas as brackets."""

import re
from typing import Any

import griffe

ROLE = re.compile(r":(?:func|mod|class|meth):`([^`]+)`")
DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?! *$).*)*", re.MULTILINE)
CODE = re.compile(r"(```.*?```|``.*?``|`[^`]*`)", re.DOTALL)


def as_markdown(text: str) -> str:
    """A docstring whose roles, doctests and brackets mean the same in Markdown."""
    fenced = DOCTEST.sub(lambda found: f"{found['indent']}```pycon\n{found[0]}\n{found['indent']}```", text)
    parts = CODE.split(ROLE.sub(r"`\1`", fenced))
    return "".join(part if place % 2 else re.sub(r"\](?=[\[(])", r"]\\", part) for place, part in enumerate(parts))


class Roles(griffe.Extension):
    """Rewrites every docstring before it is parsed."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Rewrite the docstring of an object."""
        if obj.docstring is not None:
            obj.docstring.value = as_markdown(obj.docstring.value)

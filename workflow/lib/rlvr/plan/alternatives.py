"""A short regular expression for many names.

Snakemake keeps the constraint of a wildcard in the text of every path that has the wildcard, and reads that text again
for every job. With thousands of runs a list of their names is longer than all else that a plan reads.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

SEPARATOR = "_"  # between the parts of a run's id
Row = tuple[str, ...]


def one_of(names: Iterable[str]) -> str:
    """A regular expression that matches exactly these names, and nothing when there are none.

    Names are divided into parts, parts into characters, and what is followed by the same is written once:
    ``a_s42, a_s43, b_s42, b_s43`` become ``[ab]_s4[23]``.
    """
    rows = frozenset(tuple(name.split(SEPARATOR)) for name in names)
    return _either(rows, _any_part, SEPARATOR) if rows else "(?!)"


def _either(rows: frozenset[Row], write: Callable[[list[str]], str], glue: str) -> str:
    """Expression for rows of items, none of them empty; ``write`` gives the one for alternative items."""
    rests = defaultdict[str, set[Row]](set)
    for first, *rest in rows:
        rests[first].add(tuple(rest))
    alike = defaultdict[frozenset[Row], list[str]](list)
    for first in sorted(rests):
        alike[frozenset(rests[first])].append(first)
    found = [write(firsts) + _behind(rest, write, glue) for rest, firsts in alike.items()]
    return found[0] if len(found) == 1 else f"(?:{'|'.join(found)})"


def _behind(rows: frozenset[Row], write: Callable[[list[str]], str], glue: str) -> str:
    """Expression for rows that may be empty, behind an item or, with no glue, at the start."""
    longer = rows - {()}
    if not longer:
        return ""
    found = glue + _either(longer, write, glue)
    return f"(?:{found})?" if len(longer) < len(rows) else found


def _any_part(parts: list[str]) -> str:
    return _behind(frozenset(map(tuple, parts)), _any_character, "")


def _any_character(characters: list[str]) -> str:
    escaped = "".join(map(re.escape, characters))
    return escaped if len(characters) == 1 else f"[{escaped}]"

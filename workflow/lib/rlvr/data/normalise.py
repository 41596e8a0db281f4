"""One form of the signs of a text: what two typings of one question share, and nothing that changes its meaning."""

import re
import unicodedata

# SOURCE: the kinds of compatibility mappings of Unicode (UAX 44, table 14). Of these the form is typography: width,
# ligatures, typefaces, shapes of letters. Powers, indices, fractions, circled and squared signs mean something else
# than the signs they are mapped to: a power is not a digit behind a number.
TYPOGRAPHY = frozenset(("wide", "narrow", "noBreak", "compat", "font", "initial", "medial", "final", "isolated"))
KIND = re.compile(r"<(\w+)>")


def same_signs(text: str) -> str:
    """A text whose signs have one form each: NFC, and NFKC for signs that differ in typography only."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFC", "".join(map(_plain, text)))


def _plain(sign: str) -> str:
    kind = KIND.match(unicodedata.decomposition(sign))
    return unicodedata.normalize("NFKC", sign) if kind and kind[1] in TYPOGRAPHY else sign

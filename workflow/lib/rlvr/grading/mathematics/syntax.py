r"""Expressions as trees: one grammar for numbers, names, functions, sums and integrals.

A text that the grammar does not cover to its last token is no expression. Nothing is computed here, and nothing is
guessed twice: ``2\frac{1}{2}`` is a mixed number, ``1/2x`` is ``(1/2)x``, ``f(x)`` is a function's value where its
argument looks like one and a product otherwise (``Reader.is_function``).
"""

from fractions import Fraction

from rlvr.grading.mathematics.calls import Calls
from rlvr.grading.mathematics.cursor import CLOSING, MAX_DEPTH, STARTS, Tree, cross, is_whole, number, times
from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError
from rlvr.grading.mathematics.operators import Operators

MAX_TOKENS = 1500


def parse(tokens: Tokens, products: frozenset[str] = frozenset()) -> Tree:
    """The tree of an expression.

    Args:
        tokens: All of its tokens.
        products: Names that are known to be numbers, so that a bracket behind one is a factor.

    Raises:
        UnreadableError: If the grammar does not cover every token.
    """
    if not tokens or len(tokens) > MAX_TOKENS:
        raise UnreadableError
    reader = Reader(tokens, products)
    tree = reader.chosen()
    if reader.kind is not None:
        raise UnreadableError
    return tree


class Reader(Calls, Operators):
    """Recursive descent over tokens; each method reads one level of the grammar."""

    def sum(self) -> Tree:
        """Products between plus and minus."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError
        terms = [self.signed()]
        while self.at("op", "+") or self.at("op", "-"):
            terms.append(self.signed())
        self.depth -= 1
        return terms[0] if len(terms) == 1 else ("add", *terms)

    def signed(self) -> Tree:
        """A product with the signs before it."""
        negative = False
        signs = 0
        while self.at("op", "+") or self.at("op", "-"):
            negative ^= self.take().text == "-"
            signs += 1
            if signs > 2:
                raise UnreadableError
        term = self.product()
        return ("neg", term) if negative else term

    def product(self) -> Tree:
        """Factors, with or without signs between them."""
        value = self.factor()
        while self.kind is not None:
            if self.at("op", "*"):
                self.take()
                value = times(value, self.signed_factor())
            elif self.at("times"):
                self.take()
                value = cross(value, self.signed_factor())
            elif self.at("op", "/"):
                self.take()
                value = ("div", value, self.signed_factor())
            elif self.at("mod", "bmod") or self.at("mod", "mod"):
                self.take()
                value = ("call", "mod", (value, self.factor()))
            elif self.kind in STARTS and not (self.kind == "bar" and self.bars):
                value = self.touching(value)
            else:
                break
        return value

    def touching(self, value: Tree) -> Tree:
        """A product without a sign, or a mixed number."""
        before = self.tokens[self.place - 1]
        if self.kind == "number":
            if before not in (Token("op", "!"), Token("close", ")")):
                raise UnreadableError
            return times(value, self.factor())
        if is_whole(value) and self.kind == "frac" and before.kind == "number":
            fraction = self.factor()
            if fraction[0] == "div" and is_whole(fraction[1]) and is_whole(fraction[2]):
                return ("add", value, fraction)
            return times(value, fraction)
        return times(value, self.factor())

    def signed_factor(self) -> Tree:
        """A factor with the signs before it."""
        negative = False
        while self.at("op", "-") or self.at("op", "+"):
            negative ^= self.take().text == "-"
        value = self.factor()
        return ("neg", value) if negative else value

    def factor(self) -> Tree:
        """A base and what stands behind it."""
        return self.postfixed(self.base())

    def postfixed(self, value: Tree) -> Tree:
        """Powers, factorials, degrees and percent signs behind a base."""
        while True:
            if self.at("op", "^"):
                self.take()
                value = self.power(value)
            elif self.at("op", "!"):
                self.take()
                double = self.at("op", "!")
                if double:
                    self.take()
                value = ("call", "factorial2" if double else "factorial", (value,))
            elif self.at("degree"):
                self.take()
                value = ("deg", value)
            elif self.kind == "prime" and self.tokens[self.place - 1] == Token("close", ")"):
                value = ("call", f"derivative{self.take().text}", (value,))
            elif self.at("percent"):
                self.take()
                value = ("div", value, number(100))
            else:
                return value

    def power(self, base: Tree) -> Tree:
        """The expression behind a caret."""
        if self.at("degree"):
            self.take()
            return ("deg", base)
        if starred := self.star():
            return ("call", starred, (base,))
        exponent = self.argument(script=True)
        if exponent == ("degree",):
            return ("deg", base)
        return ("pow", base, exponent)

    def star(self) -> str:
        """Name of the conjugation that an exponent is, read, or nothing."""
        following = self.tokens[self.place : self.place + 3]
        size = 3 if len(following) == 3 and following[0].text == "{" and following[2].text == "}" else 1
        sign = following[size // 2] if following else None
        if sign is None or (sign != Token("op", "*") and sign.text not in ("star", "dagger")):
            return ""
        self.place += size
        return f"conjugate {sign.text}"

    def argument(self, script: bool = False) -> Tree:
        """A group in braces, or one sign; behind ``^`` all digits of a number and a sign before it, too."""
        if self.at("open", "{"):
            self.take()
            if (
                script
                and self.kind in ("degree", "top")
                and self.tokens[self.place + 1 : self.place + 2] == (Token("close", "}"),)
            ):
                token = self.take()
                self.take()
                return ("degree",) if token.kind == "degree" else ("name", "T")
            bars, self.bars = self.bars, 0
            value = self.chosen()
            self.bars = bars
            self.expect("close", "}")
            return value
        if script and (self.at("op", "-") or self.at("op", "+")):
            return ("neg", self.argument(True)) if self.take().text == "-" else self.argument(True)
        if self.at("top"):
            self.take()
            return ("name", "T")
        if self.kind == "number" and not script and len(self.text) > 1 and self.text.isdigit():
            return self.first_digit()
        if self.kind in ("number", "name", "constant", "frac", "sqrt", "function") or (self.at("open", "(") and script):
            return self.base()
        raise UnreadableError

    def chosen(self) -> Tree:
        r"""A sum, or two with ``\choose`` or ``\over`` between them."""
        value = self.sum()
        if self.kind != "choose":
            return value
        over = self.take().text == "over"
        return ("div", value, self.sum()) if over else ("call", "binomial", (value, self.sum()))

    def first_digit(self) -> Tree:
        r"""The 1 of ``\frac12``: the rest of the number stays to be read."""
        digits = self.text
        rest = Token("number", digits[1:])
        self.tokens = (*self.tokens[: self.place], rest, *self.tokens[self.place + 1 :])
        return number(int(digits[0]))

    def base(self) -> Tree:
        """The expression that begins with the next token."""
        reader = {
            "number": self.number, "name": self.name, "constant": self.constant, "function": self.function,
            "frac": self.fraction, "sqrt": self.root, "binom": self.binomial, "open": self.bracket,
            "bar": self.absolute, "big": self.big, "limit": self.limit, "begin": self.matrix, "bigother": self.contour,
        }.get(self.kind or "")  # fmt: skip
        if reader is None:
            raise UnreadableError
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError
        value = reader()
        self.depth -= 1
        return value

    def number(self) -> Tree:
        """A number, with its period."""
        digits = self.take().text
        if self.at("repeating"):
            return ("num", repeating(digits, self.take().text), False)
        if self.kind == "op" and self.text == "_":
            raise UnreadableError  # a base: see ``readings``
        return ("num", Fraction(digits), digits if "." in digits else "")

    def constant(self) -> Tree:
        """pi, e, i or infinity."""
        return ("const", self.take().text)

    def root(self) -> Tree:
        """A root of any degree."""
        self.take()
        degree: Tree = number(2)
        if self.at("open", "["):
            self.take()
            degree = self.sum()
            self.expect("close", "]")
        if self.at("open", "("):
            radicand = self.bracket()
        elif self.kind == "number" and self.tokens[self.place - 1].kind == "sqrt" and self.text.isdigit() is False:
            radicand = self.base()
        else:
            radicand = self.argument() if self.kind != "number" else self.base()
        return ("root", radicand, degree)

    def binomial(self) -> Tree:
        """A binomial coefficient."""
        self.take()
        return ("call", "binomial", (self.argument(), self.argument()))

    def bracket(self) -> Tree:
        """A sum, or a vector, in brackets."""
        opening = self.take().text
        bars, self.bars = self.bars, 0
        value = self.chosen()
        if self.kind == "sep" and opening in ("(", "<", "["):
            entries = [value]
            while self.kind == "sep":
                self.take()
                entries.append(self.sum())
            self.expect("close", CLOSING[opening])
            self.bars = bars
            return ("vector", *entries)
        self.bars = bars
        self.expect("close", CLOSING.get(opening, ""))
        if opening in ("floor", "ceil"):
            return ("call", opening, (value,))
        if opening in ("\\{", "<"):
            raise UnreadableError
        return value

    def absolute(self) -> Tree:
        """The expression between bars."""
        bar = self.take().text
        bars, self.bars = self.bars, 1
        value = self.sum()
        self.expect("bar", bar)
        self.bars = bars
        return ("call", "abs" if bar == "|" else "norm", (value,))

    def whole(self, tokens: Tokens) -> Tree:
        """The tree of other tokens."""
        return parse(tokens, self.products)


def repeating(digits: str, period: str) -> Fraction:
    """A repeating decimal exactly: 0.1(6) is 1/10 + 6/90.

    Raises:
        UnreadableError: If the digits before the period have no decimal point.
    """
    if "." not in digits:
        raise UnreadableError
    whole, _, fixed = digits.partition(".")
    value = Fraction(int(f"{whole}{fixed}" or "0")) + Fraction(int(period), 10 ** len(period) - 1)
    return value / 10 ** len(fixed)

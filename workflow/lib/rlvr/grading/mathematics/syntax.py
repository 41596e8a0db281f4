r"""Expressions as trees: one grammar for numbers, names, functions, sums and integrals.

A text that the grammar does not cover to its last token is no expression. Nothing is computed here, and nothing is
guessed twice: ``2\frac{1}{2}`` is a mixed number, ``1/2x`` is ``(1/2)x``, ``f(x)`` is a function's value where its
argument looks like one and a product otherwise (``Reader.is_function``).
"""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError

Tree = tuple[Any, ...]
CLOSING = {"(": ")", "[": "]", "{": "}", "\\{": "\\}", "<": ">", "floor": "floor", "ceil": "ceil"}
# Functions of a real or complex number that are written without brackets.
PREFIXED = frozenset(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arccot arcsec arccsc ln log log10 exp cis arg det tr sgn".split()
)
ALWAYS_FUNCTIONS = frozenset({"f", "\\zeta", "\\Gamma", "\\phi", "\\psi", "\\Phi", "\\Psi", "\\Re", "\\Im"})
OFTEN_FUNCTIONS = frozenset({"g", "h", "F", "G", "H"})
INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc"}
STARTS = frozenset({"number", "name", "constant", "function", "frac", "sqrt", "binom", "open", "bar", "big", "limit", "begin", "bigother"})
MAX_DEPTH = 60
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


@dataclass
class Reader:
    """Recursive descent over tokens; each method reads one level of the grammar."""

    tokens: Tokens
    products: frozenset[str] = frozenset()
    place: int = 0
    depth: int = 0
    bars: int = 0

    @property
    def kind(self) -> str | None:
        return self.tokens[self.place].kind if self.place < len(self.tokens) else None

    @property
    def text(self) -> str:
        return self.tokens[self.place].text if self.place < len(self.tokens) else ""

    def take(self) -> Token:
        if self.place >= len(self.tokens):
            raise UnreadableError
        self.place += 1
        return self.tokens[self.place - 1]

    def at(self, kind: str, text: str | None = None) -> bool:
        return self.kind == kind and (text is None or self.text == text)

    def expect(self, kind: str, text: str | None = None) -> Token:
        if not self.at(kind, text):
            raise UnreadableError
        return self.take()

    def sum(self) -> Tree:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise UnreadableError
        terms = [self.signed()]
        while self.at("op", "+") or self.at("op", "-"):
            terms.append(self.signed())
        self.depth -= 1
        return terms[0] if len(terms) == 1 else ("add", *terms)

    def signed(self) -> Tree:
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
        negative = False
        while self.at("op", "-") or self.at("op", "+"):
            negative ^= self.take().text == "-"
        value = self.factor()
        return ("neg", value) if negative else value

    def factor(self) -> Tree:
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
            elif self.at("percent"):
                self.take()
                value = ("div", value, number(100))
            else:
                return value

    def power(self, base: Tree) -> Tree:
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
        if sign is None or not (sign == Token("op", "*") or sign.kind == "infix" and sign.text in ("star", "dagger")):
            return ""
        self.place += size
        return f"conjugate {sign.text}"

    def argument(self, script: bool = False) -> Tree:
        """A group in braces, or one sign; behind ``^`` all digits of a number and a sign before it, too."""
        if self.at("open", "{"):
            self.take()
            if script and self.kind in ("degree", "top") and self.tokens[self.place + 1 : self.place + 2] == (Token("close", "}"),):
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
        r"""A sum, or ``n \choose k``."""
        value = self.sum()
        if self.kind != "choose":
            return value
        self.take()
        return ("call", "binomial", (value, self.sum()))

    def first_digit(self) -> Tree:
        r"""The 1 of ``\frac12``: the rest of the number stays to be read."""
        digits = self.text
        rest = Token("number", digits[1:])
        self.tokens = (*self.tokens[: self.place], rest, *self.tokens[self.place + 1 :])
        return number(int(digits[0]))

    def base(self) -> Tree:
        reader = {
            "number": self.number, "name": self.name, "constant": self.constant, "function": self.function, "frac": self.fraction,
            "sqrt": self.root, "binom": self.binomial, "open": self.bracket, "bar": self.absolute, "big": self.big,
            "limit": self.limit, "begin": self.matrix, "bigother": self.contour,
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
        digits = self.take().text
        if self.at("repeating"):
            return ("num", repeating(digits, self.take().text), False)
        if self.kind == "op" and self.text == "_":
            raise UnreadableError  # a base: see ``readings``
        return ("num", Fraction(digits), digits if "." in digits else "")

    def constant(self) -> Tree:
        return ("const", self.take().text)

    def name(self) -> Tree:
        """A name with its index and primes, or the value of a function."""
        letter = self.take().text
        key, primed = letter, ""
        index: tuple[str, ...] = ()
        while self.at("op", "_") or self.kind == "prime":
            if self.kind == "prime":
                primed += self.take().text
            else:
                self.take()
                index = (*index, *self.index())
        primed += self.raised_primes()
        inverse = letter in ALWAYS_FUNCTIONS | OFTEN_FUNCTIONS and self.is_inverse()
        if inverse:
            primed += "^-1"
        if not index and not primed and letter in ("e", "i"):
            return ("const", letter)
        tree: Tree = ("name", key + primed) if not index else ("index", key + primed, index)
        return ("call", tree, self.arguments()) if self.is_function(letter, bool(primed)) else tree

    def index(self) -> tuple[str, ...]:
        """Canonical signs of a subscript."""
        if not self.at("open", "{"):
            if self.kind not in ("number", "name", "constant", "word", "op", "function"):
                raise UnreadableError
            return (self.take().text,)
        self.take()
        signs, depth = [], 1
        while True:
            token = self.take()
            depth += (token.kind == "open") - (token.kind == "close")
            if depth == 0:
                return tuple(signs)
            signs.append(token.text)

    def raised_primes(self) -> str:
        r"""The primes of ``f^{\prime\prime}`` and the order of ``f^{(4)}``."""
        following = self.tokens[self.place : self.place + 2]
        if following == (Token("op", "^"), Token("prime", "'")):
            self.place += 2
            return "'"
        if following != (Token("op", "^"), Token("open", "{")):
            return ""
        end, primes = self.place + 2, 0
        while end < len(self.tokens) and self.tokens[end].kind == "prime":
            primes += len(self.tokens[end].text)
            end += 1
        if primes and self.tokens[end : end + 1] == (Token("close", "}"),):
            self.place = end + 1
            return "'" * primes
        inner = self.tokens[self.place + 2 : self.place + 6]
        if len(inner) == 4 and inner[0].text == "(" and inner[1].kind in ("number", "name") and inner[2].text == ")" and inner[3].text == "}":
            self.place += 6
            return f"^({inner[1].text})"
        return ""

    def is_inverse(self) -> bool:
        """Whether ``^{-1}`` and a bracket follow; they are then read."""
        expected = (Token("op", "^"), Token("open", "{"), Token("op", "-"), Token("number", "1"), Token("close", "}"))
        following = self.tokens[self.place : self.place + 6]
        if following[:5] != expected or following[5:] != (Token("open", "("),):
            return False
        self.place += 5
        return True

    def is_function(self, letter: str, primed: bool) -> bool:
        """Whether the bracket that follows holds the arguments of a function.

        ``f`` always is one, another letter is where its argument is one sign or a list: ``P(A)``, ``T(10)``, not the
        ``n(n+1)`` of a product.
        """
        if not (self.at("open", "(") or (self.at("open", "[") and letter.startswith(("bb", "E", "\\operatorname")))):
            return False
        if letter in self.products:
            return False
        end = self.closing()
        inner = self.tokens[self.place + 1 : end]
        if any(token.kind == "sep" for token in inner) or sum(token.kind == "bar" for token in inner) == 1:
            return True
        if letter in ALWAYS_FUNCTIONS | OFTEN_FUNCTIONS or primed or letter.startswith("bb") or letter.startswith(("cal", "frak")):
            return True
        followed = self.tokens[end + 1 : end + 2]
        return len(inner) == 1 and inner[0].kind in ("number", "name", "constant") and not (followed and followed[0].text == "^")

    def closing(self) -> int:
        depth = 0
        for place in range(self.place, len(self.tokens)):
            token = self.tokens[place]
            depth += (token.kind == "open") - (token.kind == "close")
            if depth == 0:
                return place
        raise UnreadableError

    def single_bar(self) -> int:
        """Whether the bracket that begins here holds one bar, which then only separates: ``E(Y|X)``."""
        inner = self.tokens[self.place + 1 : self.closing()]
        return int(sum(token.kind == "bar" for token in inner) == 1)

    def arguments(self) -> tuple[Tree, ...]:
        """What stands in the brackets behind a function, by commas."""
        bars, self.bars = self.bars, self.single_bar()
        opening = self.expect("open").text
        found = [self.sum()]
        while self.kind == "sep" or self.at("bar", "|") or self.at("relation") or self.at("colon"):
            sign = self.take()
            if sign.kind != "sep":
                found.append(("sign", sign.text))
            found.append(self.sum())
        self.bars = bars
        self.expect("close", CLOSING[opening])
        return tuple(found)

    def function(self) -> Tree:
        """A known function: ``\\sin 2x``, ``\\sin^2 x``, ``\\log_2 x``, ``\\gcd(m, n)``."""
        name = self.take().text
        base = None
        exponent = None
        while self.at("op", "_") or self.at("op", "^"):
            if self.take().text == "_":
                base = self.base_of_logarithm()
            else:
                exponent = self.argument(script=True)
        if exponent == ("neg", number(1)) and name in INVERSE:
            name, exponent = INVERSE[name], None
        arguments = self.arguments_of(name)
        if name in ("log", "ln", "log10") and base is not None:
            value: Tree = ("div", ("call", "ln", arguments), ("call", "ln", (base,)))
        else:
            value = ("call", name if base is None else f"{name}_{base!r}", arguments)
        return value if exponent is None else ("pow", value, exponent)

    def base_of_logarithm(self) -> Tree:
        r"""The subscript of a function: of ``\log_23`` the 2, of ``\log_10 3`` the 10."""
        following = self.tokens[self.place + 1 : self.place + 2]
        if self.kind == "number" and len(self.text) > 1 and self.text.isdigit() and not (following and following[0].kind in STARTS):
            return self.first_digit()
        return self.argument(script=True)

    def arguments_of(self, name: str) -> tuple[Tree, ...]:
        if self.at("open", "(") or self.at("open", "[") or self.at("open", "\\{"):
            return self.arguments()
        if self.at("open", "{"):
            return (self.argument(),)
        if name not in PREFIXED and name not in ("max", "min", "gcd", "lcm", "conj", "dim", "ker", "deg"):
            raise UnreadableError
        return (self.plain_argument(),)

    def plain_argument(self) -> Tree:
        """What a function without brackets is taken of: the factors up to a sign, a bracket or another function."""
        negative = self.at("op", "-")
        if negative:
            self.take()
        if self.kind == "function":
            value = self.function()
        else:
            value = self.factor()
        while self.kind in ("name", "constant", "frac", "sqrt", "number") and not (self.kind == "number"):
            value = times(value, self.factor())
        if self.at("op", "/") and value[0] != "call":
            following = self.tokens[self.place + 1 : self.place + 2]
            if following and following[0].kind in ("number",):
                self.take()
                value = ("div", value, self.factor())
        return ("neg", value) if negative else value

    def fraction(self) -> Tree:
        self.take()
        start = self.place
        top = self.argument()
        middle = self.place
        bottom = self.argument()
        derivative = differential(self.tokens[start:middle], self.tokens[middle : self.place])
        if derivative is None:
            above = [token for token in self.tokens[start:middle] if token.text not in "{}"]
            if len(above) == 2 and above[0].text == "d" and above[1].kind == "name":
                top = ("name", f"d {above[1].text}")
            return ("div", top, bottom)
        if derivative[-1] == "operator":
            body = self.factor() if self.kind in STARTS else None
            return ("opaque", derivative, (body,) if body is not None else ())
        return ("opaque", derivative, ())

    def root(self) -> Tree:
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
        self.take()
        return ("call", "binomial", (self.argument(), self.argument()))

    def bracket(self) -> Tree:
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
        bar = self.take().text
        bars, self.bars = self.bars, 1
        value = self.sum()
        self.expect("bar", bar)
        self.bars = bars
        return ("call", "abs" if bar == "|" else "norm", (value,))

    def big(self) -> Tree:
        r"""``\sum``, ``\prod`` and ``\int`` with their bounds and the product behind them."""
        name = self.take().text
        low: Tree | None = None
        high: Tree | None = None
        variable = ""
        while self.at("op", "_") or self.at("op", "^"):
            if self.take().text == "^":
                high = self.argument(script=True)
            elif name == "int":
                low = self.argument(script=True)
            else:
                variable, low = self.lower_bound()
        if name == "int":
            return self.integral(low, high)
        if not variable or low is None or high is None:
            raise UnreadableError
        body = self.big_body()
        return (name, variable, low, high, body)

    def big_body(self) -> Tree:
        value = self.product()
        return value

    def lower_bound(self) -> tuple[str, Tree]:
        """``{k=1}``."""
        self.expect("open", "{")
        variable = self.expect("name").text
        self.expect("relation", "=")
        low = self.sum()
        self.expect("close", "}")
        return variable, low

    def integral(self, low: Tree | None, high: Tree | None) -> Tree:
        """The integrand up to its differential: a last ``d`` and a name at this level, or in the numerator of a fraction."""
        start = self.place
        depth = 0
        place = start
        while place < len(self.tokens):
            token = self.tokens[place]
            depth += (token.kind == "open") - (token.kind == "close")
            if depth < 0:
                break
            if depth == 0 and token == Token("name", "d") and self.tokens[place + 1 : place + 2] and self.tokens[place + 1].kind == "name":
                inner = self.tokens[start:place]
                variable = self.tokens[place + 1].text
                body = parse(inner, self.products) if inner else number(1)
                self.place = place + 2
                return ("int", variable, low, high, body)
            place += 1
        raise UnreadableError

    def contour(self) -> Tree:
        raise UnreadableError

    def limit(self) -> Tree:
        """An opaque function of its body: which limit it is belongs to its name."""
        name = self.take().text
        signs: tuple[str, ...] = ()
        if self.at("op", "_"):
            self.take()
            signs = self.index()
        return ("opaque", (name, *signs), (self.product(),))

    def matrix(self) -> Tree:
        """An environment of rows and columns; bars around it make it a determinant."""
        environment = self.take().text
        if environment not in ("matrix", "pmatrix", "bmatrix", "Bmatrix", "vmatrix", "smallmatrix", "array"):
            raise UnreadableError
        rows, row = [], []
        while True:
            row.append(self.sum())
            if self.kind == "amp":
                self.take()
                continue
            rows.append(tuple(row))
            row = []
            while self.kind == "row":
                self.take()
            if self.kind == "end":
                break
            if self.tokens[self.place - 1].kind != "row":
                raise UnreadableError
        self.expect("end", environment)
        if len({len(one) for one in rows}) != 1:
            raise UnreadableError
        tree = ("matrix", tuple(rows))
        return ("call", "det", (tree,)) if environment == "vmatrix" else tree


def number(value: int) -> Tree:
    """The tree of an integer."""
    return ("num", Fraction(value), "")


def is_whole(tree: Tree) -> bool:
    """Whether a tree is a positive integer as it was written."""
    return tree[0] == "num" and tree[1].denominator == 1 and not tree[2]


def times(first: Tree, second: Tree) -> Tree:
    """A product; factors keep their order."""
    left = first[1:] if first[0] == "mul" else (first,)
    return ("mul", *left, second)


VECTOR_LIKE = ("name", "index")


def cross(first: Tree, second: Tree) -> Tree:
    """A product by a cross, which between names is one that does not commute."""
    if (first[0] in VECTOR_LIKE and second[0] in VECTOR_LIKE) or first == ("name", "\\nabla"):
        return ("call", "cross", (first, second))
    return times(first, second)


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


def differential(top: Tokens, bottom: Tokens) -> tuple[str, ...] | None:
    r"""Canonical signs of a derivative ``\frac{dy}{dx}``; the last is ``operator`` where what it acts on follows."""
    above, below = (tuple(token.text for token in part if token.text not in "{}") for part in (top, bottom))
    if len(below) < 2 or below[0] not in ("d", "\\partial") or not above or above[0] != below[0]:
        return None
    rest = above[1:]
    if rest[:1] == ("^",):
        rest = rest[2:]
    return (*above, "/", *below) if rest else (*above, "/", *below, "operator")

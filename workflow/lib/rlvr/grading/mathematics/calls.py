"""Names and functions in expressions: indices, primes, and whether a bracket holds arguments."""

from rlvr.grading.mathematics.cursor import CLOSING, STARTS, Cursor, Tree, number, times
from rlvr.grading.mathematics.latex import Token, UnreadableError
from rlvr.grading.mathematics.words import words_of

# Functions of a real or complex number that are written without brackets.
PREFIXED = words_of(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arccot arcsec arccsc ln log log10 exp cis arg "
    "det tr sgn"
)
ALWAYS_FUNCTIONS = frozenset({"f", "\\zeta", "\\Gamma", "\\phi", "\\psi", "\\Phi", "\\Psi", "\\Re", "\\Im"})
OFTEN_FUNCTIONS = frozenset({"g", "h", "F", "G", "H"})
INVERSE = {"sin": "arcsin", "cos": "arccos", "tan": "arctan", "cot": "arccot", "sec": "arcsec", "csc": "arccsc"}


class Calls(Cursor):
    """The expression that begins with a name or a known function."""

    def first_digit(self) -> Tree:
        """The first digit of a number, whose others stay to be read."""
        raise NotImplementedError

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
        signs: list[str] = []
        depth = 1
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
        if (
            len(inner) == 4
            and inner[0].text == "("
            and inner[1].kind in ("number", "name")
            and inner[2].text == ")"
            and inner[3].text == "}"
        ):
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
        if self.text == "[":
            return True
        end = self.closing()
        inner = self.tokens[self.place + 1 : end]
        if any(token.kind == "sep" for token in inner) or sum(token.kind == "bar" for token in inner) == 1:
            return True
        if (
            letter in ALWAYS_FUNCTIONS | OFTEN_FUNCTIONS
            or primed
            or letter.startswith("bb")
            or letter.startswith(("cal", "frak"))
        ):
            return True
        followed = self.tokens[end + 1 : end + 2]
        return (
            len(inner) == 1
            and inner[0].kind in ("number", "name", "constant")
            and not (followed and followed[0].text == "^")
        )

    def single_bar(self) -> int:
        """Whether the bracket that begins here holds one bar, which then only separates: ``E(Y|X)``."""
        inner = self.tokens[self.place + 1 : self.closing()]
        return int(sum(token.kind == "bar" for token in inner) == 1)

    def arguments(self) -> tuple[Tree, ...]:
        """Arguments in the brackets behind a function, split at commas."""
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
        r"""A known function: ``\sin 2x``, ``\sin^2 x``, ``\log_2 x``, ``\gcd(m, n)``."""
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
        if (
            self.kind == "number"
            and len(self.text) > 1
            and self.text.isdigit()
            and not (following and following[0].kind in STARTS)
        ):
            return self.first_digit()
        return self.argument(script=True)

    def arguments_of(self, name: str) -> tuple[Tree, ...]:
        """The argument of a known function."""
        if self.at("open", "(") or self.at("open", "[") or self.at("open", "\\{"):
            return self.arguments()
        if self.at("open", "{"):
            return (self.argument(),)
        if name not in PREFIXED and name not in ("max", "min", "gcd", "lcm", "conj", "dim", "ker", "deg"):
            raise UnreadableError
        return (self.plain_argument(),)

    def plain_argument(self) -> Tree:
        """The argument of a function without brackets: the factors up to a sign, a bracket or another function."""
        negative = self.at("op", "-")
        if negative:
            self.take()
        value = self.function() if self.kind == "function" else self.factor()
        while self.kind in ("name", "constant", "frac", "sqrt"):
            value = times(value, self.factor())
        if self.at("op", "/") and value[0] != "call":
            following = self.tokens[self.place + 1 : self.place + 2]
            if following and following[0].kind == "number":
                self.take()
                value = ("div", value, self.factor())
        return ("neg", value) if negative else value

"""Operators that act on the expression behind them: sums, products, integrals, limits, derivatives; and matrices."""

from rlvr.grading.mathematics.cursor import STARTS, Cursor, Tree, number
from rlvr.grading.mathematics.latex import Token, Tokens, UnreadableError


class Operators(Cursor):
    """The expression that begins with an operator or an environment."""

    def fraction(self) -> Tree:
        """A quotient, or a derivative."""
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
        return (name, variable, low, high, self.product())

    def lower_bound(self) -> tuple[str, Tree]:
        """``{k=1}``."""
        self.expect("open", "{")
        variable = self.expect("name").text
        self.expect("relation", "=")
        low = self.sum()
        self.expect("close", "}")
        return variable, low

    def integral(self, low: Tree | None, high: Tree | None) -> Tree:
        """The integrand up to its differential: a ``d`` and a name at this level."""
        start = self.place
        depth = 0
        place = start
        while place < len(self.tokens):
            token = self.tokens[place]
            depth += (token.kind == "open") - (token.kind == "close")
            if depth < 0:
                break
            if (
                depth == 0
                and token == Token("name", "d")
                and self.tokens[place + 1 : place + 2]
                and self.tokens[place + 1].kind == "name"
            ):
                inner = self.tokens[start:place]
                variable = self.tokens[place + 1].text
                body = self.whole(inner) if inner else number(1)
                self.place = place + 2
                return ("int", variable, low, high, body)
            place += 1
        raise UnreadableError

    def contour(self) -> Tree:
        """Integrals over curves and surfaces are no expressions."""
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

    def index(self) -> tuple[str, ...]:
        """Canonical signs of a subscript."""
        raise NotImplementedError

    def whole(self, tokens: Tokens) -> Tree:
        """The tree of other tokens, which must be read to the last one."""
        raise NotImplementedError


def differential(top: Tokens, bottom: Tokens) -> tuple[str, ...] | None:
    r"""Canonical signs of a derivative ``\frac{dy}{dx}``; the last is ``operator`` where what it acts on follows."""
    above, below = (tuple(token.text for token in part if token.text not in "{}") for part in (top, bottom))
    if len(below) < 2 or below[0] not in ("d", "\\partial") or not above or above[0] != below[0]:
        return None
    rest = above[1:]
    if rest[:1] == ("^",):
        rest = rest[2:]
    return (*above, "/", *below) if rest else (*above, "/", *below, "operator")

"""Functions that have values: by the name that the grammar gives them."""

from typing import Any

REAL_FUNCTIONS = frozenset({"floor", "ceil", "max", "min", "sgn"})  # opaque where an argument is not real
SPECIAL: dict[str, Any] = {"\\Gamma": lambda ctx, x: ctx.gamma(x), "\\zeta": lambda ctx, x: ctx.zeta(x)}
KNOWN: dict[str, Any] = {
    **{name: (lambda ctx, x, name=name: getattr(ctx, name)(x)) for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "coth", "floor", "ceil", "conj",
    )},
    **{f"arc{name}": (lambda ctx, x, name=name: getattr(ctx, f"a{name}")(x)) for name in ("sin", "cos", "tan", "cot",
    "sec", "csc")},
    "ln": lambda ctx, x: ctx.log(x), "log": lambda ctx, x: ctx.log(x) / ctx.log(10), "log10": lambda ctx,
    x: ctx.log(x) / ctx.log(10),
    "exp": lambda ctx, x: ctx.expm(x) if hasattr(x, "rows") else ctx.exp(x), "abs": lambda ctx, x: abs(x),
    "arg": lambda ctx, x: ctx.arg(x),
    "factorial": lambda ctx, x: ctx.factorial(x), "factorial2": lambda ctx, x: ctx.fac2(x),
    "binomial": lambda ctx, n, k: ctx.binomial(n, k), "max": lambda _ctx, *x: max(x), "min": lambda _ctx, *x: min(x),
    "det": lambda ctx, x: ctx.det(x) if hasattr(x, "rows") else None, "cis": lambda ctx, x: ctx.exp(ctx.mpc(0, 1) * x),
    "sgn": lambda ctx, x: ctx.sign(x), "tr": lambda _ctx, x: sum(x[k, k] for k in range(x.rows)) if hasattr(x,
    "rows") else None,
}  # fmt: skip

"""Whole numbers with given totals: how many rows to take from each cell of a two-way table, none above its supply.

Three steps: a closed-form test of feasibility, raking with capacities to real-valued cells, controlled rounding to
whole ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, combinations

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.seeds import make_rng

SWEEPS = 1000  # of raking; plausible tables take about twenty, tables without any slack would converge for ever
TOLERANCE = 1e-9  # rows, error of a margin at which raking stops
PERTURBATION = 1e-4  # largest random addition to a cost of rounding, far above the solver's tolerance of 1e-7


@dataclass(frozen=True)
class Margins:
    """Wanted totals of a two-way table.

    Attributes:
        rows: Total of each row category, by name.
        columns: Total of each column category, by name; as many in all as the rows.
    """

    rows: Mapping[str, int]
    columns: Mapping[str, int]


def largest_remainder(weights: Mapping[str, int], total: int) -> dict[str, int]:
    """Whole shares of ``total`` in proportion to ``weights``: rounded down, the rest by largest remainder.

    Hamilton's method, in exact fractions. ASSUME: equal remainders are served in the order of their names;
    "Structure Over Scale" states no rule and sixteen of twenty-five equal tasks get one row more.

    Raises:
        InputError: If no weight is positive.
    """
    mass = sum(weights.values())
    if mass <= 0:
        raise InputError("sampling", "there are no rows to take shares of.", "Check the tasks that are kept.")
    exact = {name: Fraction(weight * total, mass) for name, weight in weights.items()}
    shares = {name: int(share) for name, share in exact.items()}
    by_remainder = sorted(exact, key=lambda name: (shares[name] - exact[name], name))
    for name in by_remainder[: total - sum(shares.values())]:
        shares[name] += 1
    return shares


def check_feasible(supply: pd.DataFrame, margins: Margins, where: str) -> None:
    """Whether a table with these margins exists below the supply.

    By max-flow and min-cut (Gale 1957): the totals agree, and for every set D of columns the rows can deliver what D
    asks for: sum over rows of min(total of the row, its supply in D) >= sum of the totals of D.

    Args:
        supply: Rows available, one row and one column per category; as many columns as there are levels (a handful:
            all their subsets are tried).
        margins: Totals for the same names.
        where: Opens messages.

    Raises:
        InputError: Names the violated set of columns, both numbers, and the rows that are short there.
    """
    totals = pd.Series(margins.rows).reindex(supply.index).fillna(0)
    wanted, given = sum(margins.columns.values()), int(totals.sum())
    if wanted != given:
        raise InputError(where, f"row totals give {given:,}, column totals {wanted:,}.", "Make them agree.")
    short = totals[totals > supply.sum(axis=1)]
    if len(short):
        have = int(supply.sum(axis=1)[short.index[0]])
        problem = f"'{short.index[0]}' is to give {int(short.iloc[0]):,} rows and has {have:,}."
        raise InputError(where, problem, "Lower the total or leave the category out.")
    columns = list(margins.columns)
    for subset in chain.from_iterable(combinations(columns, size) for size in range(1, len(columns) + 1)):
        inside = supply[list(subset)].sum(axis=1)
        can, must = int(np.minimum(totals, inside).sum()), sum(margins.columns[name] for name in subset)
        if can < must:
            lacking = ", ".join(map(str, totals.index[inside < totals]))
            raise InputError(
                where,
                f"{{{', '.join(subset)}}} must hold {must:,} rows, at most {can:,} can be had (short: {lacking}).",
                "Change the margins, or which rows count as which level.",
            )


def rake(supply: pd.DataFrame, margins: Margins) -> pd.DataFrame:
    """Real-valued cells closest to the supply's own mix under both margins, none above its supply.

    Minimises the Kullback-Leibler divergence from the supply: cell = min(supply, a_i b_j supply). The multipliers come
    from alternating exact one-dimensional solutions (iterative proportional fitting with capacities). ASSUME: the
    supply is the seed table, so odds ratios of the pool are kept as far as the margins allow.

    Args:
        supply: R x C whole numbers; a table with these margins must exist (``check_feasible``).
        margins: Wanted totals.

    Returns:
        R x C real numbers; margins met to ``TOLERANCE``, or as near as ``SWEEPS`` come where the supply leaves no slack
        (rounding makes them exact in any case).
    """
    cells = supply.to_numpy(float)
    rows = np.array([margins.rows.get(name, 0) for name in supply.index], float)
    columns = np.array([margins.columns[name] for name in supply.columns], float)
    b = np.ones(len(columns))
    for _ in range(SWEEPS):
        a = np.array([_multiplier(cells[i], b, rows[i]) for i in range(len(rows))])
        b = np.array([_multiplier(cells[:, j], a, columns[j]) for j in range(len(columns))])
        fitted = np.minimum(cells, np.outer(a, b) * cells)
        if np.abs(fitted.sum(axis=1) - rows).max() < TOLERANCE:
            break
    return pd.DataFrame(fitted, index=supply.index, columns=supply.columns)


def _multiplier(supply: np.ndarray, weights: np.ndarray, total: float) -> float:
    """The smallest t with sum(min(supply, t * weights * supply)) = total: linear between the points t = 1 / weight."""
    use = (supply > 0) & (weights > 0)
    if total <= 0 or not use.any():
        return 0.0
    supply, weights = supply[use], weights[use]
    order = np.argsort(-weights)  # the heaviest reaches its capacity first
    supply, weights = supply[order], weights[order]
    full = np.concatenate([[0.0], np.cumsum(supply)])  # held by those at capacity, before each breakpoint
    slope = np.concatenate([np.cumsum((supply * weights)[::-1])[::-1], [0.0]])
    reached = full[:-1] + slope[:-1] / weights  # at the breakpoint of each
    place = min(int(np.searchsorted(reached, total * (1 - 1e-15))), len(weights) - 1)
    return float(min((total - full[place]) / slope[place], 1 / weights[place]))


def round_table(fitted: pd.DataFrame, supply: pd.DataFrame, margins: Margins, seed: int) -> pd.DataFrame:
    """Whole cells with exact margins, each the fitted value rounded up or down.

    A transportation problem: every cell carries floor(p) units at cost -1, one unit at cost 1 - 2 frac(p) and whatever
    is left of its supply at cost +1, so that the optimum minimises the sum of |cell - p|; its matrix is totally
    unimodular, so the vertices are whole (controlled rounding, Cox 1987). A small fixed random cost on each cell
    makes the optimum unique; without it, equal tasks would be served as the solver happens to.

    Args:
        fitted: R x C real numbers.
        supply: R x C whole numbers.
        margins: Totals; a table with them must exist below the supply.
        seed: Of the random costs; the order of rows and columns in the tables does not matter.

    Raises:
        RuntimeError: If the solver does not end with a whole optimum.
    """
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, hstack, kron

    shape = supply.shape
    available = supply.to_numpy(float).ravel()
    p = np.minimum(fitted.to_numpy(float).ravel(), available)
    whole = np.round(p)
    p = np.where(np.isclose(p, whole, rtol=0, atol=1e-7), whole, p)
    low = np.floor(p)
    middle = np.minimum(available - low, 1)
    noise = [
        PERTURBATION * make_rng(seed, "rounding", str(row), str(column)).random()
        for row in supply.index
        for column in supply.columns
    ]
    cost = np.concatenate([np.full(low.size, -1.0), 1 - 2 * (p - low) + noise, np.ones(low.size) + noise])
    upper = np.concatenate([low, middle, available - low - middle])
    sums = [kron(np.eye(shape[0]), np.ones((1, shape[1]))), kron(np.ones((1, shape[0])), np.eye(shape[1]))]
    matrix = csr_array(np.vstack([hstack([part] * 3).toarray() for part in sums]))
    totals = [margins.rows.get(str(name), 0) for name in supply.index] + [margins.columns[str(name)] for name in supply]
    solved = linprog(cost, A_eq=matrix, b_eq=totals, bounds=np.stack([0 * upper, upper], axis=1), method="highs-ds")
    if solved.status != 0:
        raise RuntimeError(f"the transportation problem was not solved: {solved.message}")
    cells = solved.x.reshape(3, -1).sum(axis=0)
    if not np.allclose(cells, np.round(cells), atol=1e-6):
        raise RuntimeError("the transportation problem ended between whole tables")
    return pd.DataFrame(np.round(cells).astype(int).reshape(shape), index=supply.index, columns=supply.columns)


def allocate(supply: pd.DataFrame, margins: Margins, seed: int, where: str) -> pd.DataFrame:
    """Decide how many rows to take from each cell.

    Args:
        supply: Rows available; index and columns are the names of the margins.
        margins: Wanted totals.
        seed: Of the tie-breaking costs of rounding.
        where: Opens messages.

    Returns:
        Whole numbers in the shape of ``supply``, with exact margins and none above its supply.

    Raises:
        InputError: If no such table exists; names the violated set.
    """
    check_feasible(supply, margins, where)
    return round_table(rake(supply, margins), supply, margins, seed)

"""How singular values fall: means over layers, and power laws. Pure: frames and arrays in, frames and numbers out."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

ALL = "all"  # in the column `projection`: every matrix of the decoder layers


class PowerLaw(NamedTuple):
    """A fit ``s_i = s_1 i^-exponent``.

    Attributes:
        exponent: Positive where the values fall; flatter spectra have smaller ones.
        r_squared: Share of the variance of ``log s`` that the line explains; 1 for an exact power law.
    """

    exponent: float
    r_squared: float


def fit_power_law(values_R: NDArray[np.float64]) -> PowerLaw:
    """Least squares of ``log s_i`` on ``log i`` over all values that are positive beyond rounding.

    Every index counts alike, so that a fit over thousands of values describes their bulk and one over the first 64 what
    figure 1 of "Structure Over Scale" shows. A low ``r_squared`` says that the values follow no power law.

    Args:
        values_R: Singular values in falling order, at least two of them positive.
    """
    positive = values_R[values_R > len(values_R) * np.finfo(np.float64).eps * values_R[0]]
    index, value = np.log(np.arange(1, len(positive) + 1)), np.log(positive)
    slope, intercept = np.polyfit(index, value, 1)
    residual, spread = value - slope * index - intercept, value - value.mean()
    total = float(spread @ spread)
    return PowerLaw(-float(slope), 1.0 - float(residual @ residual) / total if total > 1e-24 else 1.0)


def summarise_decay(spectra: pd.DataFrame, top: int | None) -> pd.DataFrame:
    """Mean and standard deviation over layers, for every projection and for all of them together.

    Args:
        spectra: ``tables.FROZEN_SPECTRA`` with all values of every matrix, without the model's name.
        top: Length of the leading part that is fitted beside the whole; ``None`` fits the whole only.

    Returns:
        Columns projection, quantity, index, mean, std (n - 1, 0 for one layer), layers. Quantities: ``normalised`` at
        every index, by the number of layers that have so many values; ``exponent_full``, ``r_squared_full``,
        ``exponent_top``, ``r_squared_top`` at index 0.
    """
    both = pd.concat([spectra, spectra.assign(projection=ALL)])
    curves = both.assign(quantity="normalised", value=both["normalised"])
    fits = pd.DataFrame([row for _, one in spectra.groupby("module") for row in _fits(one, top)])
    parts = pd.concat([curves, fits, fits.assign(projection=ALL)])
    groups = parts.groupby(["projection", "quantity", "index"])["value"]
    return groups.agg(mean="mean", std="std", layers="count").fillna({"std": 0.0}).reset_index()


def _fits(one: pd.DataFrame, top: int | None) -> list[dict[str, object]]:
    """Power laws of one matrix, over its leading values and over all."""
    values_R = one.sort_values("index")["normalised"].to_numpy()
    fits = {"full": fit_power_law(values_R)} | ({} if top is None else {"top": fit_power_law(values_R[:top])})
    labels = {"projection": one["projection"].iloc[0], "index": 0}
    return [
        {**labels, "quantity": f"{name}_{part}", "value": value}
        for part, fit in fits.items()
        for name, value in fit._asdict().items()
    ]

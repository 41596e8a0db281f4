"""What finished files say about runs, looked up by run id."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

UNDECLARED = "The rule's inputs and the declaration of its output differ; see required_inputs."
Z95 = 1.959963984540054  # SOURCE: 97.5 % quantile of the standard normal


class Estimate(NamedTuple):
    """A number with its 95 % interval; NaN where there is none."""

    value: float
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class InputPaths:
    """Files that an output is made from; the run id is inside each of them."""

    scores: Sequence[str] = ()
    manifests: Sequence[str] = ()
    spectra: Sequence[str] = ()
    metrics: Sequence[str] = ()
    diagnostics: Sequence[str] = ()
    frozen: Sequence[str] = ()
    decay: Sequence[str] = ()
    cards: Sequence[str] = ()

    @property
    def all(self) -> list[str]:
        """Every path."""
        return [path for field in fields(self) for path in getattr(self, field.name)]


@dataclass(frozen=True)
class Evidence:
    """Finished results.

    Attributes:
        scores: ``tables.SCORES`` indexed by run_id, benchmark, statistic.
        parameters: Trainable parameters by run id.
        spectra: Of spectral quantities and of scalar diagnostics: number, mean, standard deviation (n - 1) and root of
            the summed squared standard errors over modules, indexed by run_id, quantity.
    """

    scores: pd.DataFrame
    parameters: dict[str, int]
    spectra: pd.DataFrame

    def score(self, run_id: str, benchmark: str, statistic: str) -> Estimate:
        """A score in percent with its bootstrap interval over problems."""
        row = _find(self.scores, (run_id, benchmark, statistic), "scores")
        return Estimate(100 * row["value"], 100 * row["low"], 100 * row["high"])

    def trainable_parameters(self, run_id: str) -> Estimate:
        """Number of trainable parameters; exact, so without an interval."""
        if run_id not in self.parameters:
            raise InputError(run_id, "no run.json given.", UNDECLARED)
        return Estimate(float(self.parameters[run_id]))

    def spectral(self, run_id: str, quantity: str, over_modules: str) -> Estimate:
        """Mean or standard deviation of a quantity over the adapted modules.

        The mean carries an interval only where the values were estimated; over all modules it is no sample mean.
        """
        row = _find(self.spectra, (run_id, quantity), "spectra")
        value, margin = row[over_modules], Z95 * row["error"] / row["count"]
        if over_modules == "std" or margin == 0:
            return Estimate(value)
        return Estimate(value, value - margin, value + margin)


def load_evidence(paths: InputPaths) -> Evidence:
    """Read score, manifest and spectra files.

    Raises:
        InputError: Names the file that breaks its schema, or the run that is there twice.
    """
    from rlvr.tables import DIAGNOSTICS, SCORES, SPECTRA

    manifests = [read_json(path) for path in paths.manifests]
    spectra, diagnostics = read_tables(paths.spectra, SPECTRA), read_tables(paths.diagnostics, DIAGNOSTICS)
    filled = [frame for frame in (spectra, scalars(diagnostics)) if len(frame)]
    return Evidence(
        scores=index_scores(read_tables(paths.scores, SCORES)),
        parameters={manifest["run_id"]: manifest["trainable_parameters"] for manifest in manifests},
        spectra=summarise_spectra(pd.concat(filled) if filled else spectra),
    )


def read_tables(paths: Sequence[str | Path], schema: "DataFrameSchema") -> pd.DataFrame:
    """Several tables of one schema, one below the other; an empty frame with its columns where there are none."""
    frames = [read_table(path, schema) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(schema.columns))


def index_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """``tables.SCORES`` indexed for look-up."""
    return _unique(scores.set_index(["run_id", "benchmark", "statistic"]), "scores")


def scalars(diagnostics: pd.DataFrame) -> pd.DataFrame:
    """The diagnostics that are one number a module, exact, as rows like those of ``tables.SPECTRA``."""
    return diagnostics[diagnostics["index"] == 0].drop(columns="index").assign(std_error=0.0)


def summarise_spectra(spectra: pd.DataFrame) -> pd.DataFrame:
    """Moments of every quantity of every run over its modules."""
    _unique(spectra.set_index(["run_id", "module", "quantity"]), "spectra")
    groups = spectra.groupby(["run_id", "quantity"])
    errors = groups["std_error"].agg(lambda column: float(np.linalg.norm(column.astype(float))))
    return groups["value"].agg(["count", "mean", "std"]).assign(error=errors)


def _unique(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    if not frame.index.is_unique:
        repeated = frame.index[frame.index.duplicated()][0]
        raise InputError(name, f"{repeated} is there twice.", "Give each file once.")
    return frame


def _find(frame: pd.DataFrame, key: tuple[str, ...], name: str) -> pd.Series:
    if key not in frame.index:
        raise InputError(name, f"no row for {' / '.join(key)}.", UNDECLARED)
    return frame.loc[[key]].iloc[0]

"""Numbers of finished runs, looked up in their files by run id."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table
from rlvr.plan.outputs import Column
from rlvr.plan.statistics import ANSWERS, EVIDENCE, FIRST_STEPS, OF_ITS_START, PAIR_KINDS, SCORE
from rlvr.stats.quantiles import Z95

if TYPE_CHECKING:
    import pandas as pd
    from pandera.pandas import DataFrameSchema

BASE_DRIFT = "base_drift"
UNDECLARED = "The rule's inputs and the declaration of its output differ; see required_inputs."
Key = tuple[str, str, str]  # run, benchmark, statistic
InputPaths = Mapping[str, Sequence[str]]  # files that an output is made from, by kind of evidence


class Estimate(NamedTuple):
    """A number with its 95 % interval; NaN where there is none."""

    value: float
    low: float = float("nan")
    high: float = float("nan")

    def times(self, factor: float) -> "Estimate":
        """Convert value and interval to another unit by a positive factor."""
        return Estimate(*(factor * number for number in self))


def evidence_paths(named: Any) -> InputPaths:
    """The files of each kind of evidence among the named inputs of a rule."""
    found = {kind: named.get(kind, []) for kind in EVIDENCE}
    return {kind: [paths] if isinstance(paths, str) else list(paths) for kind, paths in found.items()}


def paths_of(paths: InputPaths, kind: str) -> list[str]:
    """Files of a kind of evidence, those of pairs of checkpoints behind those of runs."""
    return [*paths.get(kind, ()), *paths.get(PAIR_KINDS.get(kind, ""), ())]


def all_paths(paths: InputPaths) -> list[str]:
    """Every path."""
    return [path for kind in paths.values() for path in kind]


@dataclass(frozen=True)
class Evidence:
    """Finished results.

    Attributes:
        scores: ``tables.SCORES`` indexed by run_id, benchmark, statistic.
        manifests: Content of ``run.json`` by run id.
        spectra: Of spectral quantities and of scalar diagnostics: number, mean, standard deviation (n - 1) and root of
            the summed squared standard errors over modules, indexed by run_id, quantity.
        metrics: ``tables.METRICS``.
        models: Content of ``model.json`` by model.
        answers: Value and samples of every problem, indexed by problem_id, by (run_id, benchmark, statistic).
    """

    scores: "pd.DataFrame"
    manifests: Mapping[str, Mapping[str, Any]]
    spectra: "pd.DataFrame"
    metrics: "pd.DataFrame | None" = None
    models: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: "Mapping[Key, pd.DataFrame]" = field(default_factory=dict)

    def estimate(self, run_id: str, column: Column) -> Estimate:
        """A column's statistic of one run, in the column's unit.

        Raises:
            InputError: If the files do not have it.
        """
        shown = column.shown
        if shown.source == SCORE:
            found = mean_of(self.score(run_id, benchmark, shown.recorded) for benchmark in column.benchmarks)
        elif shown.source == "manifests":
            found = Estimate(self._of_the_run(run_id, shown.recorded, share="models" in shown.evidence))
        elif shown.source == "metrics":
            found = Estimate(self._of_the_end(run_id, shown.recorded, column.last_steps))
        else:
            found = self.spectral(run_id, shown.recorded, column.over_modules)
        return found.times(shown.factor)

    def score(self, run_id: str, benchmark: str, statistic: str) -> Estimate:
        """A score, from 0 to 1, with its interval over problems (see :func:`rlvr.stats.intervals.problem_mean`)."""
        row = _find(self.scores, (run_id, benchmark, statistic), SCORE)
        return Estimate(row["value"], row["low"], row["high"])

    def answers_of(self, run_id: str, benchmark: str, statistic: str) -> "pd.DataFrame":
        """Value and samples of every problem behind a score, indexed by problem_id in its order.

        Raises:
            InputError: If the files do not have it.
        """
        key = (run_id, benchmark, statistic)
        if key not in self.answers:
            raise InputError(ANSWERS, f"no rows for {' / '.join(key)}.", UNDECLARED)
        return self.answers[key]

    def lost_share(self, run_id: str, column: Column) -> float:
        """Largest share of a run's update that rounding removed from the sampled weights; NaN where not recorded."""
        lost = [_find(self.scores, (run_id, name, column.shown.recorded), SCORE)["lost_share"]
                for name in column.benchmarks]  # fmt: skip
        known = [float(share) for share in lost if not math.isnan(share)]
        return max(known, default=math.nan)

    def spectral(self, run_id: str, quantity: str, over_modules: str) -> Estimate:
        """Mean, standard deviation, smallest or largest value of a quantity over the modules.

        The mean carries an interval only where the values were estimated; over all modules it is not a sample mean.
        """
        row = _find(self.spectra, (run_id, quantity), "spectra")
        value, margin = row[over_modules], Z95 * row["error"] / row["count"]
        if over_modules != "mean" or margin == 0:
            return Estimate(value)
        return Estimate(value, value - margin, value + margin)

    def _of_the_run(self, run_id: str, quantity: str, share: bool) -> float:
        """A number of ``run.json``; with ``share``, over the parameters of the base. Peak memory is in GiB."""
        if run_id not in self.manifests:
            raise InputError(run_id, "no run.json given.", UNDECLARED)
        manifest = self.manifests[run_id]
        if quantity.startswith(OF_ITS_START):
            manifest, quantity = manifest.get("decomposition") or {}, quantity.removeprefix(OF_ITS_START)
            if not manifest:  # nothing was decomposed, or by another program
                return math.nan
        if quantity == "peak_memory_gib":
            return peak_memory(manifest)
        if quantity == BASE_DRIFT and quantity not in manifest:  # trained before anything could move a base
            return 0.0
        base = self.models[manifest["settings"]["model"]]["parameters"] if share else 1
        return float(manifest[quantity]) / float(base)

    def _of_the_end(self, run_id: str, metric: str, steps: int) -> float:
        """Mean of a metric over the last steps of a run; NaN where it was not logged."""
        if self.metrics is None or run_id not in set(self.metrics["run_id"]):
            raise InputError(run_id, "no metrics given.", UNDECLARED)
        logged = self.metrics[self.metrics["run_id"] == run_id].sort_values("step")
        return float(logged[metric].astype(float).tail(steps).mean())


def peak_memory(manifest: Mapping[str, Any]) -> float:
    """Peak memory of a run in GiB: of the accelerator where it used one, otherwise of the process."""
    memory = manifest["peak_memory_gib"]
    return float(memory["accelerator"] or memory["host"])


def mean_of(estimates: Iterable[Estimate]) -> Estimate:
    """Macro average of independent estimates; half-widths add in quadrature (the MOVER of Zou and Donner 2008)."""
    found = list(estimates)
    if len(found) == 1:
        return found[0]
    count, value = len(found), sum(each.value for each in found) / len(found)
    down = math.hypot(*(each.value - each.low for each in found)) / count
    up = math.hypot(*(each.high - each.value for each in found)) / count
    return Estimate(value, value - down, value + up)


def load_evidence(paths: InputPaths) -> Evidence:
    """Read what cells are made from.

    Raises:
        InputError: Names the file that breaks its schema, or the run that appears twice.
    """
    import pandas as pd

    from rlvr.tables import ANSWERS as ANSWERS_SCHEMA
    from rlvr.tables import DIAGNOSTICS, METRICS, SCORES, SPECTRA

    manifests = [read_json(path) for path in paths_of(paths, "manifests")]
    spectra = read_tables(paths_of(paths, "spectra"), SPECTRA)
    diagnostics = read_tables(paths_of(paths, "diagnostics"), DIAGNOSTICS)
    first_steps = read_tables(paths_of(paths, FIRST_STEPS), SPECTRA)
    filled = [frame for frame in (spectra, scalars(diagnostics), first_steps) if len(frame)]
    return Evidence(
        scores=index_scores(read_tables(paths_of(paths, SCORE), SCORES)),
        manifests={manifest["run_id"]: manifest for manifest in manifests},
        spectra=summarise_spectra(pd.concat(filled) if filled else spectra),
        metrics=read_tables(paths_of(paths, "metrics"), METRICS),
        models={Path(path).parent.name: read_json(path) for path in paths_of(paths, "models")},
        answers=index_answers(read_tables(paths_of(paths, ANSWERS), ANSWERS_SCHEMA)),
    )


def read_tables(paths: Sequence[str | Path], schema: "DataFrameSchema") -> "pd.DataFrame":
    """Several tables of one schema, one below the other; an empty frame with its columns where there are none."""
    import pandas as pd

    frames = [read_table(path, schema) for path in paths]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(schema.columns))


def index_scores(scores: "pd.DataFrame") -> "pd.DataFrame":
    """``tables.SCORES`` indexed for look-up."""
    return _unique(scores.set_index(["run_id", "benchmark", "statistic"]), "scores")


def index_answers(answers: "pd.DataFrame") -> "dict[Key, pd.DataFrame]":
    """``tables.ANSWERS`` by run, benchmark and statistic, ordered by problem."""
    _unique(answers.set_index(["run_id", "benchmark", "statistic", "problem_id"]), ANSWERS)
    ordered = answers.sort_values("problem_id").set_index("problem_id")
    groups = ordered.groupby(["run_id", "benchmark", "statistic"], sort=False)
    return {(str(run_id), str(name), str(what)): part[["value", "samples"]] for (run_id, name, what), part in groups}


def scalars(diagnostics: "pd.DataFrame") -> "pd.DataFrame":
    """The diagnostics that are one number per module, exact, as rows like those of ``tables.SPECTRA``."""
    return diagnostics[diagnostics["index"] == 0].drop(columns="index").assign(std_error=0.0)


def summarise_spectra(spectra: "pd.DataFrame") -> "pd.DataFrame":
    """Moments of every quantity of every run over its modules."""
    import numpy as np

    _unique(spectra.set_index(["run_id", "module", "quantity"]), "spectra")
    groups = spectra.groupby(["run_id", "quantity"])
    errors = groups["std_error"].agg(lambda column: float(np.linalg.norm(column.astype(float))))
    return groups["value"].agg(["count", "mean", "std", "min", "max"]).assign(error=errors)


def _unique(frame: "pd.DataFrame", name: str) -> "pd.DataFrame":
    if not frame.index.is_unique:
        repeated = frame.index[frame.index.duplicated()][0]
        raise InputError(name, f"{repeated} appears twice.", "Give each file once.")
    return frame


def _find(frame: "pd.DataFrame", key: tuple[str, ...], name: str) -> "pd.Series[Any]":
    index: Any = frame.index  # unique, see `_unique`, so that a key has one place
    if key not in index:
        raise InputError(name, f"no row for {' / '.join(key)}.", UNDECLARED)
    return frame.iloc[int(index.get_loc(key))]

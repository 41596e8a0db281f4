"""What may foretell how a run ends: settings, the update that it left, and what its training logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rlvr.plan.figure_options import RunsOptions
from rlvr.plan.options import option

SETTING, UPDATE, LOG = "settings", "update", "log"


@dataclass(frozen=True)
class Predictor:
    """One number of a run.

    Attributes:
        source: ``settings`` (known before training), ``update`` (mean over modules of a spectral quantity) or ``log``
            (of a training metric over the steps).
        header: How tables and axes name it.
        quantity: The spectral quantity or the metric.
        summary: Of a metric: ``final`` (mean over the last ten steps), ``mean`` or ``max``.
    """

    source: str
    header: str
    quantity: str = ""
    summary: str = ""


# Effective step: the first step of Adam moves every entry of B by the rate, and A has r rows of equal length, so that
# the norm of (alpha / r) B A is proportional to (alpha / r) x rate x sqrt(r) where the rows are orthogonal. Methods
# without rank have no scaling.
PREDICTORS: Mapping[str, Predictor] = {
    "rank": Predictor(SETTING, "Rank"),
    "scaling": Predictor(SETTING, "Scaling, alpha / r"),
    "learning_rate": Predictor(SETTING, "Learning rate"),
    "batch": Predictor(SETTING, "Completions per step"),
    "effective_step": Predictor(SETTING, "Effective step, (alpha / r) rate sqrt(r)"),
    "relative_norm": Predictor(UPDATE, "Relative norm of the update", "relative_norm"),
    "effective_rank": Predictor(UPDATE, "Effective rank of the update", "effective_rank"),
    "peak_grad_norm": Predictor(LOG, "Largest gradient norm", "grad_norm", "max"),
    "mean_grad_norm": Predictor(LOG, "Mean gradient norm", "grad_norm", "mean"),
    "peak_kl": Predictor(LOG, "Largest KL to the base (nats)", "kl", "max"),
    "final_kl": Predictor(LOG, "Final KL to the base (nats)", "kl", "final"),
    "zero_std_share": Predictor(LOG, "Groups without spread (share)", "zero_std_share", "mean"),
    "entropy": Predictor(LOG, "Final entropy (nats)", "entropy", "final"),
}


@dataclass(frozen=True)
class PredictorOptions(RunsOptions):
    """Options of a table or figure of what foretells the accuracy of runs."""

    reads: ClassVar[str] = "metrics"

    benchmark: str = option("benchmark whose accuracy is foretold")
    predictors: tuple[str, ...] = option(
        "predictors, the first one what others are compared with", minItems=1, items={"enum": list(PREDICTORS)}
    )

    def evidence(self) -> Mapping[str, Sequence[Any]]:
        """Scores, manifests, spectra and logs of the runs."""
        runs = list(self.series_of())
        return {
            "scores": [(run_id, self.benchmark) for run_id in runs],
            "manifests": runs,
            "spectra": runs,
            "metrics": runs,
        }

"""The vocabulary of results: every statistic that a cell may show, and every kind of evidence that outputs read.

Schema, look-ups, input functions of the rules and the list in ``docs/spectra.md`` all follow from these two tables.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from rlvr.core.errors import InputError

HOUR_S = 3600
MINUTE_S = 60
OF_ITS_START = "decomposition."  # numbers of ``run.json`` below that key
SCORE = "scores"  # looked up by benchmark, too, as are:
ANSWERS = "answers"
FIRST_STEPS = "first_steps"  # of an untrained base, which has nothing else but scores
PAIR_KINDS = {  # where a pair's own files take their place
    "spectra": "pair_spectra",
    "diagnostics": "pair_diagnostics",
    "footprints": "pair_footprints",
}


@dataclass(frozen=True)
class EvidenceKind:
    """A kind of finished file.

    Attributes:
        name: Input name of the rules that read it.
        wildcards: What its path is keyed by, in the order of a key; the first one says what must exist for it.
        meaning: One line.
    """

    name: str
    wildcards: tuple[str, ...]
    meaning: str


EVIDENCE: Mapping[str, EvidenceKind] = {
    kind.name: kind
    for kind in (
        EvidenceKind(SCORE, ("run_id", "benchmark"), "scores of a run on the problems of a benchmark"),
        EvidenceKind(ANSWERS, ("run_id", "benchmark"), "scores of a run on each problem of a benchmark"),
        EvidenceKind("samples", ("run_id", "benchmark"), "completions of a run on the problems of a benchmark"),
        EvidenceKind("grades", ("run_id", "benchmark"), "verdicts on these completions"),
        EvidenceKind("manifests", ("run_id",), "what a run did: settings, counts, time, memory"),
        EvidenceKind("metrics", ("run_id",), "what training logged, step by step"),
        EvidenceKind("spectra", ("run_id",), "spectrum of the update of every module of a run"),
        EvidenceKind("diagnostics", ("run_id",), "update of a run against the weights of its base"),
        EvidenceKind("pair_spectra", ("pair",), "spectrum of the update between two checkpoints"),
        EvidenceKind("pair_diagnostics", ("pair",), "update between two checkpoints against the first of them"),
        EvidenceKind("footprints", ("run_id",), "which weights a run changed, and which of them are principal"),
        EvidenceKind("pair_footprints", ("pair",), "which weights differ between two checkpoints"),
        EvidenceKind("models", ("model",), "what a base model is: origin, architecture, parameters"),
        EvidenceKind("frozen", ("model",), "leading singular values of a base before training"),
        EvidenceKind(FIRST_STEPS, ("model",), "one gradient step at the layers of a base, from several starts"),
        EvidenceKind("decay", ("model",), "summary of the whole spectra of a base before training"),
        EvidenceKind("starts", ("shape",), "effective rank of DoRA from a rounded and from an exact start, over rates"),
        EvidenceKind("agreement", ("base",), "which weights the runs from one base change together"),
        EvidenceKind("consensus", ("base",), "maps of the share of these runs that change a weight"),
        EvidenceKind("cards", ("dataset",), "what a data set holds before and after its filters"),
        EvidenceKind("problems", ("dataset",), "held-out problems of a data set"),
        EvidenceKind("counts", ("study",), "parameters at real size, of every printed count and grid row"),
    )
}


@dataclass(frozen=True)
class Statistic:
    """A number that a cell shows of one run.

    Attributes:
        name: Word of ``outputs.yaml``.
        unit: Unit of the cell.
        evidence: Kinds of evidence that it is read from.
        meaning: One line.
        quantity: Its name in that evidence; its own where they agree.
        factor: Cell = factor x number in the evidence.
        decimals: Digits after the point where neither a printed number nor the column says.
    """

    name: str
    unit: str
    evidence: tuple[str, ...]
    meaning: str
    quantity: str = ""
    factor: float = 1.0
    decimals: int = 1

    @property
    def source(self) -> str:
        """The evidence that holds the number itself."""
        return self.evidence[0]

    @property
    def is_exact(self) -> bool:
        """Whether it follows from the settings alone, so that neither seed nor problems move it."""
        return self.recorded == "trainable_parameters"

    @property
    def recorded(self) -> str:
        """Name of the quantity in its evidence."""
        return self.quantity or self.name


def _share(name: str, source: str, meaning: str) -> Statistic:
    return Statistic(name, "%", (source,), meaning, factor=100.0)


def _number(name: str, source: str, meaning: str) -> Statistic:
    return Statistic(name, "1", (source,), meaning)


SCORES = (
    _share("avg_at_k", SCORE, "mean share of correct samples among k"),
    _share("pass_at_k", SCORE, "problems that at least one of k samples solves"),
    _share("maj_at_k", SCORE, "problems that the most frequent of k answers solves"),
)
OF_A_RUN = (
    Statistic("trainable_parameters", "parameters", ("manifests",), "numbers that training may change"),
    Statistic("trainable_share", "%", ("manifests", "models"), "trainable parameters over those of the base",
              "trainable_parameters", 100.0, 3),
    Statistic("training_time", "h", ("manifests",), "wall time of training with set-up", "wall_time_s", 1 / HOUR_S, 2),
    Statistic("peak_memory", "GiB", ("manifests",), "largest memory of a process, on its accelerator if any",
              "peak_memory_gib", decimals=2),
    Statistic("updates", "updates", ("manifests",), "updates that were made", "steps"),
    Statistic("decomposition_time", "min", ("manifests",), "wall time of decomposing the base, once for all runs on it",
              "decomposition.wall_time_s", 1 / MINUTE_S, 2),
    Statistic("decomposition_memory", "GiB", ("manifests",), "largest memory of that job, on its accelerator if any",
              "decomposition.peak_memory_gib", decimals=2),
    Statistic("base_drift", "%", ("manifests",), "norm of what merging in place left in a base, over its own",
              factor=100.0, decimals=3),
)  # fmt: skip
METRICS: Mapping[str, tuple[str, float, int, str]] = {  # unit, factor, decimals, meaning
    "loss": ("1", 1.0, 3, "loss; of supervised fine-tuning nats per token"),
    "reward": ("1", 1.0, 3, "total reward"),
    "accuracy": ("%", 100.0, 1, "accuracy reward on the training problems"),
    "format": ("1", 1.0, 3, "format reward"),
    "kl": ("nats", 1.0, 4, "divergence from the base per token"),
    "kl_rollout": ("nats", 1.0, 7, "divergence of what sampled from the policy of the step, per token"),
    "entropy": ("nats", 1.0, 3, "entropy per token"),
    "grad_norm": ("1", 1.0, 3, "norm of the gradient before clipping"),
    "learning_rate": ("1", 1.0, 6, "learning rate"),
    "ratio_clipped_share": ("%", 100.0, 2, "tokens whose gradient the clipped ratio takes away"),
    "completion_length": ("tokens", 1.0, 1, "length of a completion"),
    "clipped_share": ("%", 100.0, 1, "completions cut at the token limit"),
    "zero_std_share": ("%", 100.0, 1, "groups whose rewards are all equal"),
    "rollout_lost_share": (
        "%",
        100.0,
        1,
        "share of the update that rounding removed from what sampled the completions",
    ),
    "extra_rollouts": ("1", 1.0, 0, "completions sampled and replaced, of the step's generation"),
    "seconds": ("s", 1.0, 2, "wall time of a step"),
}
FINAL = tuple(
    Statistic(f"final_{name}", unit, ("metrics",), f"{meaning}, mean over the last steps", name, factor, decimals)
    for name, (unit, factor, decimals, meaning) in METRICS.items()
)
SPECTRAL = (
    _number("effective_rank", "spectra", "exponential of the entropy of the energies"),
    _number("participation_ratio", "spectra", "squared sum of the energies over the sum of their squares"),
    _number("stable_rank", "spectra", "squared Frobenius norm over squared spectral norm"),
    _share("attained_share", "spectra", "effective rank over the largest that the parametrisation allows"),
    _number("energy_rank_90", "spectra", "directions that hold 90 % of the energy"),
    _number("energy_rank_95", "spectra", "directions that hold 95 % of the energy"),
    _number("energy_rank_99", "spectra", "directions that hold 99 % of the energy"),
    _number("frobenius_norm", "spectra", "Frobenius norm of the update"),
    _number("relative_norm", "spectra", "norm of the update over that of the base weight"),
    _number("bf16_effective_rank", "spectra", "effective rank when both weights are stored in bfloat16"),
    _number("bf16_rank_gap", "spectra", "effective rank as stored minus that of the update"),
    _share("rounding_distance", "spectra", "distance of the stored update to the update over its norm"),
    _share("rounding_floor", "spectra", "rounding error that bfloat16 files must carry over the norm of the update"),
)
ZERO_STARTS: Mapping[str, str] = {  # of LoRA with B_0 = 0
    "rlpo": "leading right singular vectors",
    "rlmo": "trailing right singular vectors",
    "dct": "rows of the cosine transform",
    "gaussian": "N(0, 1 / n)",
    "kaiming": "what PEFT draws",
    "zero": "nothing",
}
DIAGNOSTIC = (
    _share("model_sparsity", "diagnostics", "weights of the whole model whose stored value stays as it was"),
    _share("bf16_sparsity", "diagnostics", "weights of a module whose value in bfloat16 stays as it was"),
    _share(
        "exact_sparsity", "diagnostics", "weights of a module that stay as they were in the type they are stored in"
    ),
    _share("left_out_share", "diagnostics", "weights of the model that lie in its vision tower and are not compared"),
    _share("overlap_principal", "diagnostics", "principal weights among those that change"),
    _share("chance_principal", "diagnostics", "overlap with principal weights that a random mask would have"),
    _share("overlap_principal_not_low", "diagnostics", "principal weights of no low magnitude among those that change"),
    _share(
        "chance_principal_not_low",
        "diagnostics",
        "overlap with principal weights of no low magnitude that a random mask would have",
    ),
    _share("overlap_low", "diagnostics", "weights of low magnitude among those that change"),
    _share("chance_low", "diagnostics", "overlap with weights of low magnitude that a random mask would have"),
    _share("similarity_top", "diagnostics", "share of a LoRA factor's norm in the base's leading right directions"),
    _share("similarity_bottom", "diagnostics", "share of a LoRA factor's norm in the base's trailing right directions"),
    _share(
        "similarity_chance",
        "diagnostics",
        "share of the norm of a random factor in as many right directions of the base",
    ),
    _share(
        "diagonal_share",
        "diagnostics",
        "share of the update that the base's singular directions show on their diagonal",
    ),
    _share("leading_mode_share", "diagnostics", "share of the update along the first eighth of the base's directions"),
    _share("trailing_mode_share", "diagnostics", "share of the update along the last eighth of the base's directions"),
    _number(
        "normalised_spectral_shift",
        "diagnostics",
        "norm of the change of the singular values over the norm of the base's",
    ),
    Statistic(
        "mean_angle",
        "degrees",
        ("diagnostics",),
        "mean principal angle of the leading directions, left and right",
        factor=180 / math.pi,
        decimals=2,
    ),
    _share("weyl_ratio", "diagnostics", "largest change of a singular value over the largest that Weyl's bound allows"),
    _share("mirsky_ratio", "diagnostics", "change of the singular values over the largest that Mirsky's bound allows"),
    _share(
        "wedin_ratio", "diagnostics", "rotation of the leading directions over the largest that Wedin's bound allows"
    ),
    _number("tail_mean", "diagnostics", "mean of the smallest singular values of the base"),
    _number("initial_norm_lora", "diagnostics", "norm of the product of factors that LoRA starts from"),
    _number("initial_norm_pissa", "diagnostics", "norm of the product of factors that PiSSA starts from"),
    _number("initial_norm_milora", "diagnostics", "norm of the product of factors that MiLoRA starts from"),
    _number("initial_norm_olora", "diagnostics", "norm of the product of factors that OLoRA starts from"),
)
OF_A_BASE = tuple(
    _number(name, FIRST_STEPS, meaning)
    for name, meaning in (
        ("first_step_ratio", "norm of PiSSA's first update over that of OLoRA's"),
        ("first_step_bound", "the r-th largest singular value of the base, r being the rank of the factors"),
        ("first_step_excess", "norm of PiSSA's first update over OLoRA's, over the r-th largest singular value"),
        *((f"gap_{start}", f"||I - A_0^T A_0||_2 of a start: {what}") for start, what in ZERO_STARTS.items()),
        *(
            (f"step_share_{start}", f"norm of the first update over that of full fine-tuning, from {what}")
            for start, what in ZERO_STARTS.items()
        ),
        ("start_norm_milora", "norm of the product of factors that MiLoRA starts from"),
        ("start_norm_pissa", "norm of the product of factors that PiSSA starts from"),
        ("base_tail_mean", "mean of the sixteen smallest singular values"),
    )
)
STATISTICS: Mapping[str, Statistic] = {
    statistic.name: statistic for statistic in (*SCORES, *OF_A_RUN, *FINAL, *SPECTRAL, *DIAGNOSTIC, *OF_A_BASE)
}


def find_statistic(name: str, where: object) -> Statistic:
    """The statistic of that name.

    Raises:
        InputError: If there is none; names ``where`` and the known ones.
    """
    if name not in STATISTICS:
        raise InputError(where, f"statistic '{name}' is not known.", f"Known: {', '.join(STATISTICS)}.")
    return STATISTICS[name]

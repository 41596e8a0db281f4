"""What one training run needs, resolved: from a grid row and a scale file to plain values without names to look up.

Imported by the Snakefile at parse time: no heavy imports here.
"""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.reward_rules import KINDS, RewardRule

RESOLVED_BY_ROW = frozenset({"rank_divisor", "quanta_dims", "learning_rate"})  # of the scale's block `train`
OF_FEW_METHODS: Mapping[str, type] = {
    "rate_ratio": float,
    "density": float,
    "block_size": int,
    "butterfly_factors": int,
}
OF_FEW_ROWS: Mapping[str, type] = {"reward": str, "overlong_buffer_tokens": int}  # else as the scale says
CHOICES: Mapping[str, tuple[str, ...]] = {
    "schedule": ("cosine", "constant"),
    "scale_rewards": ("none", "group", "batch"),
    "reward": tuple(KINDS),
    "base_dtype": ("float32", "bfloat16"),
    "mixed_precision": ("none", "bf16"),
    "generation": ("transformers", "vllm"),
    "decomposition": ("exact", "randomised"),
}


@dataclass(frozen=True)
class TrainSettings:
    """Resolved settings of one run; the content of ``specs/<run_id>.json``.

    Batch sizes count completions, not prompts. Fields of the method that it does not take are ``None``.
    """

    run_id: str
    study: str
    model: str
    dataset: str
    template: str
    seed: int
    recipe_version: int
    method: str
    rank: int | None
    alpha: float | None
    dims: tuple[int, ...] | None
    target_modules: str | None
    learning_rate: float
    group_size: int
    kl_beta: float
    loss_type: str
    scale_rewards: str
    completions_per_step: int
    optimizer: str
    weight_decay: float
    schedule: str
    warmup_fraction: float
    min_learning_rate_ratio: float
    epochs: int
    max_grad_norm: float
    clip_epsilon: float
    temperature: float
    top_p: float
    max_prompt_tokens: int
    max_completion_tokens: int
    micro_batch_completions: int
    checkpoint_every_steps: int
    base_dtype: str
    mixed_precision: str
    gradient_checkpointing: bool
    generation: str
    devices: int
    reward: str = "shaped"
    overlong_buffer_tokens: int = 0
    vllm_gpu_memory_share: float = 0.35  # ASSUME: leaves the larger part to weights, gradients and activations
    rate_ratio: float | None = None
    block_size: int | None = None
    butterfly_factors: int | None = None
    density: float | None = None
    decomposition: str = "exact"  # how the singular vectors of the base are found, for methods that start from them

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object = "training settings") -> "TrainSettings":
        """Settings from the content of a spec file.

        Raises:
            InputError: For an unknown or a missing key, an unknown choice, batch sizes that do not divide, or settings
                of the reward that contradict each other.
        """
        known = {field.name for field in fields(cls)}
        required = {field.name for field in fields(cls) if field.default is MISSING}
        remedy = "The keys are the fields of rlvr.plan.settings.TrainSettings."
        if unknown := sorted(content.keys() - known):
            raise InputError(where, f"unknown key '{unknown[0]}'.", remedy)
        if missing := sorted(required - content.keys()):
            raise InputError(where, f"key '{missing[0]}' is missing.", remedy)
        for name, choices in CHOICES.items():
            if (chosen := content.get(name, choices[0])) not in choices:
                raise InputError(where, f"{name} is '{chosen}'.", f"Expected one of: {', '.join(choices)}.")
        dims = content["dims"]
        settings = cls(**{**content, "dims": None if dims is None else tuple(dims)})
        check_batches(settings, where)
        check_reward(settings, where)
        return settings

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``from_json``."""
        return {**asdict(self), "dims": None if self.dims is None else list(self.dims)}

    def required(self, name: str) -> Any:
        """A setting that the run's method takes.

        Raises:
            InputError: If it is ``None``.
        """
        value = getattr(self, name)
        if value is None:
            raise InputError(f"run '{self.run_id}'", f"method '{self.method}' needs '{name}'.", "Set it in the spec.")
        return value

    @property
    def reward_rule(self) -> RewardRule:
        """Which reward the run is trained on."""
        return RewardRule(self.reward, self.max_completion_tokens, self.overlong_buffer_tokens)

    @property
    def prompts_per_step(self) -> int:
        """Prompts of one optimizer step, ``completions_per_step / group_size``."""
        return self.completions_per_step // self.group_size

    def accumulation_steps(self, processes: int) -> int:
        """Micro batches per process and optimizer step, so that all processes together make one step's completions."""
        return self.completions_per_step // (self.micro_batch_completions * processes)


def check_batches(settings: TrainSettings, where: object) -> None:
    """Check that groups fill a step and micro batches fill it on every device.

    Raises:
        InputError: Names the two sizes that do not divide.
    """
    per_pass = settings.micro_batch_completions * max(settings.devices, 1)
    for divisor, name in ((settings.group_size, "group_size"), (per_pass, "micro_batch_completions x devices")):
        if settings.completions_per_step % divisor:
            problem = f"completions_per_step {settings.completions_per_step} is not a multiple of {name} {divisor}."
            raise InputError(where, problem, "Change one of them in the scale file or the grid row.")


def check_reward(settings: TrainSettings, where: object) -> None:
    """Check that there is such a reward.

    Raises:
        InputError: Names the run and the setting.
    """
    try:
        RewardRule(settings.reward, settings.max_completion_tokens, settings.overlong_buffer_tokens)
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.problem, error.remedy) from error


def resolve_settings(row: Mapping[str, Any], scale: Mapping[str, Any], where: object = "grid") -> dict[str, Any]:
    """Bind a grid row to a scale.

    Args:
        row: Grid row; a cell that is ``None`` or empty takes the scale's value.
        scale: Content of the scale file.
        where: File or line that a message shall name; the run id is added.

    Returns:
        The fields of ``TrainSettings`` except ``study``, as JSON values.

    Raises:
        InputError: If a rank does not divide, or the scale has no dims for the row's axes or no rate for its method.
    """
    where = f"{where}, run '{row['run_id']}'"
    cells = {name: value for name, value in row.items() if value is not None and value != ""}
    train = scale["train"]
    resolved = {name: value for name, value in train.items() if name not in RESOLVED_BY_ROW}
    resolved |= {name: cells[name] for name in ("run_id", "model", "dataset", "method")}
    resolved |= {"template": scale["template"], "recipe_version": scale["recipe_version"], "seed": int(cells["seed"])}
    resolved |= {
        "rank": _divided_rank(where, cells.get("rank"), train["rank_divisor"]),
        "alpha": None if "alpha" not in cells else float(cells["alpha"]) / train["rank_divisor"],
        "dims": None if "axes" not in cells else list(_entry(where, train, "quanta_dims", int(cells["axes"]))),
        "target_modules": cells.get("target_modules"),
        "learning_rate": float(_entry(where, train, "learning_rate", cells["method"])),
        "schedule": cells.get("schedule", train["schedule"]),
        "completions_per_step": int(cells.get("completions_per_step", train["completions_per_step"])),
    }
    resolved |= {name: kind(cells[name]) for name, kind in {**OF_FEW_METHODS, **OF_FEW_ROWS}.items() if name in cells}
    TrainSettings.from_json({"study": "", **resolved}, where)
    return resolved


def _divided_rank(where: str, rank: Any, divisor: int) -> int | None:
    """The paper's rank divided by the scale's divisor; refuses a rank that would not stay an integer."""
    if rank is None:
        return None
    quotient, remainder = divmod(int(rank), divisor)
    if remainder or quotient < 1:
        remedy = f"Use a multiple of {divisor} (rank_divisor of the scale)."
        raise InputError(where, f"rank {rank} divided by {divisor} is no integer of at least 1.", remedy)
    return quotient


def _entry(where: str, train: Mapping[str, Any], table: str, key: Any) -> Any:
    """``train[table][key]``, or an error that names both."""
    if key not in train[table]:
        known = ", ".join(map(str, train[table]))
        raise InputError(where, f"the scale has no train.{table} for {key}.", f"It has: {known}. Add it there.")
    return train[table][key]

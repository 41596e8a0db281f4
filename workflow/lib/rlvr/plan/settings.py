"""Settings of one training run, resolved to plain values without names to look up: the content of a spec file."""

from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, fields
from types import NoneType, UnionType
from typing import Any, get_args

from rlvr.core.errors import InputError
from rlvr.plan.reward_rules import KINDS, RewardRule

IN_PLACE = "in_place"  # of `rollout_weights`: adapters are merged into the stored base and taken out again
CHOICES: Mapping[str, tuple[str, ...]] = {
    "algorithm": ("grpo", "sft"),
    "schedule": ("cosine", "constant"),
    "scale_rewards": ("none", "group", "batch"),
    "reward": tuple(KINDS),
    "base_dtype": ("float32", "bfloat16"),
    "mixed_precision": ("none", "bf16"),
    "trained_dtype": ("float32", "stored"),
    "generation": ("transformers", "vllm"),
    "decomposition": ("exact", "randomised"),
    "truncated_completions": ("train", "mask"),
    "rollout_weights": ("exact", IN_PLACE),
}
# Settings that came after runs were trained, and what those runs did without a word of them. They are left out of specs
# where they say nothing else, and a manifest that lacks them is read with these values.
LATER: Mapping[str, Any] = {
    "truncated_completions": "train",
    "resampling_rounds": 0,
    "keep_steps": [],
    "rollout_weights": "exact",
}


# What JSON may hold for a field, by its type or one of its alternatives; `true` and `false` are no numbers here.
VALUES: Mapping[Any, tuple[tuple[type, ...], str]] = {
    int: ((int,), "a whole number"),
    float: ((int, float), "a number"),
    str: ((str,), "a text"),
    bool: ((bool,), "true or false"),
    NoneType: ((NoneType,), "null"),
    Mapping[str, Any]: ((Mapping,), "an object"),
    tuple[int, ...]: ((list, tuple), "a list of whole numbers"),
}


@dataclass(frozen=True)
class TrainSettings:
    """Resolved settings of one run; the content of ``specs/<run_id>.json``.

    Batch sizes count completions, not prompts. Fields of the method that it does not take are ``None``. ``max_steps``
    takes precedence over ``epochs`` unless it is 0. ``printed`` is what the paper prints for model, rank and alpha of
    the run, beside what is really trained.
    """

    run_id: str
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
    dropout: float
    algorithm: str
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
    max_steps: int
    updates_per_generation: int
    max_grad_norm: float
    clip_epsilon: float
    clip_epsilon_high: float
    temperature: float
    top_p: float
    max_prompt_tokens: int
    max_completion_tokens: int
    micro_batch_completions: int
    base_dtype: str
    mixed_precision: str
    gradient_checkpointing: bool
    generation: str
    devices: int
    reward: str
    overlong_buffer_tokens: int
    printed: Mapping[str, Any]
    checkpoint_every_steps: int = 20  # no part of a spec file: how often a run is saved changes nothing that comes out
    vllm_gpu_memory_share: float = 0.35  # ASSUME: leaves the larger part to weights, gradients and activations
    rate_ratio: float | None = None
    block_size: int | None = None
    butterfly_factors: int | None = None
    density: float | None = None
    trained_dtype: str = "float32"  # of weights of the base that are trained: float32, or as they are stored
    max_rollout_lost_share: float = 1.0  # ASSUME: importance ratios correct for it; the log says how large it is
    base_kl_every: int = 1  # generations between two measurements of the divergence from the base; 0: never
    decomposition: str = "exact"  # how the singular vectors of the base are found, for methods that start from them
    truncated_completions: str = "train"  # mask: rollouts that are cut carry no loss
    resampling_rounds: int = 0  # how often, at most, groups without spread are replaced before a generation is used
    keep_steps: tuple[int, ...] = ()  # steps behind which the weights are kept
    rollout_weights: str = "exact"  # exact: the trained function, the base never written to; or IN_PLACE

    @classmethod
    def from_json(cls, content: Mapping[str, Any], where: object = "training settings") -> "TrainSettings":
        """Settings from the content of a spec file.

        Raises:
            InputError: For something other than an object, an unknown or a missing key, a value of another type, an
                unknown choice, batch sizes that do not divide, or settings of the reward that contradict each other.
        """
        if not isinstance(content, Mapping):
            raise InputError(where, "is no object.", 'Write the settings of a run as JSON: {"run_id": ..., ...}.')
        known = {field.name for field in fields(cls)}
        required = {field.name for field in fields(cls) if field.default is MISSING}
        remedy = "The keys are the fields of rlvr.plan.settings.TrainSettings."
        if unknown := sorted(content.keys() - known):
            raise InputError(where, f"unknown key '{unknown[0]}'.", remedy)
        if missing := sorted(required - content.keys()):
            raise InputError(where, f"key '{missing[0]}' is missing.", remedy)
        for name, value in content.items():
            check_type(name, value, where)
        for name, choices in CHOICES.items():
            if (chosen := content.get(name, choices[0])) not in choices:
                raise InputError(where, f"{name} is '{chosen}'.", f"Expected one of: {', '.join(choices)}.")
        dims = content["dims"]
        kept = tuple(content.get("keep_steps", ()))
        settings = cls(**{**content, "dims": None if dims is None else tuple(dims), "keep_steps": kept})
        check_batches(settings, where)
        check_estimator(settings, where)
        check_reward(settings, where)
        return settings

    def to_json(self) -> dict[str, Any]:
        """The inverse of ``from_json``."""
        dims = None if self.dims is None else list(self.dims)
        return {**asdict(self), "dims": dims, "keep_steps": list(self.keep_steps)}

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

    def planned_steps(self, problems: int) -> int:
        """Optimizer steps on so many problems: ``max_steps``, or those of the epochs."""
        generation = self.prompts_per_step * self.updates_per_generation
        return self.max_steps or self.epochs * (problems // generation) * self.updates_per_generation


def check_type(name: str, value: Any, where: object) -> None:
    """Check that a value is of the type of its field.

    Raises:
        InputError: Names the key, the value and what was expected.
    """
    annotation = TrainSettings.__annotations__[name]
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    if not any(_is_of(value, kind) for kind in kinds):
        raise InputError(where, f"{name} is {value!r}.", f"Expected {' or '.join(VALUES[kind][1] for kind in kinds)}.")


def _is_of(value: Any, kind: Any) -> bool:
    if not isinstance(value, VALUES[kind][0]) or (isinstance(value, bool) and kind is not bool):
        return False
    return not isinstance(value, list | tuple) or all(_is_of(each, int) for each in value)


def check_batches(settings: TrainSettings, where: object) -> None:
    """Check that groups fill a step, that micro batches fill it on every device, and that clip ratios are in order.

    Raises:
        InputError: Names the two settings that do not fit.
    """
    per_pass = settings.micro_batch_completions * max(settings.devices, 1)
    for divisor, name in ((settings.group_size, "group_size"), (per_pass, "micro_batch_completions x devices")):
        if settings.completions_per_step % divisor:
            problem = f"completions_per_step {settings.completions_per_step} is not a multiple of {name} {divisor}."
            raise InputError(where, problem, "Change one of them in the recipe, the scale or the grid row.")
    own = settings.completions_per_step * settings.updates_per_generation // max(settings.devices, 1)
    if settings.resampling_rounds and own % settings.group_size:
        problem = f"resampling_rounds needs whole groups on every device; one has {own} completions of a generation."
        raise InputError(where, problem, f"Make it a multiple of group_size {settings.group_size}.")
    if settings.clip_epsilon_high < settings.clip_epsilon:
        problem = f"clip_epsilon_high {settings.clip_epsilon_high} is below clip_epsilon {settings.clip_epsilon}."
        raise InputError(where, problem, "Give the upper clip ratio at least the lower one's value.")


def check_estimator(settings: TrainSettings, where: object) -> None:
    """Check that advantages and losses are what their names say.

    Raises:
        InputError: For groups of one completion, whose advantages are always 0, and for ``bnpo`` where a step has
            several micro batches: it averages over the tokens of one, so that the result would depend on their size.
    """
    if settings.algorithm == "sft":
        return
    if settings.group_size < 2:
        problem = f"group_size is {settings.group_size}: a completion is compared with the others of its prompt."
        raise InputError(where, problem, "Give at least 2 completions per prompt.")
    if settings.loss_type == "bnpo" and settings.micro_batch_completions != settings.completions_per_step:
        problem = (
            f"loss_type 'bnpo' averages over the tokens of one micro batch, {settings.micro_batch_completions} of the "
            f"{settings.completions_per_step} completions of a step."
        )
        raise InputError(where, problem, "Use 'dapo', the mean over all tokens of a step, or one micro batch per step.")


def check_reward(settings: TrainSettings, where: object) -> None:
    """Check that there is such a reward.

    Raises:
        InputError: Names the run and the setting.
    """
    try:
        RewardRule(settings.reward, settings.max_completion_tokens, settings.overlong_buffer_tokens)
    except InputError as error:
        raise InputError(f"{where}, {error.where}", error.problem, error.remedy) from error

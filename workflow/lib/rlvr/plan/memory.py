"""Memory of one card while a run trains, by arithmetic: what of a grid fits before anything is submitted.

Three ways of sharing a run among its cards are computed. ``ddp``: every card holds everything; this is how training is
started. ``zero2``: gradients, float32 masters and moments are divided, weights are not. ``fsdp2``: everything is
divided, and one layer at a time is gathered in the type of the computation.

ASSUME: 10 hidden and 3 intermediate vectors per token live while a layer is computed; caches of the allocator,
communication buffers beside DDP's buckets and the CUDA context are covered by ``RESERVE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import ModelShape

GIB = 2**30
BYTES = {"float32": 4, "bfloat16": 2}
MOMENTS = 2  # of Adam
SHARDINGS = ("ddp", "zero2", "fsdp2")
HIDDEN_PER_LAYER, INNER_PER_LAYER = 10, 3
HEAD_TOKENS = 1024  # of one tile of the output head, whose logits are never held all at once
RESERVE = 2 * GIB  # ASSUME: context, allocator, libraries


@dataclass(frozen=True)
class Load:
    """Numbers of parameters of a run.

    Attributes:
        base: Of the base model.
        trained: That the optimizer holds moments for; under a mask, all of the masked matrices.
        adapted: Of the weights that are merged for rollouts.
        of_base: Whether what is trained are weights of the base itself.
        buffers: Bytes that the method holds beside its parameters.
    """

    base: int
    trained: int
    adapted: int
    of_base: bool
    buffers: int = 0


@dataclass(frozen=True)
class CardBytes:
    """Bytes on one card.

    Attributes:
        weights: Base and adapter.
        masters: Float32 copies of trained weights, where the weights that compute are narrower.
        gradients: Of what is trained.
        moments: Both of Adam.
        buckets: Copies of gradients that DDP exchanges, or the layer that FSDP gathers.
        activations: Of one micro batch at its longest, kept for or recomputed in the backward pass.
        head: One tile of logits with its gradient.
        merged: Copies of merged weights while rollouts are prepared; gradients and activations are free by then.
        engine: What vLLM reserves.
    """

    weights: int
    masters: int
    gradients: int
    moments: int
    buckets: int
    activations: int
    head: int
    merged: int
    engine: int

    @property
    def total(self) -> int:
        """Peak: what is always there, and the larger of a backward pass and the preparation of rollouts."""
        always = self.weights + self.masters + self.moments + self.engine + RESERVE
        return always + max(self.gradients + self.buckets + self.activations + self.head, self.merged)

    def named(self) -> dict[str, float]:
        """Every part and the total, in GiB."""
        return {each.name: getattr(self, each.name) / GIB for each in fields(self)} | {"total": self.total / GIB}


def card_bytes(
    load: Load, shape: ModelShape, settings: TrainSettings, card_gib: float = 0.0, sharding: str = "ddp"
) -> CardBytes:
    """Memory of one card of a run.

    Args:
        load: Its parameters.
        shape: Sizes of its base.
        settings: Of the run.
        card_gib: Memory of a card, of which vLLM in the training processes reserves its share.
        sharding: One of ``SHARDINGS``.
    """
    cards = max(settings.devices, 1)
    width = BYTES[settings.base_dtype]
    as_stored = load.of_base and settings.trained_dtype == "stored"
    trained_width = width if as_stored else BYTES["float32"]
    narrow = sharding == "zero2" and trained_width > width  # weights compute as stored, their masters are divided
    frozen = load.base - load.trained if load.of_base else load.base
    weights = frozen * width + load.trained * (width if narrow else trained_width)
    parts = {
        "weights": weights + load.buffers,
        "masters": load.trained * trained_width if narrow else 0,
        "gradients": load.trained * (width if narrow else trained_width),
        "moments": MOMENTS * load.trained * trained_width,
        "buckets": load.trained * trained_width if cards > 1 else 0,
    }
    if sharding == "zero2":
        parts |= {name: parts[name] // cards for name in ("masters", "gradients", "moments", "buckets")}
    if sharding == "fsdp2":
        parts |= {name: parts[name] // cards for name in ("weights", "gradients", "moments")}
        parts["buckets"] = (
            2 * weights // shape.layers if cards > 1 else 0
        )  # one layer computes, the next one is fetched
    rollouts = settings.generation == "vllm" or settings.base_dtype == "float32"
    return CardBytes(
        **parts,
        activations=activation_bytes(shape, settings),
        head=2 * min(HEAD_TOKENS, tokens_per_pass(settings)) * shape.vocabulary * BYTES["float32"],
        merged=0 if load.of_base or not rollouts else load.adapted * width,
        engine=round(settings.vllm_gpu_memory_share * card_gib * GIB) if settings.generation == "vllm" else 0,
    )


def tokens_per_pass(settings: TrainSettings) -> int:
    """Tokens of one micro batch at its longest."""
    return settings.micro_batch_completions * (settings.max_prompt_tokens + settings.max_completion_tokens)


def activation_bytes(shape: ModelShape, settings: TrainSettings) -> int:
    """What a forward pass keeps: with checkpointing one input a layer and the insides of one, otherwise of all."""
    narrow = settings.base_dtype == "bfloat16" or settings.mixed_precision == "bf16"
    inside = HIDDEN_PER_LAYER * shape.hidden + INNER_PER_LAYER * shape.inner
    kept = shape.hidden if settings.gradient_checkpointing else inside
    return tokens_per_pass(settings) * (shape.layers * kept + inside) * (2 if narrow else 4)


def run_load(shape: ModelShape, settings: TrainSettings, method: Any) -> Load:
    """The parameters of a run, from closed forms.

    Args:
        shape: Of its base.
        settings: Of the run.
        method: Its method, an entry of the registry.
    """
    base = shape.parameters
    if settings.target_modules is None:  # all weights, or the gains of the norms
        return Load(base, base if method.tuner is None else shape.gains, shape.gains, of_base=method.tuner is None)
    targets = shape.targets(settings.target_modules)
    adapted = shape.layers * sum(rows * columns for rows, columns in targets.values())
    if method.tuner is None:
        return Load(base, adapted, adapted, of_base=True)
    counts = [method.count(*size, name, settings) for name, size in targets.items()]
    buffers = shape.layers * sum(permutation_bytes(columns, settings) for _, columns in targets.values())
    return Load(base, shape.layers * sum(counts), adapted, of_base=False, buffers=buffers)


def permutation_bytes(columns: int, settings: TrainSettings) -> int:
    """The permutations of a module under BOFT, which PEFT holds as dense float32 matrices, one per butterfly factor."""
    return (settings.butterfly_factors or 0) * columns**2 * BYTES["float32"]


def memory_row(shape: ModelShape, settings: TrainSettings, method: Any, card_gib: float) -> dict[str, Any]:
    """A run's memory per card in GiB under every sharding, and whether it fits."""
    load = run_load(shape, settings, method)
    found: dict[str, Any] = {"trained": load.trained, "card": card_gib}
    for sharding in SHARDINGS:
        parts = card_bytes(load, shape, settings, card_gib, sharding)
        if sharding == "ddp":
            found |= {name: round(value, 1) for name, value in parts.named().items() if name != "total"}
        found[sharding] = round(parts.named()["total"], 1)
    return found | {"fits": ", ".join(name for name in SHARDINGS if found[name] <= card_gib) or "nowhere"}


def unfit_runs(
    specs: Mapping[str, Mapping[str, Any]],
    shapes: Mapping[str, ModelShape],
    models: Mapping[str, str],
    methods: Mapping[str, Any],
    card: float,
) -> dict[str, str]:
    """Why runs do not fit a card as they would be started (``ddp``), by run id.

    Args:
        specs: Resolved settings by run id.
        shapes: Shapes of the bases that are known without a download; runs of others are taken to fit.
        models: Base of every run.
        methods: The registry of methods.
        card: GiB of a card; 0 where runs have none.
    """
    unfit = {}
    for run_id, spec in specs.items() if card else ():
        if (shape := shapes.get(models[run_id])) is None:
            continue
        row = memory_row(shape, TrainSettings.from_json(spec, run_id), methods[spec["method"]], card)
        if row["ddp"] > card:
            parts = ", ".join(
                f"{name} {row[name]:g}" for name in (each.name for each in fields(CardBytes)) if row[name]
            )
            unfit[run_id] = (
                f"needs {row['ddp']:g} of {card:g} GiB per card ({parts}; sharded: ZeRO-2 {row['zero2']:g}, "
                f"FSDP2 {row['fsdp2']:g})"
            )
    return unfit


def leaves_out(resources: Mapping[str, Any]) -> bool:
    """Whether a scale leaves runs out that do not fit, by its ``resources.train``; otherwise it refuses them."""
    return bool(resources.get("unfit", "refuse") == "leave-out")


def check_memory(
    specs: Mapping[str, Mapping[str, Any]],
    shapes: Mapping[str, ModelShape],
    models: Mapping[str, str],
    methods: Mapping[str, Any],
    resources: Mapping[str, Any],
    where: object,
) -> dict[str, str]:
    """Find the runs that do not fit a card of the scale as they would be started (``ddp``).

    Args:
        specs: Resolved settings by run id.
        shapes: Shapes of the bases that are known without a download.
        models: Base of every run.
        methods: The registry of methods.
        resources: ``resources.train`` of the scale: ``card_gib``, absent where runs have no card, and ``unfit``.
        where: The scale's file.

    Returns:
        Why a run is left out, by run id; empty unless ``unfit`` is ``leave-out``.

    Raises:
        InputError: Names the runs and their numbers, unless they are to be left out.
    """
    unfit = unfit_runs(specs, shapes, models, methods, resources.get("card_gib", 0.0))
    if unfit and not leaves_out(resources):
        first = next(iter(unfit))
        problem = f"{len(unfit)} runs do not fit a card; '{first}' {unfit[first]}."
        remedy = "Give resources.train a larger card_gib, fewer tokens per pass, or 'unfit: leave-out'."
        raise InputError(f"{where}, key 'resources.train'", problem, remedy)
    return unfit

"""Memory of one card while a run trains, by arithmetic: what of a grid fits before anything is submitted.

Three ways of sharing a run among its cards are computed. ``ddp``: every card holds everything. ``fsdp2``: everything is
divided, and one layer at a time is gathered in the type of the computation; vLLM sleeps while such a run trains. A run
is started in the first of these two that fits its card (``STARTED``). ``zero2``: gradients, float32 masters and moments
are divided, weights are not; nothing is started so, it stands in the table for comparison.

ASSUME: 10 hidden and 3 intermediate vectors per token live while a layer is computed; caches of the allocator,
communication buffers beside DDP's buckets and the CUDA context are covered by ``RESERVE``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.settings import IN_PLACE, TrainSettings
from rlvr.plan.shapes import ModelShape

GIB = 2**30
MIB_PER_GIB = 1024
BYTES = {"float32": 4, "bfloat16": 2}
MOMENTS = 2  # of Adam
SHARDINGS = ("ddp", "zero2", "fsdp2")
STARTED = ("ddp", "fsdp2")  # ways in which training is started, files of envs/accelerate, in the order of preference
HIDDEN_PER_LAYER, INNER_PER_LAYER = 10, 3
HEAD_TOKENS = 1024  # of one tile of the output head, whose logits are never held all at once
IMPORTED = 4 * GIB  # ASSUME: libraries, CUDA context and pinned buffers of a process, in the host's memory
NOWHERE = "nowhere"
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
        buckets: Copies of gradients that DDP exchanges, or what FSDP gathers: two layers and the output head, whose
            gradient is whole while it is reduced.
        activations: Of one micro batch at its longest, kept for or recomputed in the backward pass.
        head: One tile of logits with its gradient.
        merged: Copies of merged weights while rollouts are prepared; gradients and activations are free by then.
        engine: What vLLM reserves.
        asleep: Whether vLLM gives that back while the run trains.
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
    asleep: bool = False

    @property
    def total(self) -> int:
        """Peak: what is always there, and the larger of a backward pass and of rollouts with their preparation."""
        always = self.weights + self.masters + self.moments + RESERVE
        training = self.gradients + self.buckets + self.activations + self.head + (0 if self.asleep else self.engine)
        return always + max(training, self.merged + self.engine)

    def named(self) -> dict[str, float]:
        """Every part and the total, in GiB."""
        return {name: getattr(self, name) / GIB for name in PARTS} | {"total": self.total / GIB}


PARTS = tuple(each.name for each in fields(CardBytes) if each.name != "asleep")


@dataclass(frozen=True)
class Needed:
    """What a run needs as it is started.

    Attributes:
        card: GiB of a card.
        host: GiB of its node.
        way: One of ``STARTED``, or ``NOWHERE``.
        why: Why nowhere, in words.
    """

    card: float
    host: float
    way: str
    why: str = ""


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
        computed = BYTES["bfloat16"] if computes_narrow(settings) or as_stored else trained_width
        parts["buckets"] = gathered_bytes(shape, load, computed, trained_width) if cards > 1 else 0
    rollouts = settings.generation == "vllm" or settings.base_dtype == "float32"
    return CardBytes(
        **parts,
        activations=activation_bytes(shape, settings),
        head=2 * min(HEAD_TOKENS, tokens_per_pass(settings)) * shape.vocabulary * BYTES["float32"],
        merged=0 if load.of_base or not rollouts else load.adapted * width,
        engine=round(settings.vllm_gpu_memory_share * card_gib * GIB) if settings.generation == "vllm" else 0,
        asleep=sharding == "fsdp2",
    )


def gathered_bytes(shape: ModelShape, load: Load, computed: int, trained: int) -> int:
    """What is whole on a card under FSDP: a layer and the next one, and the output head with its gradient.

    Args:
        shape: Of the base.
        load: Of the run.
        computed: Bytes of a gathered weight.
        trained: Bytes of a number in which gradients are reduced.
    """
    table = shape.vocabulary * shape.hidden
    layers = 2 * (load.base - table) // shape.layers
    return (layers + table) * computed + (table * (computed + trained) if load.of_base else 0)


def tokens_per_pass(settings: TrainSettings) -> int:
    """Tokens of one micro batch at its longest."""
    return settings.micro_batch_completions * (settings.max_prompt_tokens + settings.max_completion_tokens)


def activation_bytes(shape: ModelShape, settings: TrainSettings) -> int:
    """What a forward pass keeps: with checkpointing one input a layer and the insides of one, otherwise of all."""
    narrow = computes_narrow(settings)
    inside = HIDDEN_PER_LAYER * shape.hidden + INNER_PER_LAYER * shape.inner
    kept = shape.hidden if settings.gradient_checkpointing else inside
    return tokens_per_pass(settings) * (shape.layers * kept + inside) * (2 if narrow else 4)


def computes_narrow(settings: TrainSettings) -> bool:
    """Whether layers compute in bfloat16."""
    return settings.base_dtype == "bfloat16" or settings.mixed_precision == "bf16"


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


def host_bytes(load: Load, settings: TrainSettings, sharding: str, exports: bool = False) -> int:
    """Memory of a node that all processes of a run take together, at the largest of three moments.

    While the base is read every process has all of it, as it is trained where weights are divided afterwards.
    While weights of the base are trained there is a copy of them as stored, to measure how far they went, and for the
    time of a measurement one as trained. At the end the main process has what it writes, and where weights were divided
    a model to write it from.

    Args:
        load: Parameters of the run.
        settings: Of the run.
        sharding: One of ``STARTED``.
        exports: Whether the method also writes merged float32 weights.
    """
    cards, width = max(settings.devices, 1), BYTES[settings.base_dtype]
    trained_width = width if load.of_base and settings.trained_dtype == "stored" else BYTES["float32"]
    whole = load.base * width + (load.trained * (trained_width - width) if load.of_base else 0)
    copied = load.trained * (width + trained_width) if load.of_base else 0
    reading = cards * (whole if sharding == "fsdp2" else load.base * width)
    training = copied if sharding == "fsdp2" else cards * copied
    written = load.base * BYTES["float32"] if exports else whole if load.of_base else 0
    ending = training + written + (whole if sharding == "fsdp2" else 0)
    return cards * IMPORTED + max(reading, training, ending)


def memory_row(shape: ModelShape, settings: TrainSettings, method: Any, card_gib: float) -> dict[str, Any]:
    """A run's memory per card in GiB under every sharding, and how it is started: ``fits``, or ``nowhere``."""
    load = run_load(shape, settings, method)
    found: dict[str, Any] = {"trained": load.trained, "card": card_gib}
    for sharding in SHARDINGS:
        parts = card_bytes(load, shape, settings, card_gib, sharding)
        if sharding == "ddp":
            found |= {name: round(value, 1) for name, value in parts.named().items() if name != "total"}
        found[sharding] = round(parts.named()["total"], 1)
    found["host"] = {way: round(host_bytes(load, settings, way, method.exports) / GIB, 1) for way in STARTED}
    ways = [name for name in STARTED if name != "fsdp2" or may_be_divided(settings, method)]
    fits = next((name for name in ways if found[name] <= card_gib), NOWHERE)
    return found | {"host": found["host"][STARTED[0] if fits == NOWHERE else fits], "fits": fits}


def may_be_divided(settings: TrainSettings, method: Any) -> bool:
    """Whether a run can be started with divided weights.

    Not on one card; not with a method that reads its weights itself; and no adapter beside vLLM, or one that is merged
    in place: merging is done layer by layer on whole weights.
    """
    merges = settings.generation == "vllm" or settings.rollout_weights == IN_PLACE
    return settings.devices > 1 and bool(method.shardable) and not (merges and method.tuner is not None)


def needed_memory(
    specs: Mapping[str, Mapping[str, Any]],
    shapes: Mapping[str, ModelShape],
    models: Mapping[str, str],
    methods: Mapping[str, Any],
    resources: Mapping[str, Any],
) -> dict[str, Needed]:
    """What runs need of cards and nodes, by run id; nothing where runs have no card.

    Args:
        specs: Resolved settings by run id.
        shapes: Shapes of the bases that are known without a download; runs of others are left out of the answer.
        models: Base of every run.
        methods: The registry of methods.
        resources: ``resources.train`` of the scale: ``card_gib``, absent where runs have no card, and ``mem_mb``.
    """
    card, found = resources.get("card_gib", 0.0), {}
    for run_id, spec in specs.items() if card else ():
        if (shape := shapes.get(models[run_id])) is None:
            continue
        row = memory_row(shape, TrainSettings.from_json(spec, run_id), methods[spec["method"]], card)
        way, why = row["fits"], why_nowhere(row) if row["fits"] == NOWHERE else ""
        if way != NOWHERE and row["host"] * MIB_PER_GIB > resources["mem_mb"]:
            has = resources["mem_mb"] / MIB_PER_GIB
            way, why = NOWHERE, f"needs {row['host']:g} GiB of its node's memory, mem_mb gives {has:.0f}"
        found[run_id] = Needed(row[STARTED[0] if way == NOWHERE else way], row["host"], way, why)
    return found


def why_nowhere(row: Mapping[str, Any]) -> str:
    """What a run that no card holds in any way needs and has, in words."""
    parts = ", ".join(f"{name} {row[name]:g}" for name in PARTS if row[name])
    return f"needs {row['ddp']:g} of {row['card']:g} GiB per card ({parts}; divided by FSDP2 {row['fsdp2']:g})"


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
) -> tuple[dict[str, str], frozenset[str]]:
    """Find the runs that no card of the scale holds by itself, and those that fit in no way.

    Args:
        specs: See :func:`needed_memory`, as the three that follow.
        shapes: Of the bases.
        models: Base of every run.
        methods: The registry of methods.
        resources: ``resources.train`` of the scale.
        where: The scale's file.

    Returns:
        Why a run is left out, by run id, empty unless ``unfit`` is ``leave-out``; and the ids of the runs whose weights
        are divided among their cards.

    Raises:
        InputError: Names the runs that fit in no way and their numbers, unless they are to be left out.
    """
    needed = needed_memory(specs, shapes, models, methods, resources)
    unfit = {run_id: each.why for run_id, each in needed.items() if each.way == NOWHERE}
    if unfit and not leaves_out(resources):
        first = next(iter(unfit))
        problem = f"{len(unfit)} runs do not fit; '{first}' {unfit[first]}."
        remedy = "Give resources.train a larger card_gib or mem_mb, fewer tokens per pass, or 'unfit: leave-out'."
        raise InputError(f"{where}, key 'resources.train'", problem, remedy)
    return unfit, frozenset(run_id for run_id, each in needed.items() if each.way == "fsdp2")

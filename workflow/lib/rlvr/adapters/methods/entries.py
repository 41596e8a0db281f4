"""The methods, one entry each. An entry says what a row may set, what the trained model must show, and its source."""

from collections.abc import Mapping

from rlvr.plan.method import Method

LOW_RANK = frozenset({"rank", "alpha", "target_modules"})
LOW_RANK_FIELDS: Mapping[str, str] = {"rank": "r", "alpha": "lora_alpha"}
PLAIN_LORA = {"use_dora": False, "use_rslora": False}
ORTHONORMAL = "Geometry-Preserving Orthonormal Initialization for Low-Rank Adaptation in RLVR"
OFF_PRINCIPAL = "The Path Not Taken: RLVR Provably Learns off the Principals, section 5.1"
PRINCIPAL = frozenset({"rank", "density", "target_modules"})


def initialised(name: str, family: str, source: str, decomposes: bool) -> Method:
    """LoRA with factors of its own to start from, on PEFT's layers."""
    marks = {**PLAIN_LORA, "initialisation": name}
    return Method(
        name=name,
        family=family,
        takes=LOW_RANK,
        source=source,
        tuner="LoraModel",
        marks=marks,
        fields=LOW_RANK_FIELDS,
        decomposes=decomposes,
    )


def sparse(mask: str, takes: frozenset[str] = PRINCIPAL, decomposes: bool = True) -> Method:
    """Full fine-tuning of the entries of a mask."""
    return Method(
        name=f"sparse-{mask}", family="sparse", takes=takes, source=OFF_PRINCIPAL, tuner=None, decomposes=decomposes
    )


ENTRIES = (
    Method(
        name="lora",
        family="lora",
        takes=LOW_RANK,
        source="Hu et al. 2021, arXiv:2106.09685; peft",
        tuner="LoraModel",
        marks=PLAIN_LORA,
        fields=LOW_RANK_FIELDS,
    ),
    Method(
        name="dora",
        family="dora",
        takes=LOW_RANK,
        source="Liu et al. 2024, arXiv:2402.09353; peft",
        tuner="LoraModel",
        marks={"use_dora": True, "use_rslora": False},
        fields=LOW_RANK_FIELDS,
    ),
    Method(
        name="quanta",
        family="quanta",
        takes=frozenset({"axes", "target_modules"}),
        source="Chen et al. 2024, arXiv:2406.00132; rlvr.adapters.quanta",
        tuner="QuantaModel",
        fields={"dims": "dims"},
    ),
    Method(
        name="full",
        family="full",
        takes=frozenset(),
        source="every weight of the base is trained",
        tuner=None,
    ),
    Method(
        name="rslora",
        family="rslora",
        takes=LOW_RANK,
        source="Kalajdzievski 2023, arXiv:2312.03732; peft",
        tuner="LoraModel",
        marks={"use_dora": False, "use_rslora": True},
        fields=LOW_RANK_FIELDS,
    ),
    Method(
        name="lora-plus",
        family="lora_plus",
        takes=LOW_RANK | {"rate_ratio"},
        source="Hayou et al. 2024, arXiv:2402.12354; peft's optimizer",
        tuner="LoraModel",
        marks=PLAIN_LORA,
        fields=LOW_RANK_FIELDS,
    ),
    Method(
        name="lora-fa",
        family="lora_fa",
        takes=LOW_RANK,
        source="Zhang et al. 2023, arXiv:2308.03303; peft's LoRA with A frozen",
        tuner="LoraModel",
        marks=PLAIN_LORA,
        fields=LOW_RANK_FIELDS,
        frozen=("lora_A",),
    ),
    Method(
        name="adalora",
        family="adalora",
        takes=LOW_RANK,
        source="Zhang et al. 2023, arXiv:2303.10512; peft",
        tuner="AdaLoraModel",
        fields={"rank": "target_r", "alpha": "lora_alpha"},
        exports=True,
    ),
    Method(
        name="vera",
        family="vera",
        takes=frozenset({"rank", "target_modules"}),
        source="Kopiczko et al. 2023, arXiv:2310.11454; peft",
        tuner="VeraModel",
        marks={"save_projection": True, "d_initial": 0.1},
        fields={"rank": "r", "seed": "projection_prng_key"},
        exports=True,
    ),
    Method(
        name="miss",
        family="miss",
        takes=frozenset({"rank", "target_modules"}),
        source="Kang and Yin 2024, arXiv:2409.15371; peft",
        tuner="MissModel",
        marks={"init_weights": True},
        fields={"rank": "r"},
        exports=True,
    ),
    Method(
        name="ia3",
        family="ia3",
        takes=frozenset({"target_modules"}),
        source="Liu et al. 2022, arXiv:2205.05638; peft",
        tuner="IA3Model",
        exports=True,
    ),
    Method(
        name="ln-tuning",
        family="ln_tuning",
        takes=frozenset(),
        source="Qi et al. 2022, arXiv:2211.08682; peft",
        tuner="LNTuningModel",
        exports=True,
    ),
    Method(
        name="boft",
        family="boft",
        takes=frozenset({"block_size", "butterfly_factors", "target_modules"}),
        source="Liu et al. 2023, arXiv:2311.06243; peft",
        tuner="BOFTModel",
        marks={"boft_block_num": 0},
        fields={"block_size": "boft_block_size", "butterfly_factors": "boft_n_butterfly_factor"},
        frozen=("boft_s",),
        exports=True,
    ),
    Method(
        name="mora",
        family="mora",
        takes=frozenset({"rank", "target_modules"}),
        source="Jiang et al. 2024, arXiv:2405.12130, with rotation; rlvr.adapters.mora",
        tuner="MoraModel",
        fields={"rank": "r"},
        exports=True,
    ),
    initialised("pissa", "residual", "Meng et al. 2024, arXiv:2404.02948", decomposes=True),
    initialised("milora", "residual", "Wang et al. 2024, arXiv:2406.09044", decomposes=True),
    initialised("olora", "residual", f"{ORTHONORMAL}, equation 7, after arXiv:2406.01775", decomposes=True),
    initialised("olora-tail", "residual", f"{ORTHONORMAL}, section 4", decomposes=True),
    initialised("lora-rlpo", "orthonormal", f"{ORTHONORMAL}, section 5.2", decomposes=True),
    initialised("lora-rlmo", "orthonormal", f"{ORTHONORMAL}, section 5.2", decomposes=True),
    initialised("dct-lora", "orthonormal", f"{ORTHONORMAL}, section 6", decomposes=False),
    initialised("wavelet-lora", "orthonormal", f"{ORTHONORMAL}, section 6", decomposes=False),
    sparse("principal"),
    sparse("non-principal"),
    sparse("low-magnitude", frozenset({"target_modules"}), decomposes=False),
    sparse("union"),
    sparse("random"),
)

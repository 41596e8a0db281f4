"""Parts that LoRA and its relatives share: configuration, adapted modules, singular triples, plain files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peft import LoraConfig, PeftModel
from peft.tuners.lora.layer import Linear
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedModel

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.linears import check_rank, target_names
from rlvr.plan.settings import TrainSettings
from rlvr.weights.tensors import TensorStore


@dataclass
class InitialisedLoraConfig(LoraConfig):
    """LoRA that remembers how its factors were set after PEFT had drawn them.

    Attributes:
        initialisation: Name of the method; PEFT has no register of initialisations that one could add to.
    """

    initialisation: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Fields that are written beside a checkpoint: PEFT warns of a field that it does not know."""
        return {name: value for name, value in super().to_dict().items() if name != "initialisation"}


def low_rank_config(
    base: PreTrainedModel, settings: TrainSettings, kind: type[LoraConfig] = LoraConfig, **changes: Any
) -> LoraConfig:
    """PEFT's configuration of LoRA or a relative, without bias.

    Args:
        base: Model to adapt.
        settings: Of the run.
        kind: Class of the configuration.
        changes: Fields that tell a relative from LoRA.

    Raises:
        InputError: If the rank is above that of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, rank)
    return kind(
        task_type="CAUSAL_LM",
        r=rank,
        lora_alpha=settings.required("alpha"),
        lora_dropout=settings.dropout,
        bias="none",
        target_modules=targets,
        **changes,
    )


def lora_layers(model: PeftModel) -> Iterator[tuple[str, Any]]:
    """Every adapted module, PEFT's ``Linear``, by its name in the bare base."""
    base: nn.Module = model.get_base_model()
    for name, module in base.named_modules():
        if isinstance(module, Linear):
            yield name, module


def open_decomposition(path: Path | None) -> TensorStore | None:
    """The base's singular triples, if the run was given any."""
    return None if path is None else TensorStore(path.parent)


def exported_config(model: PeftModel, factor: int = 1) -> LoraConfig:
    """A configuration that any PEFT reads: plain LoRA on the original base, rank and alpha times ``factor``."""
    config: Any = model.peft_config[ADAPTER]
    return LoraConfig(
        task_type="CAUSAL_LM",
        r=factor * config.r,
        lora_alpha=factor * config.lora_alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules=config.target_modules,
        base_model_name_or_path=config.base_model_name_or_path,
        inference_mode=True,
    )


def write_plain_lora(tensors: dict[str, Tensor], config: LoraConfig, folder: Path) -> None:
    """Write factors ``<module>.lora_A`` and ``<module>.lora_B`` in PEFT's layout."""
    named = {f"base_model.model.{name}.weight": value.detach().cpu().contiguous() for name, value in tensors.items()}
    save_file(named, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    config.save_pretrained(str(folder))

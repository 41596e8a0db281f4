"""AdaLoRA under GRPO: PEFT's rank allocator driven by a callback, its orthogonality term, exact resuming.

SOURCE: Zhang et al. 2023, section 3.3.
"""

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import AdaLoraConfig, PeftModel, get_peft_model
from peft.tuners._buffer_dict import BufferDict
from peft.tuners.adalora import AdaLoraLayer
from torch import Tensor
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from rlvr.adapters.family import ADAPTER
from rlvr.adapters.linears import check_rank, target_names
from rlvr.core.errors import InputError
from rlvr.plan.settings import TrainSettings

WARMUP_SHARE, FINAL_SHARE = 0.1, 0.3  # ASSUME: of all steps; not printed for RLVR
ORTHOGONALITY = 0.1  # ASSUME: the smallest weight of the term in Zhang et al.'s experiments
STATE_FILE = "adalora.pt"
UNKNOWN_STEPS = 2**31  # the trainer knows the number of steps; the callback writes it before the first


def attach_adalora(base: PreTrainedModel, settings: TrainSettings, initial_rank: int) -> PeftModel:
    """The base with AdaLoRA on the target set, from ``initial_rank`` down to the average rank of the settings.

    PEFT keeps each module's divisor as a parameter, which a cast to the adapter's type makes trainable and which vLLM
    would be sent as a weight. Here it is a buffer.

    Raises:
        InputError: If the initial rank is above that of a target's weight.
    """
    rank, targets = settings.required("rank"), target_names(base, settings.required("target_modules"))
    check_rank(base, targets, initial_rank)
    config = AdaLoraConfig(
        task_type="CAUSAL_LM",
        init_r=initial_rank,
        target_r=rank,
        lora_alpha=settings.required("alpha"),
        lora_dropout=settings.dropout,
        bias="none",
        orth_reg_weight=ORTHOGONALITY,
        total_step=UNKNOWN_STEPS,
        target_modules=targets,
    )
    # a module may be pruned to nothing, which PEFT takes for one whose shards were not gathered
    warnings.filterwarnings("ignore", message=r".*LoRA tensor\(s\) have invalid shape")
    model = get_peft_model(base, config)
    for layer in _layers(model):
        divisor = BufferDict({ADAPTER: layer.ranknum[ADAPTER].detach()}, persistent=False)
        layer.ranknum = divisor  # type: ignore[assignment]
    return model


def orthogonality_term(model: PeftModel) -> Tensor:
    """Mean of ||P^T P - I|| and ||Q Q^T - I|| (Frobenius) over all modules, times its weight."""
    terms = []
    for layer in _layers(model):
        factors: tuple[Any, Any] = layer.lora_A[ADAPTER], layer.lora_B[ADAPTER].T
        for factor in factors:
            terms.append(torch.linalg.norm(factor @ factor.T - torch.eye(len(factor), device=factor.device)))
    return ORTHOGONALITY * torch.stack(terms).mean()


class Allocation(TrainerCallback):
    """Tells PEFT's allocator the number of steps, and calls it after every optimizer step, gradients still there."""

    def __init__(self, model: PeftModel, where: str) -> None:
        self.model = model
        self.where = where

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Bind the budget's schedule to the run's number of steps.

        Raises:
            InputError: If a run is too short to have the three phases.
        """
        config: Any = self.model.peft_config[ADAPTER]
        config.total_step = state.max_steps
        config.tinit, config.tfinal = (round(share * state.max_steps) for share in (WARMUP_SHARE, FINAL_SHARE))
        if config.tinit >= config.total_step - config.tfinal - 1:
            problem = f"{state.max_steps} steps are too few to allocate ranks."
            raise InputError(self.where, problem, "AdaLoRA needs a warm-up, an allocation and a final phase.")

    def on_optimizer_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Update the importance of every rank and prune to the step's budget."""
        tuner: Any = self.model.base_model
        tuner.update_and_allocate(state.global_step + 1)


def save_allocation(model: PeftModel, folder: Path) -> None:
    """Write into a checkpoint what PEFT's files lack: the unpruned factors and the allocator's running means."""
    allocator: Any = model.base_model.rankallocator
    config: Any = model.peft_config[ADAPTER]
    torch.save(
        {
            "factors": {name: value.detach() for name, value in model.named_parameters() if "lora_" in name},
            "means": {name: getattr(allocator, name) for name in ("ipt", "exp_avg_ipt", "exp_avg_unc")},
            "rank_pattern": config.rank_pattern,
        },
        folder / STATE_FILE,
    )


def load_allocation(model: PeftModel, folder: Path) -> None:
    """Restore the files of ``save_allocation``."""
    device = next(model.parameters()).device  # each process has its own; the file was written by one of them
    saved = torch.load(folder / STATE_FILE, map_location=device, weights_only=True)
    with torch.no_grad():
        for name, value in model.named_parameters():
            if name in saved["factors"]:
                value.copy_(saved["factors"][name])
    for name, values in saved["means"].items():
        setattr(model.base_model.rankallocator, name, values)
    config: Any = model.peft_config[ADAPTER]
    config.rank_pattern = saved["rank_pattern"]


def _layers(model: PeftModel) -> list[AdaLoraLayer]:
    return [module for module in model.modules() if isinstance(module, AdaLoraLayer)]

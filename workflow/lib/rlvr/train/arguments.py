"""The settings of a run in TRL's words."""

import math
from pathlib import Path
from typing import Any

from trl import GRPOConfig, SFTConfig

from rlvr.adapters.methods import find_method
from rlvr.plan.settings import TrainSettings
from rlvr.train.sharding import computes_in_bf16, is_on_cpu, is_sharded

LARGEST_SHARE = math.nextafter(1.0, 0.0)


def trl_config(settings: TrainSettings, checkpoints: Path) -> GRPOConfig:
    """The settings of reinforcement learning in TRL's words; nothing that matters is left to TRL's defaults."""
    return GRPOConfig(
        num_generations=settings.group_size,
        # The reference of a KL term is `Trainer._base`. Told of the term, TRL would add a second adapter, which AdaLoRA
        # refuses and which unfreezes parts of LoRA-FA and BOFT, or hold a second model.
        beta=0.0,
        epsilon=settings.clip_epsilon,
        epsilon_high=settings.clip_epsilon_high,
        loss_type=settings.loss_type,
        scale_rewards=settings.scale_rewards,
        temperature=settings.temperature,
        top_p=settings.top_p,
        top_k=0,
        max_completion_length=settings.max_completion_tokens,
        mask_truncated_completions=settings.truncated_completions == "mask",
        disable_dropout=settings.dropout == 0,
        steps_per_generation=settings.accumulation_steps(max(settings.devices, 1)) * settings.updates_per_generation,
        shuffle_dataset=True,
        **common(settings, checkpoints),
        **generation(settings),
    )


def sft_config(settings: TrainSettings, checkpoints: Path) -> SFTConfig:
    """The settings of supervised fine-tuning in TRL's words; prompts carry no loss."""
    return SFTConfig(
        max_length=None,  # nothing is cut: solutions that are too long are left out before
        packing=False,
        completion_only_loss=True,
        loss_type="nll",
        dataloader_drop_last=True,
        **common(settings, checkpoints),
    )


def common(settings: TrainSettings, checkpoints: Path) -> dict[str, Any]:
    """Arguments of every trainer: batches, optimizer, schedule, devices, checkpoints."""
    on_cpu = is_on_cpu(settings)
    of_base = find_method(settings.run_id, settings.method).tuner is None
    fixed: dict[str, Any] = {"logging_steps": 1, "logging_nan_inf_filter": False, "report_to": [], "disable_tqdm": True}
    return {
        "output_dir": str(checkpoints),
        "seed": settings.seed,
        "per_device_train_batch_size": settings.micro_batch_completions,
        "gradient_accumulation_steps": settings.accumulation_steps(max(settings.devices, 1)),
        "num_train_epochs": settings.epochs,
        "max_steps": settings.max_steps or -1,  # -1: by the epochs
        "optim": settings.optimizer,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "max_grad_norm": settings.max_grad_norm,
        "use_cpu": on_cpu,
        "bf16": computes_in_bf16(settings, of_base),
        "gradient_checkpointing": settings.gradient_checkpointing,
        "save_strategy": "steps",
        "save_steps": checkpoint_steps(settings),
        "dataloader_num_workers": 0,
        "dataloader_pin_memory": not on_cpu,
        "ddp_backend": "gloo" if on_cpu and settings.devices > 1 else None,
        # Every adapted weight takes part in every pass. Frozen ones of the base would be looked for in vain otherwise.
        "ddp_find_unused_parameters": False,
        # Divided gradients are reduced after every micro batch; collected, they would be whole on every card.
        "accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": is_sharded()}},
        **fixed,
        **schedule(settings),
    }


def checkpoint_steps(settings: TrainSettings) -> int:
    """Optimizer steps between checkpoints, a whole number of generations: a resumed run starts with a new one."""
    updates = settings.updates_per_generation
    return -(-settings.checkpoint_every_steps // updates) * updates


def schedule(settings: TrainSettings) -> dict[str, Any]:
    """Learning-rate schedule. The first step of a warm-up has rate 0.

    ASSUME: the constant schedule keeps the warm-up; the paper says that nothing but the schedule differs (appendix C).
    """
    # Below 1 this is a share of all steps, rounded up, from 1 on a count of steps: 1.0 must stay a share.
    warmup = {"warmup_steps": min(settings.warmup_fraction, LARGEST_SHARE)}
    if settings.schedule == "constant":
        return {"lr_scheduler_type": "constant_with_warmup", **warmup}
    floor = {"min_lr_rate": settings.min_learning_rate_ratio}
    return {"lr_scheduler_type": "cosine_with_min_lr", "lr_scheduler_kwargs": floor, **warmup}


def generation(settings: TrainSettings) -> dict[str, Any]:
    """Settings of the engine that samples completions: transformers, or vLLM in the training processes."""
    if settings.generation == "transformers":
        return {"use_vllm": False}
    return {
        "use_vllm": True,
        "vllm_mode": "colocate",
        "vllm_enable_sleep_mode": is_sharded(),  # its share is reckoned with only while it samples
        "vllm_gpu_memory_utilization": settings.vllm_gpu_memory_share,
        "vllm_max_model_length": settings.max_prompt_tokens + settings.max_completion_tokens,
        # ASSUME: the default masks whole sequences once their log ratios add up, that is most long ones
        "vllm_importance_sampling_mode": "token_truncate",
    }

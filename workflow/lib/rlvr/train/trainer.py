"""TRL's GRPO trainer, set to the protocol of the paper."""

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback
from trl import GRPOConfig, GRPOTrainer
from trl.models.utils import disable_gradient_checkpointing
from trl.trainer.utils import RepeatSampler

from rlvr.adapters.merging import Rounding, merged_weights, rollout_weights
from rlvr.adapters.methods import find_method
from rlvr.plan.settings import TrainSettings
from rlvr.rewards.trl_reward import make_reward
from rlvr.train.divergence import Base, TokenMeans, cut_to, kl_of_samples, recorded_sampling
from rlvr.train.metrics import KL, KL_ROLLOUT, LOST, OF_TOKENS, ProgressLines, weighted_mean
from rlvr.train.sharding import computes_in_bf16, is_on_cpu, is_sharded, reshard, set_precision, summed
from rlvr.train.signal import EpochSampler, check_rollouts, constant_groups

LARGEST_SHARE = math.nextafter(1.0, 0.0)


class Trainer(GRPOTrainer):
    """GRPO whose generations see the trained function, with what the method adds to optimizer, loss and checkpoint."""

    def __init__(self, *args: Any, settings: TrainSettings, **kwargs: Any) -> None:
        self.run = settings
        self.method = find_method(settings.run_id, settings.method)
        self._tokens: list[float] = []  # of every micro batch since the last log
        self._means = TokenMeans()
        self._lost_share = 0.0  # of the update, in the weights that sampled last
        super().__init__(*args, **kwargs)
        self.beta = settings.kl_beta  # see `trl_config`
        set_precision(self.accelerator)
        if not is_sharded():
            _ = self._base  # before a checkpoint is loaded
        if self.use_vllm:
            self._push_weights = self.vllm_generation.sync_weights
            self.vllm_generation.sync_weights = self._push_merged_weights  # type: ignore[method-assign]

    @cached_property
    def _base(self) -> Base:
        """The base that training moves away from; where weights are divided, taken once they are."""
        return Base(self.accelerator.unwrap_model(self.model), getattr(torch, self.run.base_dtype))

    def _push_merged_weights(self) -> None:
        """Send merged weights to vLLM; TRL would merge them into the base in place and thereby move it."""
        rounding = Rounding()
        with merged_weights(self.accelerator.unwrap_model(self.model), rounding):
            self._push_weights()
        self._base.measure(rounding)
        if is_sharded():
            rounding = Rounding(*summed([rounding.lost, rounding.moved], self.accelerator.device))
        self._lost_share = rounding.share

    def _generate_single_turn(self, *args: Any, **kwargs: Any) -> Any:
        if self.use_vllm:
            return super()._generate_single_turn(*args, **kwargs)
        model = self.accelerator.unwrap_model(self.model)
        rounding = Rounding()
        merged = nullcontext() if is_sharded() else rollout_weights(model, rounding)
        if is_sharded():
            reshard(model)
            model._is_fsdp_managed_module = True  # transformers then goes on until the last process has its completions
        with merged, recorded_sampling(model, self.temperature) as recorded:
            completions, _ = super()._generate_single_turn(*args, **kwargs)
        self._lost_share = rounding.share
        return completions, cut_to(recorded[-1], completions)

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        self._rewards: torch.Tensor = super()._calculate_rewards(*args, **kwargs)
        return self._rewards

    def _generate_and_score_completions(self, *args: Any, **kwargs: Any) -> Any:
        """Sample and score as TRL does, and find the base's log-probabilities, for a KL term or the log of the run.

        A group whose rewards are all equal has advantages of exactly 0 and counts as one without spread: in TRL both
        depend on whether the mean of equal numbers is that number, which in float32 it often is not.
        """
        beta, self.beta = self.beta, 0.0  # TRL's own reference would be a second model, or a second adapter
        try:
            batch = super()._generate_and_score_completions(*args, **kwargs)
        finally:
            self.beta = beta
        self._metrics["train"][LOST].append(self._lost_share)
        check_rollouts(self.state.global_step, self._lost_share, self.run, self.state.max_steps)
        if self._measures_base():
            batch["ref_per_token_logps"] = self._base_log_probs(batch)
        constant = constant_groups(self._rewards.flatten(), self.run.group_size)
        count = len(batch["advantages"])
        own = slice(self.accelerator.process_index * count, (self.accelerator.process_index + 1) * count)
        batch["advantages"] = batch["advantages"].masked_fill(constant[own], 0.0)
        self._metrics["train"]["frac_reward_zero_std"][-1] = constant.float().mean().item()
        return batch

    def _measures_base(self) -> bool:
        """Whether the generation that begins at this step is compared with the base."""
        every, generation = self.run.base_kl_every, self.state.global_step // self.run.updates_per_generation
        return self.beta != 0 or (every > 0 and generation % every == 0)

    def _base_log_probs(self, batch: Mapping[str, Any]) -> torch.Tensor:
        """Log-probabilities under the base, (completions, tokens); draws no random number and unfreezes nothing."""
        ids = torch.cat([batch["prompt_ids"], batch["completion_ids"]], dim=1)
        mask = torch.cat([batch["prompt_mask"], batch["completion_mask"]], dim=1)
        kept, size = batch["completion_ids"].size(1), self.args.per_device_train_batch_size
        arguments = cast("dict[str, Any] | None", self.args.gradient_checkpointing_kwargs)
        plain = disable_gradient_checkpointing(cast("PreTrainedModel", self.model), arguments)
        trainable = same_trainable(self.accelerator.unwrap_model(self.model))
        with torch.no_grad(), plain, trainable, self._base.in_place():
            found, _, _ = super()._get_per_token_logps_and_entropies(self.model, ids, mask, kept, batch_size=size)
        return cast("torch.Tensor", found)

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        found = super()._get_per_token_logps_and_entropies(*args, **kwargs)
        self._log_probs: torch.Tensor = found[0].detach()  # of the loss, whose call is the last before it is measured
        return found

    def _measure_divergence(self, batch: Mapping[str, Any]) -> None:
        """Add a micro batch's divergences from the base and from the policy that sampled to the step's means.

        The base's is KL(policy || base), taken from tokens of the sampler, which is the policy up to the updates since
        the generation; the sampler's is KL(sampler || policy).
        """
        mask, log_probs = batch["completion_mask"].bool(), self._log_probs
        ratios = {KL_ROLLOUT: log_probs - batch["sampling_per_token_logps"]}
        if "ref_per_token_logps" in batch:
            ratios[KL] = batch["ref_per_token_logps"] - log_probs
        known = {name: mask & ~ratio.isnan() for name, ratio in ratios.items()}  # vLLM leaves some tokens out
        sums = [kl_of_samples(ratio[known[name]]).sum() for name, ratio in ratios.items()]
        local = torch.stack([*sums, *(known[name].sum().double() for name in ratios), mask.sum().double()])
        *found, tokens = self.accelerator.reduce(local, reduction="sum").tolist()
        for name, total, count in zip(ratios, found, found[len(ratios) :], strict=False):
            self._means.add(name, total, count)
        self._tokens.append(tokens)

    def _get_train_sampler(self, dataset: Dataset | None = None) -> Any:
        self._sampler = EpochSampler.like(cast("RepeatSampler", super()._get_train_sampler(dataset)))
        return self._sampler

    def _init_training_state(self, *args: Any, **kwargs: Any) -> tuple[int, int]:
        """The position of a resumed run; its later epochs go on with their own order, not with the first one's."""
        epochs, steps = super()._init_training_state(*args, **kwargs)
        self._sampler.skip_epochs(epochs)
        return epochs, steps

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """The method's own optimizer, or the one of all others."""
        if self.optimizer is None:
            adapted = self.accelerator.unwrap_model(self.model if model is None else model)
            made, arguments = self.get_optimizer_cls_and_kwargs(self.args, adapted)
            self.optimizer = self.method.make_optimizer(adapted, self.run, made, arguments)
        return super().create_optimizer(model)

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The loss of GRPO plus the method's penalty, a share of it in each of the micro batches of a step."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        self._measure_divergence(inputs)
        penalty = self.method.penalty(self.accelerator.unwrap_model(model))
        return loss if penalty is None else loss + penalty / self.current_gradient_accumulation_steps

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as TRL does, but what is measured per token as the mean over all tokens of the step's micro batches."""
        metrics, tokens, self._tokens = self._metrics["train"], self._tokens, []
        for name in OF_TOKENS:
            if metrics.get(name):
                metrics[name] = [weighted_mean(metrics[name], tokens)]
        metrics.update({name: [mean] for name, mean in self._means.drain().items()})
        super().log(logs, *args, **kwargs)

    def _save(self, output_dir: str | None = None, state_dict: dict[str, Any] | None = None) -> None:
        super()._save(output_dir, state_dict)
        folder = Path(output_dir or str(self.args.output_dir))
        self.method.save_state(self.accelerator.unwrap_model(self.model), folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        adapted = self.accelerator.unwrap_model(model or self.model)
        _ = self._base
        if not self.method.load_state(adapted, Path(resume_from_checkpoint)):
            super()._load_from_checkpoint(resume_from_checkpoint, model)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """No card: ``run.json`` says what a run is."""


@contextmanager
def same_trainable(model: torch.nn.Module) -> Iterator[None]:
    """Afterwards the same parameters are trained as before; PEFT makes all of an adapter trainable on turning it on."""
    trained = {parameter: parameter.requires_grad for parameter in model.parameters()}
    try:
        yield
    finally:
        for parameter, flag in trained.items():
            parameter.requires_grad_(flag)


def make_trainer(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    problems: Dataset,
    settings: TrainSettings,
    checkpoints: Path,
) -> Trainer:
    """The trainer of one run.

    Args:
        model: Base with its adapter attached, or the base itself for full fine-tuning.
        tokenizer: With a pad token, padding on the left.
        problems: Columns ``prompt``, ``answer``, ``verifier``, ``meta``.
        settings: Resolved settings.
        checkpoints: Folder for checkpoints.
    """
    method = find_method(settings.run_id, settings.method)
    trainer = Trainer(
        settings=settings,
        model=model,
        reward_funcs=make_reward(settings.template, settings.reward_rule),
        args=trl_config(settings, checkpoints),
        train_dataset=problems,
        processing_class=tokenizer,
        callbacks=[ProgressLines(settings.completions_per_step), *method.callbacks(model, settings)],
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def trl_config(settings: TrainSettings, checkpoints: Path) -> GRPOConfig:
    """The settings in TRL's words; nothing that matters is left to TRL's defaults."""
    on_cpu = is_on_cpu(settings)
    of_base = find_method(settings.run_id, settings.method).tuner is None
    accumulation = settings.accumulation_steps(max(settings.devices, 1))
    return GRPOConfig(
        output_dir=str(checkpoints),
        seed=settings.seed,
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
        per_device_train_batch_size=settings.micro_batch_completions,
        gradient_accumulation_steps=accumulation,
        steps_per_generation=accumulation * settings.updates_per_generation,
        num_train_epochs=settings.epochs,
        max_steps=settings.max_steps or -1,  # -1: by the epochs
        shuffle_dataset=True,
        optim=settings.optimizer,
        learning_rate=settings.learning_rate,
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        use_cpu=on_cpu,
        bf16=computes_in_bf16(settings, of_base),
        gradient_checkpointing=settings.gradient_checkpointing,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="steps",
        save_steps=checkpoint_steps(settings),
        report_to=[],
        disable_tqdm=True,
        dataloader_num_workers=0,
        dataloader_pin_memory=not on_cpu,
        ddp_backend="gloo" if on_cpu and settings.devices > 1 else None,
        # Every adapted weight takes part in every pass. Frozen ones of the base would be looked for in vain otherwise.
        ddp_find_unused_parameters=False,
        # Divided gradients are reduced after every micro batch; collected, they would be whole on every card.
        accelerator_config={"gradient_accumulation_kwargs": {"sync_each_batch": is_sharded()}},
        **schedule(settings),
        **generation(settings),
    )


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

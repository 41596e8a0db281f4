"""TRL's GRPO trainer, set to the protocol of the paper."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import torch
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, PreTrainedTokenizerBase, PrinterCallback
from trl import GRPOTrainer
from trl.models.utils import disable_gradient_checkpointing
from trl.trainer.utils import RepeatSampler

from rlvr.adapters.merging import Rounding, merged_in_place, merged_weights, rollout_weights
from rlvr.adapters.methods import find_method
from rlvr.bases.shared_prompts import shared_prompts
from rlvr.plan.settings import IN_PLACE, TrainSettings
from rlvr.rewards.trl_reward import make_reward
from rlvr.train.arguments import trl_config
from rlvr.train.divergence import Base, TokenMeans, cut_to, kl_of_samples, recorded_sampling
from rlvr.train.fused_head import fit_tiles, score_labelled_only
from rlvr.train.method_hooks import MethodHooks
from rlvr.train.metrics import EXTRA, KL, KL_ROLLOUT, LOST, OF_LENGTHS, OF_TOKENS, ProgressLines, weighted_mean
from rlvr.train.resampling import Rollouts, draw_others, refill, round_seed
from rlvr.train.sharding import is_sharded, reshard, set_precision, summed
from rlvr.train.signal import EpochSampler, check_rollouts, constant_groups


class Trainer(MethodHooks, GRPOTrainer):
    """GRPO whose generations see the trained function, with what the method adds to optimizer, loss and checkpoint."""

    def __init__(self, *args: Any, settings: TrainSettings, **kwargs: Any) -> None:
        self.take_method(settings)
        self._tokens: list[float] = []  # of every micro batch since the last log
        self._means = TokenMeans()
        self._lost_share = 0.0  # of the update, in the weights that sampled last
        super().__init__(*args, **kwargs)
        self._problems = cast("Dataset", self.train_dataset)
        self._numbers = {prompt: number for number, prompt in enumerate(self._problems["prompt"])}
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
        """Send merged weights to vLLM; by itself TRL merges them into the base in place, where a run asks for that."""
        rounding, in_place = Rounding(), self.run.rollout_weights == IN_PLACE
        with merged_weights(self.accelerator.unwrap_model(self.model), rounding):
            if not in_place:
                self._push_weights()
        if in_place:
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
        merge = merged_in_place if self.run.rollout_weights == IN_PLACE else rollout_weights
        merged = nullcontext() if is_sharded() else merge(model, rounding)
        if is_sharded():
            reshard(model)
            model._is_fsdp_managed_module = True  # transformers then goes on until the last process has its completions
        own = model.get_base_model() if isinstance(model, PeftModel) else model
        shared = nullcontext() if is_sharded() else shared_prompts(cast("PreTrainedModel", own))
        with merged, shared, recorded_sampling(model, self.temperature) as recorded:
            completions, _ = super()._generate_single_turn(*args, **kwargs)
        self._lost_share = rounding.share
        return completions, cut_to(recorded[-1], completions)

    def _generate(self, prompts: list[str]) -> Any:
        """Sample, and where the run asks for it replace groups without spread by groups of other problems."""
        found = super()._generate(prompts)
        if not self.run.resampling_rounds:
            self._metrics["train"][EXTRA].append(0.0)
            return found
        logged = {name: list(self._metrics["train"][name]) for name in OF_LENGTHS}
        rollouts = Rollouts(found[0], found[1], found[3], found[4])
        used = [self._numbers[prompt] for prompt in prompts]

        def draw(number: int, count: int) -> list[dict[str, Any]]:
            process = self.accelerator.process_index
            seed = round_seed(self.run.seed, self.state.global_step, process, number)
            return [self._problems[place] for place in draw_others(len(self._numbers), used, count, seed)]

        def sample(others: list[str]) -> Rollouts:
            ids, completion_ids, _, completions, log_probs, *_ = super(Trainer, self)._generate(others)
            return Rollouts(ids, completion_ids, completions, log_probs)

        extra = refill(
            self._rows, prompts, rollouts, self.run.group_size, self.run.resampling_rounds,
            draw, sample, self._score, self._anywhere,
        )  # fmt: skip
        self._metrics["train"] |= logged
        self._log_lengths(rollouts.completion_ids)
        total = self.accelerator.reduce(torch.tensor(float(extra), device=self.accelerator.device), reduction="sum")
        self._metrics["train"][EXTRA].append(float(total.item()))
        return found

    def _score(self, rows: Sequence[dict[str, Any]], rollouts: Rollouts) -> list[float]:
        """Total rewards, to see which groups have spread; what is kept is graded once more and logged by TRL."""
        columns = {name: [row[name] for row in rows] for name in rows[0] if name != "prompt"}
        reward = cast("Callable[..., list[float]]", self.reward_funcs[0])
        return reward(
            prompts=[row["prompt"] for row in rows], completions=rollouts.completions,
            completion_ids=rollouts.completion_ids, log_metric=lambda *_: None, **columns,
        )  # fmt: skip

    def _anywhere(self, wanted: bool) -> bool:
        """Whether any process of the run wants it."""
        flag = torch.tensor(float(wanted), device=self.accelerator.device)
        return bool(self.accelerator.reduce(flag, reduction="sum").item() > 0)

    def _log_lengths(self, completion_ids: Sequence[Sequence[int]]) -> None:
        """Correct the logged lengths of a generation by what was kept of it."""
        device, ends = self.accelerator.device, {*self.eos_token_ids, self._tokenizer.pad_token_id}
        lengths = torch.tensor([float(len(ids)) for ids in completion_ids], device=device)
        cut = torch.tensor([float(ids[-1] not in ends) for ids in completion_ids], device=device)
        for name, values in zip(OF_LENGTHS, (lengths, cut), strict=True):
            self._metrics["train"][name][-1] = self.accelerator.gather(values).mean().item()

    def _calculate_rewards(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        self._rewards: torch.Tensor = super()._calculate_rewards(*args, **kwargs)
        return self._rewards

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> Any:
        """Sample and score as TRL does, and find the base's log-probabilities, for a KL term or the log of the run.

        A group whose rewards are all equal has advantages of exactly 0 and counts as one without spread: in TRL both
        depend on whether the mean of equal numbers is that number, which in float32 it often is not.
        """
        beta, self.beta = self.beta, 0.0  # TRL's own reference would be a second model, or a second adapter
        self._rows = inputs  # which `_generate` may change
        try:
            batch = super()._generate_and_score_completions(inputs)
        finally:
            self.beta = beta
        # Where every completion is cut and carries no loss, the mean over no token is 0.
        batch["num_items_in_batch"] = batch["num_items_in_batch"].clamp(min=1)
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

    def compute_loss(self, model: Any, inputs: Any, *args: Any, **kwargs: Any) -> torch.Tensor:
        """The loss of GRPO with the method's penalty; what it was computed from is measured."""
        loss = super().compute_loss(model, inputs, *args, **kwargs)
        self._measure_divergence(inputs)
        return cast("torch.Tensor", loss)

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log as TRL does, but what is measured per token as the mean over all tokens of the step's micro batches."""
        metrics, tokens, self._tokens = self._metrics["train"], self._tokens, []
        for name in OF_TOKENS:
            if metrics.get(name):
                metrics[name] = [weighted_mean(metrics[name], tokens)]
        metrics.update({name: [mean] for name, mean in self._means.drain().items()})
        super().log(logs, *args, **kwargs)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        _ = self._base
        super()._load_from_checkpoint(resume_from_checkpoint, model)


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
    fit_tiles(cast("int", model.config.vocab_size))
    score_labelled_only()
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

"""The plain TRL script that `training.py` compares with: one run of LoRA, the same settings, data and grader.

python benchmarks/plain_trl.py <settings.json> <base> <problems.parquet> <out>. Written as TRL's own examples are: the
model and tokenizer from transformers, an adapter of PEFT's, `GRPOTrainer`, `train()`, `save_model()`.
"""

import json
import sys
import time
from pathlib import Path

import pandas as pd
import torch
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, set_seed
from trl import GRPOConfig, GRPOTrainer

from rlvr.plan.targets import TARGET_SETS
from rlvr.prompts import render_prompt
from rlvr.rewards.trl_reward import make_reward


def main(settings: dict, base: str, problems: str, out: Path) -> None:
    """Train and write the adapter, the log and the seconds of the steps."""
    on_cpu = not settings["devices"]
    torch.set_num_threads(1)
    frame = pd.read_parquet(problems)
    prompts = [render_prompt(question, settings["template"]) for question in frame["question"]]
    columns = frame.assign(prompt=prompts)[["prompt", "answer", "verifier", "meta"]]
    tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
    model = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, settings["base_dtype"]))
    set_seed(settings["seed"])
    targets = list(TARGET_SETS[settings["target_modules"]])
    model = get_peft_model(
        model, LoraConfig(r=settings["rank"], lora_alpha=settings["alpha"], target_modules=targets, bias="none")
    )
    accumulation = settings["completions_per_step"] // settings["micro_batch_completions"]
    arguments = GRPOConfig(
        output_dir=str(out), seed=settings["seed"], num_generations=settings["group_size"], beta=settings["kl_beta"],
        epsilon=settings["clip_epsilon"], epsilon_high=settings["clip_epsilon_high"], loss_type=settings["loss_type"],
        scale_rewards=settings["scale_rewards"], temperature=settings["temperature"], top_p=settings["top_p"], top_k=0,
        max_completion_length=settings["max_completion_tokens"], use_cpu=on_cpu, optim=settings["optimizer"],
        per_device_train_batch_size=settings["micro_batch_completions"], gradient_accumulation_steps=accumulation,
        num_train_epochs=settings["epochs"], max_steps=settings["max_steps"] or -1,
        learning_rate=settings["learning_rate"], weight_decay=settings["weight_decay"],
        max_grad_norm=settings["max_grad_norm"], warmup_steps=settings["warmup_fraction"],
        lr_scheduler_type="cosine_with_min_lr",
        lr_scheduler_kwargs={"min_lr_rate": settings["min_learning_rate_ratio"]}, logging_steps=1,
        gradient_checkpointing=settings["gradient_checkpointing"], save_strategy="steps", save_steps=10, report_to=[],
        disable_tqdm=True, dataloader_pin_memory=not on_cpu,
    )  # fmt: skip
    trainer = GRPOTrainer(
        model=model, reward_funcs=make_reward(settings["template"]), args=arguments, processing_class=tokenizer,
        train_dataset=Dataset.from_dict(columns.to_dict("list")),
    )  # fmt: skip
    started = time.perf_counter()
    trainer.train()
    trainer.save_model(str(out / "adapter"))
    log = [entry for entry in trainer.state.log_history if "step_time" in entry]
    found = {"train_s": time.perf_counter() - started, "steps": len(log), "log": log}
    (out / "plain.json").write_text(json.dumps(found))


if __name__ == "__main__":
    given, *rest = sys.argv[1:]
    main(json.loads(Path(given).read_text(encoding="utf-8")), rest[0], rest[1], Path(rest[2]))

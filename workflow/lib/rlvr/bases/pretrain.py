"""Pre-training of the tiny bases: a rule that always ends in the same weights, on one thread of one kind of CPU.

The corpus is noisy on purpose. Part of the answers are wrong and part of the completions break the format, so that
the right answer in the right format is the mode of the base, and reinforcement learning can sharpen it.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rlvr.bases.architectures import tiny_config
from rlvr.bases.program_texts import draw_program
from rlvr.bases.puzzle_texts import draw_solution
from rlvr.bases.tokenizer import EOS, build_tokenizer
from rlvr.core.io import atomic_folder, sha256_file, write_json
from rlvr.core.provenance import package_versions
from rlvr.core.seeds import derive_seed, make_rng
from rlvr.prompts import BOX_OPEN, THINK_CLOSE, render_prompt
from rlvr.synthetic.digits import draw_problem, solve_problem

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

log = logging.getLogger(__name__)

FORMAL_SHARE = 0.25  # of the corpus, in the style of the MATH stand-in
WARMUP_FRACTION = 0.1
MAX_GRAD_NORM = 1.0
LOG_EVERY_STEPS = 50
IGNORED = -100  # label of positions without loss, as torch's cross entropy defines it


@dataclass(frozen=True)
class PretrainSettings:
    """Everything that decides a base's weights: the scale's ``pretrain`` block, and the model's architecture and steps.

    Attributes:
        architecture: One of ``rlvr.bases.architectures.ARCHITECTURES``.
        steps: Optimizer steps.
        template: Name of the prompt template, as training and evaluation use it.
        sequences_per_step: Prompts with completion in one step.
        peak_learning_rate: Peak of the one-cycle schedule.
        wrong_answer_share: Share of completions whose final answer is wrong.
        incomplete_format_share: Share of completions that break the format.
        seed: Decides initial weights and corpus.
    """

    architecture: str
    steps: int
    template: str
    sequences_per_step: int
    peak_learning_rate: float
    wrong_answer_share: float
    incomplete_format_share: float
    seed: int


def pretrain_base(settings: PretrainSettings, out_dir: str | Path, corpus: str = "digits") -> None:
    """Pre-train a tiny base and write it to ``out_dir`` in Hugging Face layout, with ``model.json``.

    The folder appears whole or not at all. Equal settings give the same bytes of weights on the same machine.

    Args:
        settings: What decides the weights, but for the corpus.
        out_dir: Folder of the model.
        corpus: Name in ``CORPORA``.
    """
    tokenizer = build_tokenizer()
    with single_thread(derive_seed(settings.seed, "initial weights")):
        model = build_model(settings.architecture, tokenizer)
        tokens = train_on_corpus(model, tokenizer, settings, corpus)
    with atomic_folder(out_dir) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        write_json({**describe(model, settings, tokens, folder), "corpus": corpus}, folder / "model.json")


def describe(model: "PreTrainedModel", settings: PretrainSettings, tokens: int, folder: Path) -> dict[str, Any]:
    """Content of ``model.json``; ``pretraining_tokens`` counts every token seen, ``parameters`` tied ones once."""
    return {
        "kind": "pretrained",
        "architecture": settings.architecture,
        "parameters": model.num_parameters(),
        "pretraining_tokens": tokens,
        "steps": settings.steps,
        "seed": settings.seed,
        "settings": asdict(settings),
        "weights_sha256": {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))},
        "packages": package_versions(),
    }


@contextmanager
def single_thread(seed: int) -> Iterator[None]:
    """One torch thread and torch's generator seeded, both put back afterwards: sums in a fixed order."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def build_model(architecture: str, tokenizer: "PreTrainedTokenizerBase") -> "PreTrainedModel":
    """A tiny model with fresh weights from torch's current generator."""
    from transformers import AutoModelForCausalLM, GenerationConfig

    model = AutoModelForCausalLM.from_config(tiny_config(architecture, tokenizer))
    model.generation_config = GenerationConfig(
        pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id
    )
    return model


def train_on_corpus(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", settings: PretrainSettings, corpus: str = "digits"
) -> int:
    """Train in place on a fresh batch of the corpus each step; returns the number of tokens seen (no padding)."""
    import torch

    optimizer = torch.optim.AdamW(
        model.parameters(), lr=settings.peak_learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, settings.peak_learning_rate, total_steps=settings.steps + 1, pct_start=WARMUP_FRACTION
    )
    rng = make_rng(settings.seed, "corpus")
    tokens = 0
    model.train()
    for step in range(1, settings.steps + 1):
        ids, labels = make_batch(tokenizer, settings, rng, corpus)
        loss = completion_loss(model, ids, labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), MAX_GRAD_NORM)
        optimizer.step()
        schedule.step()
        tokens += int((ids != tokenizer.pad_token_id).sum())
        if step % LOG_EVERY_STEPS == 0 or step == settings.steps:
            log.info("step %d of %d: loss %.3f nats per token", step, settings.steps, loss.item())
    return tokens


def completion_loss(model: "PreTrainedModel", ids: "torch.Tensor", labels: "torch.Tensor") -> "torch.Tensor":
    """Mean cross entropy in nats over the completions' tokens; ids and labels are (sequences, tokens)."""
    import torch

    # Padding stands on the right, where causal attention cannot see it: no mask is needed.
    logits = model(input_ids=ids, use_cache=False).logits
    return torch.nn.functional.cross_entropy(
        logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), ignore_index=IGNORED
    )


def make_batch(
    tokenizer: "PreTrainedTokenizerBase", settings: PretrainSettings, rng: np.random.Generator, corpus: str = "digits"
) -> tuple["torch.Tensor", "torch.Tensor"]:
    """Token ids and labels, (sequences, tokens), padded on the right; prompts and padding carry no loss."""
    import torch

    pairs = [CORPORA[corpus](settings, rng) for _ in range(settings.sequences_per_step)]
    prompts = tokenizer([prompt for prompt, _ in pairs]).input_ids
    completions = tokenizer([completion for _, completion in pairs]).input_ids
    width = max(len(prompt) + len(completion) for prompt, completion in zip(prompts, completions, strict=True))
    ids = torch.full((len(pairs), width), tokenizer.pad_token_id)
    labels = torch.full((len(pairs), width), IGNORED)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        end = len(prompt) + len(completion)
        ids[row, :end] = torch.tensor(prompt + completion)
        labels[row, len(prompt) : end] = torch.tensor(completion)
    return ids, labels


def draw_text(settings: PretrainSettings, rng: np.random.Generator) -> tuple[str, str]:
    """A prompt and a completion of the corpus, the completion with its end token."""
    problem = draw_problem(rng)
    style = "formal" if rng.random() < FORMAL_SHARE else "plain"
    solution = solve_problem(problem)
    answer = solution.answer
    if rng.random() < settings.wrong_answer_share:
        answer = spoil_answer(answer, rng)
    completion = f"{solution.trace}{THINK_CLOSE}{BOX_OPEN}{answer}}}"
    if rng.random() < settings.incomplete_format_share:
        completion = break_format(solution.trace, answer, rng)
    return render_prompt(problem.question(style), settings.template), completion + EOS


def draw_puzzle_text(settings: PretrainSettings, rng: np.random.Generator) -> tuple[str, str]:
    """A prompt and a completion about a puzzle, the completion with its end token."""
    prompt, completion = draw_solution(settings.wrong_answer_share, settings.incomplete_format_share, rng)
    return render_prompt(prompt, settings.template), completion + EOS


def draw_program_text(settings: PretrainSettings, rng: np.random.Generator) -> tuple[str, str]:
    """A prompt and a completion about a one-line program, the completion with its end token."""
    prompt, completion = draw_program(settings.wrong_answer_share, settings.incomplete_format_share, rng)
    return render_prompt(prompt, settings.template), completion + EOS


def spoil_answer(answer: str, rng: np.random.Generator) -> str:
    """The answer with one digit replaced by another: each wrong answer is rarer than the right one."""
    place = int(rng.integers(len(answer)))
    other = rng.choice([digit for digit in "123456789" if digit != answer[place]])
    return answer[:place] + str(other) + answer[place + 1 :]


def break_format(trace: str, answer: str, rng: np.random.Generator) -> str:
    """A completion that breaks one rule of the format; the last two may still be graded correct."""
    boxed = f"{BOX_OPEN}{answer}}}"
    broken = (
        f"{trace}{THINK_CLOSE}{answer}",  # no box
        f"{THINK_CLOSE}{boxed}",  # no thought
        f"{trace}{boxed}",  # thinking never ends
        f"{trace}{THINK_CLOSE}{boxed}\nUser:",  # the user's turn, simulated
    )
    return str(rng.choice(broken))


CORPORA = {"digits": draw_text, "puzzles": draw_puzzle_text, "programs": draw_program_text}

"""Supervised fine-tuning of a small base, as the released models that were tuned before went through it.

The texts are those of pre-training with fewer errors, in a chat template that the tokenizer then carries: a model that
answers in one form and is usually right, as a distilled or an instructed one is.
"""

from dataclasses import asdict, dataclass
from pathlib import Path

from rlvr.bases.chat import check_chat, set_chat_template
from rlvr.bases.loading import load_base, load_tokenizer
from rlvr.bases.pretrain import PretrainSettings, single_thread, train_on_corpus
from rlvr.core.io import atomic_folder, read_json, sha256_file, write_json
from rlvr.core.provenance import package_versions
from rlvr.core.seeds import derive_seed


@dataclass(frozen=True)
class TuneSettings:
    """Everything that decides a tuned model, beside the base: the scale's ``tune`` block, and the model's own entries.

    Attributes:
        steps: Optimizer steps.
        template: Name of a chat template of ``rlvr.prompts``.
        seed: Decides the texts.
        sequences_per_step: Prompts with completion in one step.
        peak_learning_rate: Peak of the one-cycle schedule.
        wrong_answer_share: Share of completions whose final answer is wrong.
        incomplete_format_share: Share of completions that break the format.
    """

    steps: int
    template: str
    seed: int
    sequences_per_step: int
    peak_learning_rate: float
    wrong_answer_share: float
    incomplete_format_share: float


def tune_base(base_dir: str | Path, settings: TuneSettings, out_dir: str | Path) -> None:
    """Fine-tune an installed small base and write the result to ``out_dir``, with a ``model.json`` of its own.

    The loss is the cross entropy of the completions' tokens, prompts carry none. Equal settings give the same bytes of
    weights on the same machine.

    Args:
        base_dir: Folder of the base.
        settings: What decides the result.
        out_dir: Folder of the model; appears whole or not at all.

    Raises:
        InputError: If the base is not usable, or the template is no chat template.
    """
    tokenizer, model = load_tokenizer(base_dir), load_base(base_dir)
    before = read_json(Path(base_dir) / "model.json")
    set_chat_template(tokenizer, settings.template)
    check_chat(tokenizer, settings.template, out_dir)
    texts = PretrainSettings(architecture=str(before["architecture"]), **asdict(settings))
    with single_thread(derive_seed(settings.seed, "tuning")):
        tokens = train_on_corpus(model, tokenizer, texts)
    with atomic_folder(out_dir) as folder:
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        content = {
            "kind": "tuned",
            "from": before["weights_sha256"],
            "architecture": before["architecture"],
            "parameters": model.num_parameters(),
            "pretraining_tokens": before["pretraining_tokens"],
            "tuning_tokens": tokens,
            "settings": asdict(settings),
            "weights_sha256": {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))},
            "packages": package_versions(),
        }
        write_json(content, folder / "model.json")

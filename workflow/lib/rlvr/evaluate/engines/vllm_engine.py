"""Sampling with vLLM: the engine of the ``paper`` scale.

ASSUME: written against vLLM 0.31-0.33. Most tests check the arguments that it hands over with a stand-in for the
library; ``tests/vllm_on_cpu`` samples by vLLM on a CPU, where there is an environment with it, ``tests/gpu`` on a GPU.
"""

import shutil
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.core.io import write_json
from rlvr.core.scratch import scratch_folder
from rlvr.core.seeds import derive_seed
from rlvr.evaluate.engines.protocol import FinishReason, Sampled, SamplingSettings
from rlvr.evaluate.precision import Loss, check_lost
from rlvr.weights.tensors import TensorStore

if TYPE_CHECKING:
    from torch import Tensor

PART_BYTES = 2 * 2**30  # of weights that are merged and not written yet
WEIGHT_FILES = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.pth")
FINISH_REASONS: dict[str, FinishReason] = {"stop": "stop", "length": "length"}


class VllmEngine:
    """A base model, or a base with a run's merged weights, which vLLM reads from a temporary folder."""

    def __init__(
        self,
        base_dir: str | Path,
        run_dir: str | Path | None,
        dtype: str,
        max_lost_share: float = 1.0,
        longest: int | None = None,
    ) -> None:
        """Remember what to load; the first call of ``generate`` loads it, for all calls.

        Args:
            base_dir: Base model in Hugging Face layout.
            run_dir: Finished run; ``None``: the base.
            dtype: Name of the type of all weights: vLLM has one for a whole model.
            max_lost_share: A run of whose update rounding removes a larger share is refused.
            longest: Tokens of the longest prompt with its completion, for which memory is kept; the model's own limit,
                many times what a protocol needs, where it is not given.
        """
        self._longest = longest
        self._base_dir, self._run_dir, self._dtype, self._bound = base_dir, run_dir, dtype, max_lost_share
        self.lost_share = 0.0

    @cached_property
    def _engine(self) -> Any:
        """The library with the model loaded.

        Raises:
            InputError: If rounding to ``dtype`` would remove too much of the run's update.
        """
        import vllm

        with scratch_folder("merged") as folder:  # not needed once the weights are on the device
            model_dir = self._base_dir
            if self._run_dir is not None:
                model_dir, self.lost_share = export_merged(self._base_dir, self._run_dir, folder, self._dtype)
                check_lost(self.lost_share, self._bound, Path(self._run_dir).name)
            return vllm.LLM(**engine_arguments(model_dir, self._dtype, self._longest))

    def generate(
        self, prompts_P: list[str], settings: SamplingSettings, seed: int, first: int = 0
    ) -> list[list[Sampled]]:
        """See ``SplittingEngine.generate``. Every completion is a request with a seed of its own."""
        import vllm

        count = settings.samples_per_problem
        requests = [(index, sample) for index in range(len(prompts_P)) for sample in range(count)]
        parameters = [
            vllm.SamplingParams(**sampling_arguments(settings, derive_seed(seed, first + index, sample)))
            for index, sample in requests
        ]
        outputs = self._engine.generate([prompts_P[index] for index, _ in requests], parameters, use_tqdm=False)
        completions = [read_output(output) for output in outputs]
        return [completions[start : start + count] for start in range(0, len(completions), count)]


def engine_arguments(model_dir: str | Path, dtype: str, longest: int | None = None) -> dict[str, Any]:
    """Arguments of ``vllm.LLM``; ``generation_config="vllm"`` keeps the model's own sampling defaults out.

    The engine's own seed decides nothing: every request has one.
    """
    return {
        "max_model_len": longest,
        "model": str(model_dir),
        "dtype": dtype,
        "seed": 0,
        "generation_config": "vllm",
        "trust_remote_code": False,
    }


def sampling_arguments(settings: SamplingSettings, seed: int) -> dict[str, Any]:
    """Arguments of ``vllm.SamplingParams`` for one completion, every field that changes the distribution included.

    ``n`` stays 1: completions of one request with one seed would all be the same.
    """
    return {
        "n": 1,
        "seed": seed,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "top_k": 0,
        "min_p": 0.0,
        "presence_penalty": 0.0,
        "frequency_penalty": 0.0,
        "repetition_penalty": 1.0,
        "max_tokens": settings.max_completion_tokens,
        "min_tokens": 0,
        "ignore_eos": False,
        "skip_special_tokens": True,
    }


def read_output(output: Any) -> Sampled:
    """The one completion of a vLLM request.

    Raises:
        InputError: If vLLM gave the request up (``abort``): its text would count as an answer.
    """
    (drawn,) = output.outputs
    if drawn.finish_reason not in FINISH_REASONS:
        raise InputError("vLLM", f"ended a completion with reason {drawn.finish_reason!r}.", "Sample the run again.")
    return Sampled(drawn.text, len(drawn.token_ids), FINISH_REASONS[drawn.finish_reason])


def export_merged(base_dir: str | Path, run_dir: str | Path, folder: str | Path, dtype: str) -> tuple[Path, float]:
    """Write the tuned model as a plain folder: the base's configuration and tokenizer, merged weights in ``dtype``.

    Weights are merged one at a time and written in parts, so that a part of the model is held and never all of it.

    Returns:
        The folder, in Hugging Face layout, and the share of the update that rounding to ``dtype`` removed.
    """
    import torch

    from rlvr.weights.updates import iterate_tuned

    shutil.copytree(base_dir, folder, ignore=shutil.ignore_patterns(*WEIGHT_FILES), dirs_exist_ok=True)
    base, loss, kind = TensorStore(base_dir), Loss(dtype), getattr(torch, dtype)
    part: dict[str, torch.Tensor] = {}
    places: dict[str, str] = {}
    for name, tensor in iterate_tuned(base_dir, run_dir):
        if name in base.names:
            loss.add(base.read(name), tensor)
        if sum(map(_bytes_of, part.values())) + tensor.numel() * kind.itemsize > PART_BYTES:
            places |= _write_part(part, Path(folder), len(set(places.values())))
            part = {}
        part[name] = tensor.to(kind, copy=True).contiguous()
    places |= _write_part(part, Path(folder), len(set(places.values())))
    if len(set(places.values())) == 1:
        Path(folder, *set(places.values())).rename(Path(folder) / "model.safetensors")
    else:
        write_json({"metadata": {}, "weight_map": places}, Path(folder) / "model.safetensors.index.json")
    return Path(folder), loss.share


def _bytes_of(tensor: "Tensor") -> int:
    return tensor.numel() * tensor.element_size()


def _write_part(part: "dict[str, Tensor]", folder: Path, number: int) -> dict[str, str]:
    """Write a part of a model and return the file of each of its tensors."""
    from safetensors.torch import save_file

    file = f"model-{number:05d}.safetensors"
    save_file(part, folder / file, metadata={"format": "pt"})
    return dict.fromkeys(part, file)

"""Samples in parts: whoever draws them, and however often he is stopped, the table is that of one job."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_runs import write_inputs

from rlvr.core.errors import InputError
from rlvr.core.io import read_json, sha256_file, write_table
from rlvr.evaluate import parts as parts_module
from rlvr.evaluate.engines.protocol import SamplingSettings
from rlvr.evaluate.parts import FOLDER, PART_COMPLETIONS, share_of, split
from rlvr.evaluate.sampling import sample_file
from rlvr.tables import PROBLEMS

K, RUN = 3, "run"
SETTINGS = SamplingSettings(
    samples_per_problem=K, temperature=1.0, top_p=1.0, max_completion_tokens=8, batch_completions=4, seed=0,
    template="compact", device="cuda", engine="vllm",
)  # fmt: skip


@given(st.integers(1, 400), st.integers(1, 64), st.integers(1, 9))
def test_parts_are_a_division_of_the_problems(problems, samples, shards):
    parts = split(problems, samples, shards)
    assert [place for part in parts for place in part] == list(range(problems))
    assert len({len(part) for part in parts}) <= 2 and max(map(len, parts)) - min(map(len, parts)) <= 1
    assert all(len(part) == 1 or len(part) * samples <= PART_COMPLETIONS + samples for part in parts)
    assert len(parts) >= min(shards, problems)
    shares = [list(share_of(parts, shards, shard)) for shard in range(shards)]
    assert sorted((part for share in shares for part in share), key=lambda part: part.start) == parts
    assert list(share_of(parts, shards, None)) == parts


class Library:
    """In vLLM's place: a completion is its request's prompt and seed; ends with an error when its calls are used up."""

    def __init__(self) -> None:
        self.SamplingParams = SimpleNamespace
        self.drawn, self.calls = 0, 10**6

    def LLM(self, **arguments: object) -> "Library":
        return self

    def generate(self, prompts: list[str], parameters: list[SimpleNamespace], use_tqdm: bool) -> list[SimpleNamespace]:
        if not self.calls:
            raise RuntimeError("the node is gone")
        self.calls -= 1
        self.drawn += len(prompts)
        texts = [f"{prompt} {each.seed}" for prompt, each in zip(prompts, parameters, strict=True)]
        return [
            SimpleNamespace(outputs=[SimpleNamespace(text=text, token_ids=[1] * 4, finish_reason="stop")])
            for text in texts
        ]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(__import__("sys").modules, "vllm", library)
    monkeypatch.setattr(parts_module, "PART_COMPLETIONS", 2 * K)
    return library


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A base, seven problems of one benchmark and three of another."""
    folder = write_inputs(tmp_path_factory.mktemp("inputs"))
    problems = pd.read_parquet(folder / "train.parquet")
    for name, count in (("a", 7), ("b", 3)):
        write_table(problems.head(count), folder / f"{name}.parquet", PROBLEMS)
    return folder


def draw(inputs: Path, out: Path, settings: SamplingSettings = SETTINGS, **sharing: int) -> Path:
    """Sample both benchmarks and return the table."""
    table = out / "samples.parquet"
    sample_file(
        {name: inputs / f"{name}.parquet" for name in "ab"}, inputs / "base", None, RUN,
        {"a": settings, "b": replace(settings, samples_per_problem=1)}, table, out / "samples.json", **sharing,
    )  # fmt: skip
    return table


def test_shares_of_several_jobs_are_the_table_of_one(inputs: Path, tmp_path: Path, library: Library) -> None:
    whole = draw(inputs, tmp_path / "whole")
    assert library.drawn == 7 * K + 3
    table = pd.read_parquet(whole)
    assert table["text"].is_unique and list(table["benchmark"].unique()) == ["a", "b"]
    library.drawn = 0
    for shard in (2, 0, 1):
        draw(inputs, tmp_path / "shared", shards=3, shard=shard)
        assert not (tmp_path / "shared" / "samples.parquet").exists()
    assert library.drawn == 7 * K + 3
    library.calls = 0
    shared = draw(inputs, tmp_path / "shared", shards=3)
    assert sha256_file(shared) == sha256_file(whole)
    assert read_json(tmp_path / "shared" / "samples.json") == read_json(tmp_path / "whole" / "samples.json")
    assert not (tmp_path / "shared" / FOLDER).exists()
    draw(inputs, tmp_path / "shared", shards=5, shard=4)  # samples that are there are not shared out once more


@pytest.mark.parametrize("calls", range(1, 5))
def test_a_killed_job_goes_on_behind_its_last_part(
    inputs: Path, tmp_path: Path, library: Library, calls: int, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = sha256_file(draw(inputs, tmp_path / "whole"))
    library.drawn, library.calls = 0, calls
    with pytest.raises(RuntimeError, match="the node is gone"):
        draw(inputs, tmp_path / "killed")
    assert "tokens/s" in capfd.readouterr().err
    library.calls = 10**6
    assert sha256_file(draw(inputs, tmp_path / "killed")) == whole
    assert library.drawn == 7 * K + 3


def test_parts_of_other_settings_are_not_taken(inputs: Path, tmp_path: Path, library: Library) -> None:
    library.calls = 2
    with pytest.raises(RuntimeError, match="the node is gone"):
        draw(inputs, tmp_path / "out")
    library.drawn, library.calls = 0, 10**6
    draw(inputs, tmp_path / "out", replace(SETTINGS, temperature=0.5))
    assert library.drawn == 7 * K + 3


def test_an_engine_of_one_stream_shares_nothing(inputs: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"resources\.sample\.shards.*draws a benchmark from one stream"):
        draw(inputs, tmp_path, replace(SETTINGS, engine="transformers", device="cpu"), shards=2, shard=0)

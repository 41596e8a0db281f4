"""Read and curate full-size stand-ins, beside the same filter written plainly with datasets and with pandas.

The peers do what a script would: read the files, apply the published filter, drop repeated questions. Ours does the
same through the readers and filters that the workflow uses; a last line each adds what the workflow's two rules do
besides (checksums, schema checks, splits, card), where the target of two gigabytes is the peer.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from harness import Measured, Row, faster, measure, report
from stand_ins import write_dapo, write_deepmath, write_enigmata, write_skywork

from rlvr.data.curation import curate, curate_files, read_source
from rlvr.data.curation_recipe import CurationRecipe
from rlvr.data.fetching import Origin, fetch_source
from rlvr.data.filters import normalise_question
from rlvr.data.readers import get_reader
from rlvr.data.readers.transforms import clean_gold
from rlvr.data.tabular import collect_rows, open_rows
from rlvr.plan.sources import Source, load_registry

ROOT = Path(__file__).resolve().parents[1]
REGISTRY, SCALE = ROOT / "data" / "sources.csv", ROOT / "workflow" / "scales" / "paper.yaml"
MEMORY_TARGET_GIB = 2.0
JUDGE, SUBSET = "DeepSeek-R1-Distill-Qwen-32B", "train-math-deepscaler"

NEEDED = {
    "deepmath-103k": ["question", "final_answer", "difficulty", "topic"],
    "skywork-or1": ["data_source", "prompt", "reward_model", "extra_info"],
    "dapo-math-17k": ["prompt", "reward_model", "extra_info"],
}


@dataclass(frozen=True)
class Case:
    """One data set: its source, how its stand-in is written, and the published threshold."""

    source: str
    write: Callable[[Source, Path, np.random.Generator], None]
    minimum_difficulty: float | None


CASES = (
    Case("deepmath-103k", write_deepmath, 8.5),
    Case("skywork-or1", write_skywork, 13),
    Case("dapo-math-17k", write_dapo, None),
)


def find_source(name: str) -> Source:
    """The registry's row, for a mirror that holds copies of the release under other checksums."""
    return replace(load_registry(REGISTRY)[name], sha256=(), mirror_files=())


def files_of(name: str, folder: Path) -> list[Path]:
    """The stand-in's files."""
    source = find_source(name)
    return [folder / source.repository / file for file in source.files]


def write_stand_in(case: Case, folder: Path) -> None:
    """Write one stand-in."""
    case.write(find_source(case.source), folder, np.random.default_rng(0))


def recipe_of(name: str, minimum: float | None) -> CurationRecipe:
    """The published filter, nothing else."""
    return CurationRecipe(name, minimum, eval_problems=256, max_train_problems=None, seed=0)


def enigmata_recipe() -> CurationRecipe:
    """The settings of scale paper: the stratified draw."""
    settings = yaml.safe_load(SCALE.read_text())["datasets"]["enigmata-10k"]
    names = {entry.name for entry in fields(CurationRecipe)} & set(settings)
    given = {name: settings[name] for name in names} | {"max_train_problems": None, "seed": 0}
    return CurationRecipe.from_config("enigmata-10k", given)


def draw_by_rules(folder: Path) -> int:
    """Both rules: reading file by file, the draw, tables and card; returns the sample's size."""
    return run_rules("enigmata-data", enigmata_recipe(), folder)


def draw_enigmata(folder: Path) -> int:
    """Readers and the draw without card; returns the sample's size."""
    source = find_source("enigmata-data")
    return len(curate_paths(source, sorted((folder / source.repository).glob(source.files[0])), enigmata_recipe()))


def sample_enigmata(folder: Path) -> int:
    """Peer of our stratified draw of Enigmata, as a script: every cell sampled by weight, so margins are not exact."""
    lines = [line for path in folder.glob("*/*/*/en/train.jsonl") for line in path.read_text().splitlines()]
    rows = pd.DataFrame([json.loads(line) for line in lines])
    rows = rows[~rows["task_name"].isin(["arc_agi", "pattern_recognition", "symbol_pattern"])]
    records = [json.loads(meta) if isinstance(meta, str) else meta for meta in rows["meta"]]
    for record in records:
        if isinstance(record["question"], str):
            record["question"] = json.loads(record["question"])
    rows["level"] = [record["difficulty_level"].replace("unknown", "hard") for record in records]
    rows["meta"] = [json.dumps(record, sort_keys=True) for record in records]
    rows["answer"] = [answer if isinstance(answer, str) else json.dumps(answer) for answer in rows["answer"]]
    wanted = {"easy": 2930, "medium": 3381, "hard": 3689}
    shares = pd.Series({name: number / (rows["level"] == name).sum() for name, number in wanted.items()})
    cells = [cell.sample(round(len(cell) * shares[level])) for (level, _), cell in rows.groupby(["level", "task_name"])]
    return len(pd.concat(cells))


def ours(name: str, minimum: float | None, folder: Path) -> int:
    """Readers and filters of the workflow; returns the number of problems."""
    return len(curate_paths(find_source(name), files_of(name, folder), recipe_of(name, minimum)))


def curate_paths(source: Source, paths: Sequence[Path], recipe: CurationRecipe) -> pd.DataFrame:
    """The problems that a recipe keeps of these files."""
    reader = get_reader(source.reader)
    files = [(str(path), open_rows(path, reader)) for path in paths]
    with tempfile.TemporaryDirectory() as scratch:
        collect_rows(files, reader, Path(scratch) / "rows.parquet", source.name)
        provenance = {"reader": source.reader, "source": source.name, "files": []}
        problems = read_source(Path(scratch) / "rows.parquet", provenance, source.name)
    return curate(problems, recipe, reader.sentinels).kept


def whole_rules(name: str, minimum: float | None, folder: Path) -> int:
    """Everything that fetch_source and curate_dataset do; returns the number of problems."""
    return run_rules(name, recipe_of(name, minimum), folder)


def run_rules(name: str, recipe: CurationRecipe, folder: Path) -> int:
    """Fetch from the stand-in and curate; returns the number of problems."""
    with tempfile.TemporaryDirectory() as scratch:
        rows, provenance, train, held_out, card = (
            Path(scratch) / file for file in ("rows.parquet", "rows.json", "train.parquet", "eval.parquet", "card.json")
        )
        fetch_source(find_source(name), Origin("mirror", mirror_dir=str(folder)), rows, provenance)
        curate_files([rows], [provenance], recipe, train, held_out, card)
        return sum(split["problems"] for split in json.loads(card.read_text())["splits"].values())


def with_pandas(name: str, _minimum: float | None, folder: Path) -> int:
    """Filter a data set with pandas, plainly: read whole files, then filter; the number of rows kept."""
    return _filter_frame(name, pd.concat([pd.read_parquet(path) for path in files_of(name, folder)]))


def with_pandas_columns(name: str, _minimum: float | None, folder: Path) -> int:
    """Filter a data set with pandas, reading only the columns that the filter needs; the number of rows kept."""
    columns = NEEDED[name]
    return _filter_frame(name, pd.concat([pd.read_parquet(path, columns=columns) for path in files_of(name, folder)]))


def _filter_frame(name: str, rows: pd.DataFrame) -> int:
    if name == "deepmath-103k":
        rows = rows[rows["difficulty"] >= 8.5]
        golds = rows["final_answer"].map(clean_gold)
    else:
        if name == "skywork-or1":
            rows = rows[rows["data_source"] == SUBSET]
            rows = rows[rows["extra_info"].map(lambda extra: extra["model_difficulty"][JUDGE]) >= 13]
            golds = rows["reward_model"].map(lambda model: clean_gold(json.loads(model["ground_truth"])[0]))
        else:
            rows = rows[~rows["extra_info"].map(lambda extra: extra["index"]).duplicated()]
            golds = rows["reward_model"].map(lambda model: clean_gold(model["ground_truth"]))
        rows = rows.assign(question=rows["prompt"].map(lambda turns: turns[0]["content"]))
    rows = rows[(rows["question"] != "") & (golds != "")]
    return len(rows[~rows["question"].map(normalise_question).duplicated()])


def with_datasets(name: str, _minimum: float | None, folder: Path) -> int:
    """Filter a data set with datasets.filter, from files to rows, its cache in a temporary folder; rows kept."""
    import datasets

    datasets.disable_progress_bars()
    seen: set[str] = set()
    indexes: set[str] = set()

    def is_new(value: str, known: set[str]) -> bool:
        before = len(known)
        known.add(value)
        return len(known) > before

    with tempfile.TemporaryDirectory(dir=folder) as cache:
        files = [str(path) for path in files_of(name, folder)]
        rows = datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=cache)
        if name == "deepmath-103k":
            rows = rows.filter(lambda difficulty: difficulty >= 8.5, input_columns="difficulty")
            rows = rows.filter(lambda question: is_new(normalise_question(question), seen), input_columns="question")
        else:
            if name == "skywork-or1":
                rows = rows.filter(lambda kind: kind == SUBSET, input_columns="data_source")
                rows = rows.filter(lambda extra: extra["model_difficulty"][JUDGE] >= 13, input_columns="extra_info")
            else:
                rows = rows.filter(lambda extra: is_new(extra["index"], indexes), input_columns="extra_info")
            rows = rows.filter(
                lambda turns: is_new(normalise_question(turns[0]["content"]), seen), input_columns="prompt"
            )
        return len(rows.to_pandas())


def compare(case: Case, folder: Path) -> list[Row]:
    """Ours beside the peers, and both rules beside the memory target; all must keep the same number of problems."""
    measure(write_stand_in, case, folder)
    arguments = (case.source, case.minimum_difficulty, folder)
    mine, whole = measure(ours, *arguments, repeat=2), measure(whole_rules, *arguments)
    peers = {name: measure(function, *arguments, repeat=2) for name, function in PEERS.items()}
    kept = {measured.value for measured in (mine, whole, *peers.values())}
    if len(kept) != 1:
        raise AssertionError(f"{case.source}: different numbers of problems: {sorted(kept)}")
    rows = []
    for name, peer in peers.items():
        rows.append(faster(f"{case.source}: time", mine, peer, name))
        rows.append(_memory(f"{case.source}: memory", mine, peer.peak_memory_gib, name))
    rows.append(_memory(f"{case.source}: both rules, {whole.seconds:.1f} s", whole, MEMORY_TARGET_GIB, "target"))
    return rows


def compare_draw(folder: Path) -> list[Row]:
    """The Enigmata draw beside a script whose margins are not exact, and both rules beside the memory target."""
    write_enigmata(find_source("enigmata-data"), folder, np.random.default_rng(0))
    mine, whole = measure(draw_enigmata, folder, repeat=2), measure(draw_by_rules, folder)
    peer = measure(sample_enigmata, folder, repeat=2)
    if (mine.value, whole.value) != (10_000, 10_000) or abs(peer.value - 10_000) > 100:
        raise AssertionError(f"drawn: {mine.value}, {whole.value}, {peer.value}")
    return [
        faster("enigmata-data: time", mine, peer, "pandas, cells by weight"),
        _memory("enigmata-data: memory", mine, peer.peak_memory_gib, "pandas, cells by weight"),
        _memory(f"enigmata-data: both rules, {whole.seconds:.1f} s", whole, MEMORY_TARGET_GIB, "target"),
    ]


def _memory(case: str, measured: Measured, peer: float, peer_name: str) -> Row:
    used = measured.peak_memory_gib
    return Row(case, used, peer, peer_name, peer / used, "GiB", used)


PEERS = {
    "pandas, whole files": with_pandas,
    "pandas, named columns": with_pandas_columns,
    "datasets.filter": with_datasets,
}


def main() -> None:
    """Measure every case, one stand-in on the disk at a time."""
    rows: list[Row] = []
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            rows += compare(case, Path(folder))
    with tempfile.TemporaryDirectory() as folder:
        rows += compare_draw(Path(folder))
    report("curation", rows)


if __name__ == "__main__":
    main()

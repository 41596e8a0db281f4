"""Everything under a scale's results, hashed anew and compared with what was recorded when it was made."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from rlvr.core.digests import TRAINED_ON, digest_problems, digest_rows
from rlvr.core.errors import InputError
from rlvr.core.io import read_json, read_table, sha256_file
from rlvr.core.joblog import announce
from rlvr.core.seals import SEAL, first_difference, run_digests, seal, sealed_facts
from rlvr.plan.freshness import deciding_settings, find_differences
from rlvr.tables import METRICS, PROBLEMS

RECORD, RECORDED = ".finished", ("run.json", "metrics.parquet")  # what training seals at its end, beside the run
OF_SAMPLES = ("samples.parquet", "grades.parquet", "scores.parquet", "answers.parquet")  # of one run on one suite
SPLITS = ("train", "eval")


class State(Enum):
    """What became of something since it was recorded."""

    WHOLE = "whole"
    MISSING = "missing"  # never made, or deleted: the workflow makes it again
    STALE = "stale"  # made with other settings, problems or another base than today's
    CHANGED = "changed"  # its bytes are not those that were recorded, or it cannot be read
    UNRECORDED = "unrecorded"  # nothing was recorded that it could be compared with


BROKEN = frozenset({State.STALE, State.CHANGED})


@dataclass(frozen=True)
class Finding:
    """State of one result.

    Attributes:
        kind: base, data, run, samples or paper.
        name: Model, data set, run, run and suite, or study.
        state: What became of it.
        detail: The first thing that is wrong, in words; empty where nothing is.
    """

    kind: str
    name: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Expected:
    """What the configuration asks for.

    Attributes:
        models: Names of the scale's models.
        specs: Resolved settings of the selected runs, by run id.
        model_of: Base of each run and of each untrained base that is evaluated.
        suites: Suites on which each of them is evaluated.
        studies: Selected studies.
    """

    models: Sequence[str]
    specs: Mapping[str, Mapping[str, Any]]
    model_of: Mapping[str, str]
    suites: Mapping[str, Sequence[str]]
    studies: Sequence[str]


def verify(results: Path, expected: Expected) -> Iterator[Finding]:
    """Check the bases, data sets, runs, samples and papers under ``results``, one at a time.

    Args:
        results: Folder of a scale's results.
        expected: What should be there.
    """
    for model in expected.models:
        yield _guarded("base", model, lambda model=model: verify_base(results / "models" / model))
    datasets = {settings["dataset"] for settings in expected.specs.values()}
    for dataset in sorted(datasets.union(path.parent.name for path in results.glob("data/*/card.json"))):
        yield _guarded("data", dataset, lambda dataset=dataset: verify_data(results / "data" / dataset))
    for run_id, settings in expected.specs.items():
        base, data = results / "models" / expected.model_of[run_id], results / "data" / settings["dataset"]
        run = results / "train" / run_id
        yield _guarded(
            "run",
            run_id,
            lambda run=run, settings=settings, base=base, data=data: verify_run(run, settings, base, data),
        )
    for run_id, suites in expected.suites.items():
        for suite in suites:
            folder, run = results / "evaluate" / run_id / suite, results / "train" / run_id
            yield _guarded("samples", f"{run_id}, {suite}", lambda folder=folder, run=run: verify_samples(folder, run))
    for study in expected.studies:
        yield _guarded("paper", study, lambda study=study: verify_paper(results / "paper" / study, results))


def verify_base(folder: Path) -> tuple[State, str]:
    """A base against the digests that its ``model.json`` states."""
    if not (folder / "model.json").is_file():
        return State.MISSING, ""
    recorded = read_json(folder / "model.json").get("weights_sha256")
    if not recorded:
        return State.UNRECORDED, "model.json states no digests"
    found = {path.name: sha256_file(path) for path in sorted(folder.glob("*.safetensors"))}
    difference = first_difference(recorded, found)
    return (State.CHANGED, difference) if difference else (State.WHOLE, "")


def verify_run(run: Path, settings: Mapping[str, Any], base: Path, data: Path) -> tuple[State, str]:
    """A run against its manifest, and its manifest against today's settings, problems and base."""
    if not (run / "run.json").is_file():
        return State.MISSING, ""
    manifest = read_json(run / "run.json")
    if differences := find_differences(manifest["settings"], deciding_settings(settings)):
        return State.STALE, f"trained with {'; '.join(differences)}"
    read_table(run / "metrics.parquet", METRICS)
    if stale := _other_inputs(manifest["inputs"], base, data):
        return State.STALE, stale
    if "files" not in manifest:
        return State.UNRECORDED, "run.json states no digests of its weights"
    difference = first_difference(manifest["files"], run_digests(run)) or _other_record(run)
    return (State.CHANGED, difference) if difference else (State.WHOLE, "")


def _other_record(run: Path) -> str | None:
    """In which file a run differs from the sealed record of its end; runs of before have none."""
    record = run / RECORD
    if not record.is_dir():
        return None
    sealed_facts(record)
    changed = (name for name in RECORDED if sha256_file(record / name) != sha256_file(run / name))
    return next((f"{name} is not what was recorded when the run ended" for name in changed), None)


def _other_inputs(inputs: Mapping[str, Any], base: Path, data: Path) -> str | None:
    """In which input a run differs from what is there today; what is not there is not compared."""
    if (data / "train.parquet").is_file():
        found = digest_rows(read_table(data / "train.parquet", PROBLEMS), TRAINED_ON)
        if found != inputs["train_sha256"]:
            return f"trained on other problems: digest {inputs['train_sha256']}, today {found}"
    if (base / "model.json").is_file():
        recorded = read_json(base / "model.json").get("weights_sha256", {})
        if recorded != inputs["base_files"]:
            return f"trained from another base: {inputs['base_files']}, today {recorded}"
    return None


def verify_samples(folder: Path, run: Path) -> tuple[State, str]:
    """Samples against the digest in ``samples.json`` and the run's manifest; whose rows its tables hold.

    Args:
        folder: Samples of a run on a suite, with whatever was made from them.
        run: Folder of the run, which an untrained base has none of.
    """
    if not (folder / "samples.json").is_file() or not (folder / "samples.parquet").is_file():
        return State.MISSING, ""
    record = read_json(folder / "samples.json")
    recorded, found = record.get("samples_sha256"), sha256_file(folder / "samples.parquet")
    if recorded is None:
        return State.UNRECORDED, "samples.json states no digest"
    if found != recorded:
        return State.CHANGED, f"SHA-256 {found}, recorded {recorded}"
    weights = _weights_of(run)
    if weights is not None and record.get("weights") not in (None, weights):
        return State.STALE, "drawn from other weights than the run's"
    foreign = _foreign_rows(folder, run.name)
    return (State.CHANGED, foreign) if foreign else (State.WHOLE, "")


def _weights_of(run: Path) -> Any:
    """The digests of a run's weights; ``None`` where there is no manifest, or it is damaged, which the run shows."""
    try:
        return read_json(run / "run.json")["sha256"]
    except (OSError, InputError, KeyError, TypeError):
        return None


def _foreign_rows(folder: Path, run_id: str) -> str:
    """Which of the tables of a run holds rows of another one; empty for none."""
    import pyarrow.parquet as pq

    for name in OF_SAMPLES:
        if (folder / name).is_file():
            others = set(pq.read_table(folder / name, columns=["run_id"])["run_id"].to_pylist()) - {run_id}
            if others:
                return f"{name} is of {sorted(map(str, others))[0]}"
    return ""


def verify_data(folder: Path) -> tuple[State, str]:
    """The splits of a data set against the digests of its card: what is asked, and what is right."""
    there = [name for name in SPLITS if (folder / f"{name}.parquet").is_file()]
    if not there:
        return State.MISSING, ""
    if not (folder / "card.json").is_file():
        return State.UNRECORDED, "it has no card"
    recorded = read_json(folder / "card.json")["splits"]
    for name in there:
        found = digest_problems(read_table(folder / f"{name}.parquet", PROBLEMS))
        if found != recorded[name]["sha256"]:
            return State.CHANGED, f"{name}.parquet has the digest {found}, its card says {recorded[name]['sha256']}"
    return State.WHOLE, ""


def verify_paper(folder: Path, results: Path) -> tuple[State, str]:
    """Tables, figures, numbers and documents of a study against the seal that was set when all of them were there.

    What they were made from must be as it was then, too; evidence that was deleted since is not compared.
    """
    if not (folder / SEAL).is_file():
        return State.MISSING, ""
    recorded = sealed_facts(folder).get("evidence")
    if recorded is None:
        return State.UNRECORDED, "its seal says nothing of what it was made from"
    there = {name: digest for name, digest in recorded.items() if (results / name).is_file()}
    difference = first_difference(there, digests_of(there, results))
    return (State.STALE, f"made from other results: {difference}") if difference else (State.WHOLE, "")


def seal_paper(folder: Path, study: str, results: Path, evidence: Iterable[str]) -> None:
    """Seal a study's folder with the digests of its files, and of those that they were made from.

    Args:
        folder: Of the study, below ``results``.
        study: Its name.
        results: Folder of the scale's results.
        evidence: Files, and folders whose JSON files count (a base: its configuration and its tokenizer; its weights
            have digests of their own). What is not there any more is left out.
    """
    files: set[str] = set()
    for path in map(Path, evidence):
        found = path.glob("*.json") if path.is_dir() else [path] if path.is_file() else []
        files.update(each.relative_to(results).as_posix() for each in found)
    seal(folder, {"study": study, "evidence": digests_of(files, results)})


def digests_of(names: Iterable[str], results: Path) -> dict[str, str]:
    """SHA-256 of files by their paths below a folder."""
    return {name: sha256_file(results / name) for name in sorted(names)}


def _guarded(kind: str, name: str, check: Any) -> Finding:
    """A finding; what cannot be read has changed."""
    try:
        state, detail = check()
    except InputError as error:
        state, detail = State.CHANGED, f"{error.where}: {error.problem}"
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        state, detail = State.CHANGED, f"cannot be read ({type(error).__name__}: {error})"
    return Finding(kind, name, state, detail)


def summary(findings: Sequence[Finding]) -> list[str]:
    """Lines for the terminal: everything that is broken or not there, then a count of each kind and state."""
    lines = [
        f"{found.state.value}: {found.kind} {found.name}{f': {found.detail}' if found.detail else ''}"
        for found in findings
        if found.state is not State.WHOLE
    ]
    counts: dict[str, dict[str, int]] = {}
    for found in findings:
        of_kind = counts.setdefault(found.kind, {})
        of_kind[found.state.value] = of_kind.get(found.state.value, 0) + 1
    return lines + [f"{kind}: {', '.join(f'{n} {state}' for state, n in of.items())}" for kind, of in counts.items()]


def verify_or_fail(results: str | Path, expected: Mapping[str, Any]) -> None:
    """Print what became of all results.

    Args:
        results: Folder of a scale's results.
        expected: Fields of :class:`Expected`.

    Raises:
        InputError: If something has changed since it was recorded, or is stale.
    """
    findings = list(verify(Path(results), Expected(**expected)))
    for line in summary(findings):
        announce(line)
    broken = [found for found in findings if found.state in BROKEN]
    if broken:
        names = json.dumps([f"{found.kind} {found.name}" for found in broken[:5]])
        remedy = "Restore them, or delete their folders and call snakemake again."
        raise InputError(results, f"{len(broken)} results are changed or stale, the first of them {names}.", remedy)

"""Suites: the benchmarks that are sampled together, by the protocol of one study at the sizes of a scale.

Read by the Snakefile at parse time; imports nothing heavy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rlvr.core.errors import InputError
from rlvr.plan.study import Study

PROTOCOL = ("samples_per_problem", "temperature", "top_p", "max_completion_tokens")


@dataclass(frozen=True)
class Suite:
    """Benchmarks that are sampled together, with the model loaded once, by the protocol of one study.

    Attributes:
        name: Folder below ``evaluate/<run_id>``.
        study: Study whose protocol it follows.
        benchmarks: Sampling settings by benchmark: ``samples_per_problem``, ``temperature``, ``top_p``,
            ``max_completion_tokens``.
    """

    name: str
    study: str
    benchmarks: Mapping[str, Mapping[str, Any]]


def make_suites(studies: Sequence[Study], scale: Mapping[str, Any]) -> dict[str, Suite]:
    """The suites of all studies: the scale's groups, and one per benchmark that is in no group.

    Raises:
        InputError: If two studies keep their samples under one name, or a study samples what the scale does not have.
    """
    suites: dict[str, Suite] = {}
    keepers: dict[str, str] = {}
    grouped = {name for members in scale["suites"].values() for name in members}
    for study in studies:
        if (keeper := keepers.setdefault(study.protocol, study.name)) != study.name:
            problem = f"keeps its samples under '{study.protocol}', as study '{keeper}' does."
            raise InputError(study.folder / "study.yaml", problem, "Give it another 'protocol', e.g. the study's name.")
        here = [name for name in study.benchmarks if name in scale["datasets"]]
        groups = {**scale["suites"], **{name: [name] for name in here if name not in grouped}}
        for group, members in groups.items():
            chosen = {name: sampling_of(study.benchmarks[name], scale, name) for name in members if name in here}
            if chosen:
                name = f"{group}-{study.protocol}" if study.protocol else group
                if name in suites:
                    problem = f"its suite '{name}' is also one of study '{suites[name].study}'."
                    raise InputError(study.folder / "study.yaml", problem, "Give it another 'protocol'.")
                suites[name] = Suite(name, study.name, chosen)
    return suites


def bare_suites(scale: Mapping[str, Any]) -> dict[str, Suite]:
    """Without a study: the suites of the scale, sampled by its ``sampling.default`` if that is a whole protocol."""
    protocol = scale["sampling"].get("default", {})
    if set(protocol) != set(PROTOCOL):
        return {}
    return {name: Suite(name, "", dict.fromkeys(members, protocol)) for name, members in scale["suites"].items()}


def sampling_of(protocol: Mapping[str, Any], scale: Mapping[str, Any], benchmark: str) -> dict[str, Any]:
    """The paper's protocol of a benchmark at a scale's number of samples and length.

    A greedy benchmark keeps its one sample: every further one would be the same.
    """
    how = {key: value for key, value in protocol.items() if key != "out_of_distribution"}
    size = {**scale["sampling"].get("default", {}), **scale["sampling"].get(benchmark, {})}
    if how["temperature"] > 0 and "samples_per_problem" in size:
        how["samples_per_problem"] = size["samples_per_problem"]
    if "max_completion_tokens" in size:
        how["max_completion_tokens"] = min(how["max_completion_tokens"], size["max_completion_tokens"])
    return how

"""What a launch costs before it is launched: runs, GPU-hours, storage, the longest way to the PDF; by arithmetic.

GPU-hours of training follow from what the paper prints of its own runs (table 12, hours of four H100), per completion
and parameter of the base, and, once a run of a model is finished, from what it measured. Sampling has no printed hours.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from statistics import mean
from typing import Any

from rlvr.core.errors import InputError
from rlvr.core.io import atomic_path, read_json
from rlvr.plan.memory import GIB, NOWHERE, Needed, leaves_out, needed_memory, run_load
from rlvr.plan.printed import parse_printed
from rlvr.plan.program import Program
from rlvr.plan.reported import read_reported
from rlvr.plan.settings import TrainSettings
from rlvr.plan.shapes import ModelShape
from rlvr.plan.sources import Source

PRINTED_GPUS = 4  # SOURCE: "Structure Over Scale", table 7
PRINTED_PROBLEMS = 5143  # SOURCE: "Structure Over Scale", appendix B.1, less the 256 that are held out
PRINTED_GROUP = 8  # SOURCE: "Structure Over Scale", table 7
PRINTED_MODEL = "qwen3-8b"
SAMPLED_PER_SECOND = 2500.0  # ASSUME: tokens per second of one H100 with an 8B base in float32 under vLLM
MEAN_SHARE = 0.5  # ASSUME: of the longest completion that a mean one has
BYTES_PER_TOKEN = 2.5  # ASSUME: of a sampled text in Parquet
HOUR = 3600.0
NOTHING = Needed(0.0, 0.0, "")  # of a run without a card, or whose base is not known yet
COLUMNS = ("study", "tier", "runs", "trained", "sampled", "missing_gpu_hours", "low", "high", "measured", "gpus",
           "path_hours", "storage_gib", "card_gib", "needed_gib", "divided", "unfit", "host_gib")  # fmt: skip


@dataclass(frozen=True)
class Rates:
    """GPU-seconds per completion and billion parameters of the base.

    Attributes:
        printed: Of training by family of methods (``lora``, ``dora``, ``quanta``), from the printed hours.
        measured: Of training by model and method, from finished runs.
    """

    printed: Mapping[str, float]
    measured: Mapping[tuple[str, str], float]

    def training(self, model: str, method: str) -> tuple[float, float, float] | None:
        """Expected, lowest and highest; ``None`` where nothing is known."""
        if found := self.measured.get((model, method)):
            return found, found, found
        if not self.printed:
            return None
        every = self.printed.values()
        return self.printed.get(method, mean(every)), min(every), max(every)


@dataclass(frozen=True)
class Cost:
    """What a run still costs: GPU-hours (expected, lowest, highest), hours from its start to its last score, bytes."""

    hours: tuple[float, float, float]
    path: float
    stored: float
    measured: bool


class Launch:
    """Costs of the runs of a program.

    Args:
        program: Studies bound to a scale.
        shapes: Of the bases whose configuration is known.
        sources: The registry of data, for the sizes of data sets that the scale does not state.
        results: ``results/<scale>``, where finished runs are found.
        printed: The printed table of hours, ``row`` and ``hours``; without it only measured runs say what others cost.
    """

    def __init__(
        self,
        program: Program,
        shapes: Mapping[str, ModelShape],
        sources: Mapping[str, Source],
        results: Path,
        printed: Path | None,
    ) -> None:
        self.program, self.shapes, self.sources, self.results = program, shapes, sources, results
        base = shapes.get(PRINTED_MODEL)
        comparable = printed is not None and program.scale["comparable"] and base is not None
        self.cost = cache(self.cost)  # type: ignore[method-assign]
        self.rates = Rates(printed_rates(printed, base) if comparable and printed and base else {}, self._measured())
        models = {run_id: program.model_of(run_id) for run_id in program.specs}
        self.memory = needed_memory(program.specs, shapes, models, program.methods, self._train)
        self.unfit = {run_id: each.why for run_id, each in self.memory.items() if each.way == NOWHERE}

    def rows(self) -> list[dict[str, Any]]:
        """One row per study and tier, of ``COLUMNS``."""
        return [
            self.row(study, tier) for study in self.program.studies for tier in (*self.program.scale["tiers"], "all")
        ]

    def row(self, study: str, tier: str) -> dict[str, Any]:
        """What a tier of a study has, lacks and costs; the tier ``finished`` has what was trained so far."""
        whole = replace(self.program, tier=tier, unfit={})
        left_out = self.unfit if leaves_out(self._train) else {}
        runs = list(replace(whole, unfit=left_out).rows_of(study))
        unfit = [run_id for run_id in whole.rows_of(study) if run_id in self.unfit]
        needed = [self.memory.get(run_id, NOTHING) for run_id in runs]
        costs = {run_id: self.cost(run_id) for run_id in runs}
        known = [cost for cost in costs.values() if cost is not None]
        totals = [sum(cost.hours[index] for cost in known) for index in range(3)]
        models = {self.program.model_of(run_id) for run_id in runs}
        bases = sum(2 * self.shapes[model].parameters for model in models if model in self.shapes)
        values = (
            study, tier, len(runs), sum(map(self.is_trained, runs)), sum(map(self.is_sampled, runs)),
            round(totals[0], 1) if len(known) == len(runs) else None,
            round(totals[1], 1), round(totals[2], 1),
            sum(cost.measured for cost in known), self._train["gpu"],
            round(max((cost.path for cost in known), default=0.0), 1),
            round((bases + sum(cost.stored for cost in known)) / GIB, 1), self._train.get("card_gib", 0.0),
            max((each.card for each in needed), default=0.0),
            sum(each.way == "fsdp2" for each in needed), len(unfit),
            max((each.host for each in needed), default=0.0),
        )  # fmt: skip
        return dict(zip(COLUMNS, values, strict=True))

    def cost(self, run_id: str) -> Cost | None:
        """What a run still costs; ``None`` where nothing says so."""
        model = self.program.model_of(run_id)
        spec, shape = self.program.specs[run_id], self.shapes.get(model)
        rate = None if shape is None else self.rates.training(model, spec["method"])
        if shape is None or rate is None:
            return None
        settings = TrainSettings.from_json(spec, run_id)
        billions, trained = shape.parameters / 1e9, self.is_trained(run_id)
        load = run_load(shape, settings, self.program.methods[spec["method"]])
        work = 0.0 if trained else self.completions(settings) * billions / HOUR
        tokens = self.sampled_tokens(run_id)
        sampling = 0.0 if self.is_sampled(run_id) else tokens / SAMPLED_PER_SECOND * billions / 8 / HOUR
        gpus = max(settings.devices, 1)
        hours = (rate[0] * work + sampling, rate[1] * work + sampling, rate[2] * work + sampling)
        stored = load.trained * 4 + tokens * BYTES_PER_TOKEN
        return Cost(hours, rate[0] * work / gpus + sampling, stored, (model, spec["method"]) in self.rates.measured)

    def completions(self, settings: TrainSettings) -> int:
        """Completions that a run is trained on."""
        return settings.planned_steps(self.problems(settings.dataset)) * settings.completions_per_step

    def problems(self, dataset: str) -> int:
        """Problems of a training split as the scale states them, otherwise all rows of its sources."""
        entry = self.program.scale["datasets"][dataset]
        if "max_train_problems" in entry:
            return int(entry["max_train_problems"])
        if "strata" in entry:
            return sum(level["problems"] for level in entry["strata"]["levels"].values())
        held = entry["eval_problems"] if isinstance(entry["eval_problems"], int) else 0
        released = sum(self.sources[name].expected_rows or 0 for name in entry["sources"])
        return int(entry.get("expected_kept", released)) - held

    def sampled_tokens(self, run_id: str) -> float:
        """Tokens that all suites of a run sample."""
        total = 0.0
        for suite, benchmark in self._sampled(run_id):
            how = self.program.suites[suite].benchmarks[benchmark]
            held = self.program.scale["datasets"][benchmark]["eval_problems"]
            count = held if isinstance(held, int) else self.problems(benchmark)
            total += count * how["samples_per_problem"] * how["max_completion_tokens"] * MEAN_SHARE
        return total

    def is_trained(self, run_id: str) -> bool:
        """Whether a run's manifest is there."""
        return (self.results / "train" / run_id / "run.json").is_file()

    def is_sampled(self, run_id: str) -> bool:
        """Whether every suite of a run has samples, of whichever tier the run is."""
        names = {suite for suite, _ in self._sampled(run_id)}
        folder = self.results / "evaluate" / run_id
        return bool(names) and all((folder / name / "samples.json").is_file() for name in names)

    @property
    def _train(self) -> Mapping[str, Any]:
        """Resources of training at this scale."""
        return dict(self.program.scale["resources"]["train"])

    def _sampled(self, run_id: str) -> Iterator[tuple[str, str]]:
        """Suite and benchmark of whatever the selected studies sample a run on, of whichever tier it is."""
        for name, study in self.program.studies.items():
            for benchmark in self.program.benchmarks_of(name, run_id) if run_id in study.rows else ():
                yield self.program.suite_of(name, benchmark), benchmark

    def _measured(self) -> dict[tuple[str, str], float]:
        found: dict[tuple[str, str], list[float]] = {}
        for run_id, spec in self.program.specs.items():
            path, model = self.results / "train" / run_id / "run.json", self.program.model_of(run_id)
            if not path.is_file() or model not in self.shapes:
                continue
            run = read_json(path)
            if run.get("resumed_from_step") is None and run.get("steps"):  # a resumed run's time is that of its end
                work = run["steps"] * spec["completions_per_step"] * self.shapes[model].parameters / 1e9
                rate = run["wall_time_s"] * max(spec["devices"], 1) / work
                found.setdefault((model, spec["method"]), []).append(rate)
        return {key: mean(rates) for key, rates in found.items()}


def printed_rates(path: Path, shape: ModelShape) -> dict[str, float]:
    """GPU-seconds per completion and billion parameters by method, from the printed hours of runs of one epoch.

    Args:
        path: The printed table, columns ``row`` (``lora-r8``) and ``hours``.
        shape: Of the base of these runs.

    Raises:
        InputError: If a cell is no printed number, or none has hours.
    """
    work = PRINTED_PROBLEMS // PRINTED_GROUP * PRINTED_GROUP * PRINTED_GROUP * shape.parameters / 1e9
    hours: dict[str, list[float]] = {}
    for row, cells in read_reported(path).items():
        if text := cells.get("hours"):
            hours.setdefault(row.partition("-")[0], []).append(parse_printed(text, f"{path}, row '{row}'").value)
    if not hours:
        raise InputError(path, "no row has a number in the column 'hours'.", "Restore the printed table.")
    return {method: mean(each) * PRINTED_GPUS * HOUR / work for method, each in hours.items()}


def check_budget(rows: Iterable[Mapping[str, Any]], budget: Mapping[str, float], where: object) -> None:
    """Stop a launch that costs more than the configuration allows.

    Args:
        rows: Of the selected studies and tier.
        budget: ``gpu_hours``, of what is left to do, and ``storage_gib``, of all that is kept, with what is there
            already; 0 for no limit.
        where: The configuration's file.

    Raises:
        InputError: Names what is exceeded, both numbers, and the studies.
    """
    rows = list(rows)
    hours = [row["high"] if row["missing_gpu_hours"] is None else row["missing_gpu_hours"] for row in rows]
    storage = [row["storage_gib"] for row in rows]
    for limit, needed, unit in (("gpu_hours", hours, "GPU-hours more"), ("storage_gib", storage, "GiB in all")):
        if budget[limit] and sum(needed) > budget[limit]:
            parts = ", ".join(f"{row['study']} {number:g}" for row, number in zip(rows, needed, strict=True))
            problem = f"the selected runs need {sum(needed):.0f} {unit}, the budget is {budget[limit]:g} ({parts})."
            raise InputError(
                f"{where}, key 'budget.{limit}'", problem, "`snakemake plan` has the details; or raise it."
            )


def selected_rows(launch: Launch) -> list[dict[str, Any]]:
    """What the selected tier of every selected study costs."""
    return [launch.row(study, launch.program.tier) for study in launch.program.studies]


def plan_text(rows: Iterable[Mapping[str, Any]], missing: Iterable[str]) -> str:
    """The plan on one screen.

    Args:
        rows: Of ``Launch.rows``.
        missing: What has to be there before a launch and is not, in words.
    """
    heads = ("study", "tier", "runs", "done", "GPU-hours left (range)", "longest way", "storage", "card: most / has")
    lines = [
        f"{heads[0]:28}{heads[1]:7}{heads[2]:>5}{heads[3]:>6}  {heads[4]:>26}{heads[5]:>13}{heads[6]:>10}  {heads[7]}"
    ]
    for row in rows:
        hours = "unknown" if row["missing_gpu_hours"] is None else f"{row['missing_gpu_hours']:,.0f}"
        cost = f"{hours} ({row['low']:,.0f} to {row['high']:,.0f})"
        unfit = f", {row['unfit']} do not fit" if row["unfit"] else ""
        divided = f", {row['divided']} divided" if row["divided"] else ""
        parts = f"{row['needed_gib']:.0f} / {row['card_gib']:.0f} GiB{divided}{unfit}; host {row['host_gib']:.0f} GiB"
        card = parts if row["card_gib"] else "no card"
        lines.append(
            f"{row['study']:28}{row['tier']:7}{row['runs']:>5}{row['trained']:>6}  {cost:>26}"
            f"{row['path_hours']:>11.1f} h{row['storage_gib']:>6,.0f} GiB  {card}"
        )
    lines.append("Hours: printed ones (table 12) per completion and parameter, measured ones where a run is finished.")
    lines.append("Divided: weights, gradients and moments are shared out among the cards of a run (FSDP2).")
    lines.append("Sampling is an assumption until then. Longest way: one run and its samples, with every card at once.")
    return "\n".join([*lines, *(f"missing: {each}" for each in missing)]) + "\n"


def write_plan(rows: list[Mapping[str, Any]], missing: Iterable[str], stem: str) -> str:
    """Write ``<stem>.csv`` and ``<stem>.txt``.

    Returns:
        The text.
    """
    text = plan_text(rows, missing)
    with atomic_path(f"{stem}.csv") as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with atomic_path(f"{stem}.txt") as temporary:
        temporary.write_text(text, encoding="utf-8")
    return text

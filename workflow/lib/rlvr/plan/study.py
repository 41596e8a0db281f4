"""A study: one paper as a folder, independent of any scale.

``study.yaml`` holds what the paper did (recipe) and measured on (benchmarks with their sampling protocol), ``grid.csv``
its runs, ``pairs.csv`` the public checkpoints that it compares. Read at parse time: no heavy imports here.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from rlvr.core.csvfile import read_csv
from rlvr.core.errors import InputError
from rlvr.core.schemas import check_against, check_name, load_yaml
from rlvr.plan.grid import check_run_id, name_run, read_grid
from rlvr.plan.method import SETTINGS, Methods, check_method_settings

PAIR_COLUMNS = ("pair", "base_repository", "base_revision", "tuned_repository", "tuned_revision")
STAND_IN = "stand_in"  # a column that need not be there: the run that is shown where a scale fetches no pairs
HEAD = "head"  # in names of folders: of a revision that is not pinned
REPOSITORY = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
REVISION = re.compile(r"[0-9a-f]{40}")
SHOWN_DIGITS = 12  # of a commit, in names of folders


@dataclass(frozen=True)
class Study:
    """One paper.

    Attributes:
        name: Its folder under ``workflow/studies``.
        folder: The folder.
        title: Title of the paper.
        citation: Key in ``paper/refs.bib``.
        protocol: Name under which its samples are kept; empty for the plain names of suites.
        run_tag: Last part of the ids of its runs; usually empty.
        recipe: Everything that a row may leave unsaid, complete.
        benchmarks: Sampling protocol of each benchmark, with ``out_of_distribution``.
        rows: Every row of the grid, of any tier, by run id.
        pairs: Pairs of public checkpoints by name.
    """

    name: str
    folder: Path
    title: str
    citation: str
    protocol: str
    run_tag: str
    recipe: Mapping[str, Any]
    benchmarks: Mapping[str, Mapping[str, Any]]
    rows: Mapping[str, Mapping[str, Any]]
    pairs: Mapping[str, Mapping[str, str]]

    @cached_property
    def ranks(self) -> list[int]:
        """Every printed rank of the grid, ascending."""
        return sorted({row["rank"] for row in self.rows.values() if row.get("rank") is not None})

    def out_of_distribution(self, dataset: str) -> list[str]:
        """Benchmarks that a run on a data set is evaluated on beside the data set's own."""
        asked = {name: how.get("out_of_distribution", False) for name, how in self.benchmarks.items()}
        return [name for name, of in asked.items() if of is True or (of and dataset in of)]

    @property
    def grid_path(self) -> Path:
        """The file of the grid, for messages."""
        return self.folder / "grid.csv"


def study_names(studies: Path) -> list[str]:
    """Names of all studies."""
    return sorted(path.parent.name for path in studies.glob("*/study.yaml"))


def load_study(name: str, studies: Path, schemas: Path, methods: Methods) -> Study:
    """Load and check a study.

    Args:
        name: Folder of ``studies``.
        studies: Folder of all studies.
        schemas: Folder of the JSON schemas.
        methods: The registry of methods.

    Raises:
        InputError: Names the file and the key, row or column that is wrong.
    """
    check_name("study", name, study_names(studies))
    folder = studies / name
    path = folder / "study.yaml"
    content = load_yaml(path)
    check_against(content, schemas / "study.schema.yaml", path)
    recipe = complete_recipe(name, studies, schemas)
    tag = content.get("run_tag", "")
    rows = name_rows(read_grid(folder / "grid.csv", schemas), recipe, tag, folder / "grid.csv", methods)
    return Study(
        name=name,
        folder=folder,
        title=content["title"],
        citation=content["citation"],
        protocol=content.get("protocol", name),
        run_tag=tag,
        recipe=recipe,
        benchmarks=content["benchmarks"],
        rows=rows,
        pairs=read_pairs(folder / "pairs.csv", rows),
    )


def complete_recipe(name: str, studies: Path, schemas: Path, seen: tuple[str, ...] = ()) -> dict[str, Any]:
    """The recipe of a study with what it takes from another one.

    Raises:
        InputError: For a circle of studies, an unknown one, or a key that nobody gives.
    """
    path = studies / name / "study.yaml"
    content = load_yaml(path)
    check_against(content, schemas / "study.schema.yaml", path)
    own = dict(content["recipe"])
    parent = own.pop("from", None)
    if parent is not None:
        if parent in (*seen, name) or parent not in study_names(studies):
            raise InputError(
                path, f"recipe takes from '{parent}'.", f"Name another study: {', '.join(study_names(studies))}."
            )
        own = {**complete_recipe(parent, studies, schemas, (*seen, name)), **own}
    known = load_yaml(schemas / "study.schema.yaml")["properties"]["recipe"]["properties"]
    if missing := [key for key in known if key != "from" and key not in own]:
        remedy = "Say what the paper did (SOURCE) or what is assumed (ASSUME), or take it `from` another study."
        raise InputError(path, f"recipe lacks '{missing[0]}'.", remedy)
    return own


def ancestors(name: str, studies: Path) -> list[str]:
    """A study and those that its recipe is taken from, nearest first; circles are refused by :func:`load_study`."""
    parent = load_yaml(studies / name / "study.yaml")["recipe"].get("from")
    return [name] if parent is None else [name, *ancestors(parent, studies)]


def name_rows(
    rows: list[dict[str, Any]], recipe: Mapping[str, Any], tag: str, path: Path, methods: Methods
) -> dict[str, dict[str, Any]]:
    """Rows by their run ids, each checked against its method.

    Raises:
        InputError: Names the run: its method refuses a setting, its typed id is another one, or it appears twice.
    """
    named: dict[str, dict[str, Any]] = {}
    for row in rows:
        run_id = name_run(row, row.get("completions_per_step") or recipe["completions_per_step"], tag)
        where = f"{path}, run '{run_id}'"
        check_run_id(run_id, where)
        given = {name: row.get(name) for name in SETTINGS if row.get(name) is not None}
        check_method_settings(where, row["method"], given, methods)
        typed = row.get("run_id")
        if typed not in (None, run_id):
            raise InputError(
                where, f"the row says '{typed}'.", "Leave run_id empty, or write the id that the row gives."
            )
        if run_id in named:
            raise InputError(where, "appears twice.", "Change or remove one of the rows.")
        named[run_id] = {**row, "run_id": run_id}
    return named


def read_pairs(path: Path, rows: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Pairs of public checkpoints by name; none for a study without ``pairs.csv``.

    Args:
        path: The file.
        rows: Ids of the study's runs, which may stand in for pairs.

    Raises:
        InputError: For other columns than ``PAIR_COLUMNS`` and ``STAND_IN``, a repeated name, a revision that is not a
            full commit, or a run that stands in and is no row of the grid.
    """
    if not path.is_file():
        return {}
    found: dict[str, dict[str, str]] = {}
    for line, pair in read_csv(path, PAIR_COLUMNS):
        where = f"{path}, line {line}"
        if set(pair) - {STAND_IN} != set(PAIR_COLUMNS):
            expected = ", ".join((*PAIR_COLUMNS, STAND_IN))
            raise InputError(path, "has other columns than expected.", f"Expected: {expected}.")
        check_pair(pair, where)
        if pair["pair"] in found:
            raise InputError(path, f"pair '{pair['pair']}' appears twice.", "Rename one of them.")
        if pair.get(STAND_IN) and pair[STAND_IN] not in rows:
            raise InputError(where, f"stand_in '{pair[STAND_IN]}' is no run of the grid.", "Name a row of grid.csv.")
        found[pair["pair"]] = pair
    return found


def checkpoint_name(repository: str, revision: str) -> str:
    """Name of the folder of a public checkpoint: owner, name and the first digits of its commit.

    >>> checkpoint_name("owner/model", "0123456789abcdef0123456789abcdef01234567"), checkpoint_name("owner/model", "")
    ('owner--model@0123456789ab', 'owner--model@head')
    """
    return f"{repository.replace('/', '--')}@{revision[:SHOWN_DIGITS] or HEAD}"


def is_public(pair: Mapping[str, str]) -> bool:
    """Whether both sides of a pair are in a public repository, as far as is known."""
    return bool(pair["base_repository"] and pair["tuned_repository"])


def check_pair(pair: Mapping[str, str], where: str) -> None:
    """Check that a pair names two repositories at full commits.

    A side without a repository is not public, or not known; one without a revision is taken as it is when fetched.

    Raises:
        InputError: Names the column.
    """
    check_run_id(pair["pair"], where)
    for side in ("base", "tuned"):
        repository, revision = pair[f"{side}_repository"], pair[f"{side}_revision"]
        if repository and not REPOSITORY.fullmatch(repository):
            raise InputError(where, f"{side}_repository is '{repository}'.", "Expected owner/name.")
        if revision and not REVISION.fullmatch(revision):
            raise InputError(where, f"{side}_revision is '{revision}'.", "Expected a full commit hash.")
        if revision and not repository:
            raise InputError(where, f"{side}_revision has no repository.", "Name it, or leave both empty.")

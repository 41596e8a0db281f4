"""Every key of every table, figure, fact and claim of every study is spoilt in turn, each entry planned alone."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "unit"))
from bound_rows import ROOT, SCALES, SCHEMAS, WORDS, load_program
from test_mutated_configurations import DROP, must_be_refused, places, spoilt

from rlvr.core.errors import InputError
from rlvr.plan.claim_checks import ClaimNames, check_claims
from rlvr.plan.claims import load_claims
from rlvr.plan.declarations import read_declarations
from rlvr.plan.facts import load_facts
from rlvr.plan.kept_steps import with_kept, with_rungs
from rlvr.plan.names import Names, check_output_names
from rlvr.plan.outputs_file import load_outputs
from rlvr.plan.scale import load_scale
from rlvr.plan.selection import candidates_of
from rlvr.plan.sources import load_registry
from rlvr.plan.study import study_names
from rlvr.plan.workspace import study_outputs

STUDIES = study_names(ROOT / "workflow" / "studies")
WRONG: tuple[Any, ...] = (DROP, {"no": {"such": "key"}}, "no-such-name", float("nan"), 2**60, -1, None, True, [], "")


class Stage:
    """A study of which one part is read from another folder, as the plan reads it."""

    def __init__(self, name: str, folder: Path) -> None:
        """Read everything once; ``folder`` takes the files of a part."""
        scale_name = {"pocket": "pocket"}.get(name, "tiny")
        scale = load_scale(scale_name, SCALES, SCHEMAS)
        self.program = load_program(scale_name, "all", (name,))
        self.study, self.folder = self.program.studies[name], folder
        sources = load_registry(ROOT / "data" / "sources.csv", WORDS.readers)
        self.names = Names.of(scale, SCALES, sources, WORDS.templates)
        rows = with_rungs(with_kept(self.study.rows, self.program.specs), self.program.scale["models"])
        self.candidates = candidates_of(rows, self.study.recipe, self.study.pairs)
        self.declared = {key: dict(fields) for key, (fields, _) in read_declarations(self.own("outputs.yaml")).items()}
        (folder / "reported").mkdir()

    def own(self, name: str) -> Path:
        """A file of the study as it is."""
        return self.study.folder / name

    def write(self, name: str, content: Any) -> Path:
        """A file with another content in the place of the study's."""
        path = self.folder / name
        path.write_text(yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True))
        return path

    def printed(self, *names: str) -> None:
        """The study's printed numbers of these outputs, and no others."""
        for path in (self.folder / "reported").iterdir():
            path.unlink()
        for name in (*names, "parameters"):
            if (source := self.own(f"reported/{name}.csv")).is_file():
                (self.folder / "reported" / source.name).symlink_to(source)

    def facts(self, key: str, entries: Any) -> Any:
        """The facts of one table."""
        path, schema = self.write("facts.yaml", {key: entries}), SCHEMAS / "facts.schema.yaml"
        words, study = self.names.facts, self.study
        return load_facts(path, schema, self.candidates, study.recipe, ROOT, study.benchmarks, words)

    def output(self, key: str, fields: Any) -> Any:
        """One table or figure, beside those that show the same printed numbers."""
        shown = self.declared[key].get("reported", key)
        beside = {name: each for name, each in self.declared.items() if each.get("reported", name) == shown}
        path = self.write("outputs.yaml", {"outputs": {**beside, key: fields}})
        found = load_outputs(
            path, self.candidates, WORDS.kinds, SCHEMAS / "outputs.schema.yaml", self.names.facts, self.all_facts(key)
        )
        check_output_names(found, replace(self.study, folder=_Beside(self.folder)), WORDS.kinds, self.names)
        return found[key]

    @cache  # noqa: B019 (as long as the test)
    def all_facts(self, key: str) -> Mapping[str, Any]:
        """The facts of a table as they are; none for another output."""
        path = self.own("facts.yaml")
        entries = yaml.safe_load(path.read_text()) if path.is_file() else {}
        return self.facts(key, entries[key]) if key in entries else {}

    @cache  # noqa: B019
    def outputs(self) -> Mapping[str, Any]:
        """All outputs of the study."""
        return study_outputs(self.study, self.program, WORDS.kinds, self.names, ROOT)

    def claim(self, key: str, fields: Any) -> Any:
        """One claim."""
        readings = yaml.safe_load(self.own("claims.yaml").read_text()).get("readings")
        path = self.write("claims.yaml", {"claims": {key: fields}} | ({"readings": readings} if readings else {}))
        found = load_claims(path, SCHEMAS / "claims.schema.yaml")
        names = ClaimNames(self.names.models, self.study.benchmarks, self.names.datasets)
        check_claims(found, self.outputs(), names, path)
        return found


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


class _Beside(type(Path())):  # type: ignore[misc]
    """A folder whose neighbours are the studies."""

    @property
    def parent(self) -> Path:
        return ROOT / "workflow" / "studies"


def passed(read: Callable[[str, Any], Any], key: str, entry: Any) -> list[tuple[Any, ...]]:
    """The wrong values that are taken for right; anything but an ``InputError`` fails the test here."""
    good, found = repr(read(key, entry)), []
    for place in places(entry):
        for wrong in WRONG:
            try:
                other = repr(read(key, spoilt(entry, place, wrong)))
            except InputError:
                continue
            if other != good and must_be_refused(wrong, place):
                found.append((key, place, wrong))
    return found


@pytest.fixture(params=STUDIES)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Stage:
    """A study."""
    return Stage(request.param, tmp_path)


@pytest.mark.nightly  # 60,000 plans of one entry: half an hour
def test_every_key_of_every_output(stage: Stage) -> None:
    found = []
    for key, fields in stage.declared.items():
        stage.printed(str(fields.get("reported", key)))
        found += passed(stage.output, key, yaml.safe_load(yaml.dump(fields, Dumper=_Plain)))
    assert not found


@pytest.mark.nightly
@pytest.mark.parametrize("part", ["facts", "claims"])
def test_every_key_of_every_fact_and_claim(stage: Stage, part: str) -> None:
    path = stage.own(f"{part}.yaml")
    if not path.is_file():
        pytest.skip("the study has no facts of its protocol")
    content = yaml.safe_load(path.read_text())
    found = []
    for key, entry in (content if part == "facts" else content["claims"]).items():
        stage.printed(key)
        found += passed(stage.facts if part == "facts" else stage.claim, key, entry)
    assert not found

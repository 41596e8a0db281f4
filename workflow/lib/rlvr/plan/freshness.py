"""Which settings of a run decide its result, and how a finished run's record differs from what is asked for today.

Imported by the Snakefile at parse time: no heavy imports here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlvr.core.io import read_json
from rlvr.plan.settings import LATER, TrainSettings

CADENCE = "checkpoint_every_steps"
TRIPLES = "decomposition_sha256"
# How often a run is saved, what the paper prints of it and, in manifests of before, which study asked for it;
# and of its inputs the file of singular triples, which grows with the largest rank among the selected runs. The
# digests of the base and the setting `decomposition` say what is in it.
NO_PART_OF_THE_RESULT = frozenset({CADENCE, "printed", "study", TRIPLES})


def triples_wanted(wanted: int, cost: Path) -> int:
    """Rank that a decomposition is asked for: the runs' own, or that of the file there is, if that is larger.

    Another study in the same folder, which wants fewer triples of a base, thus computes nothing again.

    Args:
        wanted: Largest rank of the runs that start from the base.
        cost: Record beside the triples; one without a rank, or none, counts as 0.
    """
    held = read_json(cost).get("rank", 0) if cost.is_file() else 0
    return max(wanted, held)


def spec_content(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What ``specs/<run_id>.json`` holds: the resolved settings of a run, but not how often it is saved.

    A spec that changes is a run that is trained again; training gets the cadence of checkpoints on its command line.
    """
    return {name: value for name, value in settings.items() if name != CADENCE}


def deciding_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a run that change what comes out, defaults filled in.

    Args:
        settings: What ``specs/<run_id>.json`` holds.

    Raises:
        InputError: As ``TrainSettings.from_json``.
    """
    full = TrainSettings.from_json(settings).to_json()
    return {name: value for name, value in full.items() if name not in NO_PART_OF_THE_RESULT}


def find_differences(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Settings whose recorded value is another than the one asked for today, in words, by name.

    A setting that came later counts as recorded with what earlier runs did without a word of it.

    Args:
        recorded: ``settings`` of a run's ``run.json``, whichever version wrote it.
        asked: What ``deciding_settings`` returns.
    """
    before, today = ({**dict.fromkeys({*recorded, *asked}, "not recorded"), **known} for known in (recorded, asked))
    before |= {name: value for name, value in LATER.items() if name in before and name not in recorded}
    today |= {name: value for name, value in LATER.items() if name in today and name not in asked}
    return [
        f"{name} {before[name]} (today {today[name]})"
        for name in sorted(before.keys() - NO_PART_OF_THE_RESULT)
        if before[name] != today[name]
    ]

"""The decisions of a user about a data set, and the counts of each filter."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from rlvr.data.strata import Strata

TEXT_SOUND, GOLD_READABLE, PROMPT_FITS = "text sound", "gold readable by the grader", "prompt not too long"
NOT_REPEATED, DRAWN = "question not repeated", "drawn from its strata"
# After the filters that published numbers are about.
LATER_STEPS = (TEXT_SOUND, GOLD_READABLE, PROMPT_FITS, NOT_REPEATED, DRAWN)


@dataclass(frozen=True)
class CurationRecipe:
    """How a data set is made from its sources' problems.

    Attributes:
        dataset: Name of the data set.
        minimum_difficulty: Rows below are dropped; ``None`` keeps all, also those without a rating.
        eval_problems: Size of the evaluation split, or ``all`` for a data set that is only evaluated on.
        max_train_problems: Upper limit of the training split; ``None`` means no limit.
        seed: Seed of the split.
        repeats: Whether later repetitions of a question are dropped; the card counts them either way.
        expected_kept: Published number of problems before repetitions are dropped; ``None`` where there is none.
        allow_other_count: Go on, and say so in the card, where another number is left.
        topics_left_out: Topics whose problems are dropped.
        expected_topics: Stated number of problems of some topics, before anything is dropped.
        expected_topic_names: Stated number of different topics.
        strata: How the problems that pass are sampled; ``None`` keeps them all.
    """

    dataset: str
    minimum_difficulty: float | None
    eval_problems: int | Literal["all"]
    max_train_problems: int | None
    seed: int
    repeats: Literal["drop", "keep"] = "drop"
    expected_kept: int | None = None
    allow_other_count: bool = False
    topics_left_out: tuple[str, ...] = ()
    expected_topics: Mapping[str, int] = field(default_factory=dict)
    expected_topic_names: int | None = None
    strata: Strata | None = None

    @classmethod
    def from_config(cls, dataset: str, settings: Mapping[str, Any]) -> "CurationRecipe":
        """From plain values, as a scale file gives them.

        Raises:
            InputError: For strata that name unknown levels.
        """
        strata = settings.get("strata")
        left_out = tuple(settings.get("topics_left_out", ()))
        parsed = {"strata": Strata.from_config(strata) if strata else None, "topics_left_out": left_out}
        return cls(dataset=dataset, **{"max_train_problems": None, **settings, **parsed})


@dataclass(frozen=True)
class FilterCount:
    """Numbers of rows before and after one filter."""

    filter: str
    before: int
    after: int

"""Readers of columns that a scale file names, for data sets of one's own."""

import json

import pandas as pd

from rlvr.data.readers import transforms as to
from rlvr.data.readers.declare import Field, Reader
from rlvr.plan.own_sources import READER

PREFIX = READER  # of the names of such readers; the columns follow as JSON (rlvr.plan.own_sources)
GOLDS = {"answer": to.gold, "boxed": to.solution_gold, "gsm8k": to.gsm8k_gold}


def own_reader(name: str) -> Reader:
    """The reader that such a name describes."""
    declared = json.loads(name.removeprefix(PREFIX))
    columns = declared["columns"]
    difficulty, topic, solution = (columns.get(name) for name in ("difficulty", "topic", "solution"))
    return Reader(
        question=Field(columns["question"], to.strip),
        answer=Field(columns["answer"], GOLDS[declared.get("answers", "answer")]),
        difficulty=Field(difficulty, any_number) if difficulty else None,
        topic=Field(topic, to.strip) if topic else None,
        identity=columns.get("id"),
        verifier=declared.get("verifier", "math"),
        solution=Field(solution, to.worked_solution) if solution else None,
    )


def any_number(values: pd.Series, where: str) -> pd.Series:
    """Numbers, stored as numbers or as text; missing ones stay missing, other words stop."""
    return to.number(values, where) if pd.api.types.is_numeric_dtype(values) else to.number_text(values, where)

"""Imported by the process that jobs are forked from: what pandera loads and works out at its first check of a table."""

import pandas as pd
from pandera.pandas import Check, Column, DataFrameSchema

SCHEMA = DataFrameSchema(
    {
        "name": Column(str, Check.isin(["a"])),
        "count": Column(int, Check.ge(0)),
        "share": Column(float, Check.in_range(0, 1), nullable=True),
        "right": Column(bool),
    },
    strict=True,
    coerce=True,
    unique=["name", "count"],
)

SCHEMA.validate(pd.DataFrame({"name": ["a"], "count": [1], "share": [0.5], "right": [True]}))

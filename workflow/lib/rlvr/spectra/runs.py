"""Spectra of every module that a run changed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from rlvr.core.io import write_table
from rlvr.models.updates import ModuleUpdate, iterate_updates
from rlvr.spectra.quantities import describe, singular_values
from rlvr.tables import SPECTRA


def measure_run(base_dir: str | Path, run_dir: str | Path, run_id: str, out_path: str | Path) -> None:
    """Measure the update of every module of a run; write one row a module and quantity (``tables.SPECTRA``).

    Raises:
        InputError: See :func:`rlvr.models.updates.iterate_updates`; never skips a module.
    """
    rows = [row for update in iterate_updates(base_dir, run_dir) for row in measure_update(update)]
    write_table(pd.DataFrame(rows).assign(run_id=run_id), out_path, SPECTRA)


def measure_update(update: ModuleUpdate) -> Iterator[dict[str, Any]]:
    """Rows of one module, without the run id."""
    values_R, method = singular_values(update)
    base_norm = float(update.read_base().double().norm())
    for quantity in describe(values_R, update.bound, base_norm):
        yield {
            "module": update.module,
            "layer": update.layer,
            "projection": update.projection,
            "rows": update.rows,
            "cols": update.cols,
            "quantity": quantity.name,
            "value": quantity.value,
            "std_error": 0.0,
            "method": method,
        }

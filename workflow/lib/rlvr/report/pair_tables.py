"""The measurements of one pair of checkpoints as one small table."""

from pathlib import Path
from typing import TYPE_CHECKING

from rlvr.core.io import read_table

if TYPE_CHECKING:
    import pandas as pd

GROUPINGS = ("projection", "layer", "module")
SHOWN = {  # quantity of the tables: column
    "effective_rank": "effective rank",
    "stable_rank": "stable rank",
    "energy_rank_90": "directions of 90 % of the energy",
    "attained_share": "share of the rank bound",
    "relative_norm": "norm relative to the base",
    "bf16_sparsity": "unchanged in bfloat16",
}


def summarise_pair(spectra: str | Path, diagnostics: str | Path, by: str) -> "pd.DataFrame":
    """Means over the modules of each projection, layer or module.

    Args:
        spectra: ``tables.SPECTRA`` of one pair.
        diagnostics: ``tables.DIAGNOSTICS`` of that pair.
        by: One of ``GROUPINGS``.

    Returns:
        Columns: ``by``, modules, and those of ``SHOWN`` that were measured; shares are from 0 to 1. The last row,
        ``all``, is the mean over all modules.
    """
    import pandas as pd

    from rlvr.tables import DIAGNOSTICS, SPECTRA

    found = pd.concat([read_table(Path(spectra), SPECTRA), read_table(Path(diagnostics), DIAGNOSTICS)])
    found = found[found["quantity"].isin(SHOWN)]
    wide = found.pivot_table(index=["module", "layer", "projection"], columns="quantity", values="value").reset_index()
    measured = [name for name in SHOWN if name in wide]
    groups = wide.groupby(by)
    table = groups[measured].mean()
    table.insert(0, "modules", groups.size())
    table.loc["all"] = [len(wide), *wide[measured].mean()]
    return table.rename(columns=SHOWN).rename_axis(by).reset_index().astype({"modules": int})

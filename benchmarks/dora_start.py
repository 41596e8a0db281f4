"""How much of DoRA's measured rank is the rounding of its start, see `rlvr.spectra.starts`, and what measuring costs.

Both shapes at every rate, as rule `measure_start` writes them (figure S5 of "Structure Over Scale").
"""

import time
from pathlib import Path

import pandas as pd

from rlvr.core.io import read_table
from rlvr.spectra.starts import measure_starts
from rlvr.tables import STARTS

SHAPES = ("64x64", "1024x4096")  # a module of scale tiny; k_proj of an 8B model
OUT = Path("results/benchmarks")

if __name__ == "__main__":
    for shape in SHAPES:
        began = time.process_time()
        measure_starts(shape, OUT / f"dora_start_{shape}.parquet")
        frame = read_table(OUT / f"dora_start_{shape}.parquet", STARTS)
        wide: pd.DataFrame = frame.pivot(index="rate", columns="start", values="effective_rank")
        print(f"{shape}: {time.process_time() - began:.0f} s of CPU, effective ranks", flush=True)
        print(wide.reset_index().to_markdown(index=False, floatfmt=".3g"), flush=True)

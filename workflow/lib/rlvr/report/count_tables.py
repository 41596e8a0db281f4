"""Printed parameter counts beside the counted ones as an output of a study."""

import pandas as pd

from rlvr.core.io import read_json
from rlvr.plan.outputs import Output
from rlvr.report.cells import ReportScope
from rlvr.report.evidence import InputPaths
from rlvr.report.facts import plain
from rlvr.report.parameter_tables import tabulate_printed
from rlvr.report.render import PAPER, Table, TextColumn

NOTE = (
    "Counted on the modules that training makes, at real size whatever the scale. Agrees within 1 %: not to the "
    "printed digit, as a multiple of a rounded count."
)


def tabulate_counts(
    output: Output, scope: ReportScope, inputs: InputPaths, provenance: list[str]
) -> tuple[pd.DataFrame, Table]:
    """A table of every printed count of a study: where it is printed, of what, the counted number and a verdict."""
    counts = [row for path in inputs.get("counts", ()) for row in read_json(path) if "printed" in row]
    own = [row for row in counts if row["study"] == output.plot["study"]]
    frame = tabulate_printed(own)
    headings = {"where": "Printed in", "row": "Method", "model": "Model"}
    columns = [TextColumn("label", (name,), frame[key].tolist()) for key, name in headings.items()]
    columns += [
        TextColumn("printed", (PAPER,), frame["printed"].tolist()),
        TextColumn("ours", ("Counted",), [plain(int(count)) for count in frame["counted"]]),
        TextColumn("ours", ("Of the base (%)",), [f"{share:.3f}" for share in frame["share (%)"]]),
        TextColumn("label", ("Verdict",), frame["verdict"].tolist()),
    ]
    keys = [f"count-{place}" for place in range(1, len(frame) + 1)]
    table = Table(output, keys, columns, [[verdict] for verdict in frame["verdict"]], [NOTE], "", provenance)
    return frame, table

"""List the kinds of figures and their options."""

import sys

from rlvr.report.figures import kinds_table

if __name__ == "__main__":
    sys.stdout.write(kinds_table() + "\n")

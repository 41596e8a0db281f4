"""Where the files lie that commands read beside the library: studies, scales, schemas, configurations, the style."""

from pathlib import Path

from rlvr.core.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]
PACKED = PACKAGE / "share"  # pyproject.toml puts them there when a wheel is built
CHECKOUT = PACKAGE.parents[2]


def shared_root() -> Path:
    """The folder under which shared files have the paths of the repository: of the wheel, otherwise of the checkout.

    Raises:
        InputError: If the library was copied without them.
    """
    for root in (PACKED, CHECKOUT):
        if (root / "workflow" / "studies").is_dir():
            return root
    raise InputError(PACKAGE, "has no 'share' beside it.", "Install with pip, or work in a checkout of the repository.")

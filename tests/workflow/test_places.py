"""Projects that take no files, in mounts of their own: the call ends in one sentence before any job."""

import os
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import Checkout
from mounting import may_mount

TABLE = "results/tiny/data/deepmath-hard/train.parquet"
READ = "its disk is mounted read-only."
FULL = "mount -t tmpfs -o size=256k none results && head -c 128k /dev/zero > results/other"

pytestmark = pytest.mark.skipif(not may_mount(), reason="no right to mount a disk that is full or read-only")


def read_only(folder: str) -> str:
    """Commands that mount a folder on itself, for reading only."""
    quoted = shlex.quote(folder)
    return f"mount --bind {quoted} {quoted} && mount -o remount,bind,ro {quoted}"


def ended(checkout: Checkout, mounts: str, *arguments: str, before: str = "", target: str = TABLE) -> tuple[int, str]:
    """Status and output of snakemake behind these mounts, of which the rest of the machine sees nothing.

    Args:
        checkout: Where it is called.
        mounts: Commands of the shell before; they may change folders, too.
        arguments: Of snakemake, beside the target.
        before: What stands before the call, e.g. variables.
        target: What is asked for.
    """
    for folder in (".snakemake", "results/tiny/logs", "results/tiny/data"):
        (checkout.root / folder).mkdir(parents=True, exist_ok=True)
    call = shlex.join([sys.executable, "-m", "snakemake", "--cores", "1", target, *arguments])
    root = shlex.quote(str(checkout.root))
    script = f"cd {root} && {mounts} && cd / && cd {root} && {before} {call}"
    done = subprocess.run(
        ["unshare", "--mount", "bash", "-c", script],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("mounts", "sentence"),
    [
        (read_only("."), f"InputError: .snakemake: cannot be written: {READ}"),
        (read_only("results/tiny/data"), f"InputError: results/tiny/data: cannot be written: {READ}"),
        (FULL, "InputError: results: cannot be written: the disk is full (131,072 bytes are free). Make space there"),
        ("rm -r results && ln -s /no/disk results", "InputError: results: is a link to /no/disk, which is not there."),
    ],
)  # fmt: skip
def test_a_dry_run_says_where_nothing_can_be_written(checkout: Checkout, mounts: str, sentence: str) -> None:
    status, out = ended(checkout, mounts, "-n")
    assert status == 1 and out.strip().splitlines()[-1].startswith(sentence), out
    assert "Traceback" not in out


def test_what_is_not_written_may_be_read_only(checkout: Checkout) -> None:
    """Finished runs may lie on a disk for reading while a table of data is made."""
    (checkout.root / "results/tiny/train").mkdir(parents=True)
    status, out = ended(checkout, read_only("results/tiny/train"), "-n")
    assert status == 0 and "curate_dataset" in out, out


RUN = "qwen3-8b_deepmath-hard_lora-r8_bs64_s42"
LONG = pytest.mark.long  # a plan of three seconds each
NO_RIGHTS = "setpriv --bounding-set=-dac_override,-dac_read_search"  # root without them meets closed folders


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="no setpriv to give up the rights of root")
@pytest.mark.parametrize(
    ("place", "mode", "target"),
    [
        pytest.param(f"train/{RUN}", "000", f"train/{RUN}/run.json", marks=LONG),  # found before the plan
        pytest.param(f"train/{RUN}", "555", f"train/{RUN}/run.json", marks=LONG),  # found by what the plan writes
        (f"evaluate/{RUN}/main", "000", f"evaluate/{RUN}/main/scores.parquet"),  # met while planning
    ],
)
def test_a_folder_that_is_closed_to_the_user_is_named(checkout: Checkout, place: str, mode: str, target: str) -> None:
    folder = f"results/tiny/{place}"
    status, out = ended(
        checkout, f"mkdir -p {folder} && chmod {mode} {folder}", "-n", before=NO_RIGHTS, target=f"results/tiny/{target}"
    )
    (checkout.root / folder).chmod(0o755)
    sentence = f"InputError: {folder}: is closed to this user."
    assert status == 1 and out.strip().splitlines()[-1].startswith(sentence), out
    assert "Traceback" not in out


UNUSED = "TMPDIR=/mnt takes no files; temporary ones go to "
SMALL = "mount -t tmpfs -o size=64k none /mnt"


@pytest.mark.parametrize(
    ("mounts", "before", "last", "status"),
    [
        (f"{SMALL} && head -c 60k /dev/zero > /mnt/other", "TMPDIR=/mnt", "InputError: /mnt (for temporary files)", 1),
        pytest.param(f"{SMALL} && head -c 64k /dev/zero > /mnt/other", "TMPDIR=/mnt", UNUSED, 0, marks=LONG),
        pytest.param("true", "TMPDIR=/mnt/none", "TMPDIR=/mnt/none takes no files; ", 0, marks=LONG),
        pytest.param(f"{SMALL} && chmod 555 /mnt", f"TMPDIR=/mnt {NO_RIGHTS}", UNUSED, 0, marks=LONG),
    ],
)  # fmt: skip
def test_a_folder_of_temporary_files_that_takes_none(
    checkout: Checkout, mounts: str, before: str, last: str, status: int
) -> None:
    found, out = ended(checkout, mounts, "-n", before=before)
    lines = out.strip().splitlines()
    assert found == status and "Traceback" not in out, out
    assert lines[-1].startswith(last) if status else any(line.startswith(last) for line in lines), out


@pytest.mark.nightly  # three calls that fetch and curate; what a job says then is tested in unit/test_writable.py
def test_a_disk_that_fills_up_ends_the_call_in_a_sentence(checkout: Checkout) -> None:
    """The base fits and the problems do not; what is half written is taken for nothing, and with space it is done."""
    status, out = ended(checkout, "mount -t tmpfs -o size=420k none results")
    assert status == 1 and "Traceback" not in out
    assert "cannot be written: the disk is full. Make space there" in out
    again = ended(checkout, "mount -t tmpfs -o size=420k none results", before=(
        f"{shlex.join([sys.executable, '-m', 'snakemake', '--cores', '1', TABLE])} &> /dev/null;"
        f" test ! -e {TABLE} && mount -o remount,size=8m results &&"
    ))  # fmt: skip
    assert again[0] == 0 and "1 of" in again[1] and "install_model" not in again[1], again[1]

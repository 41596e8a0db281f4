"""Limits on the resources of one program, and how they are set in the kernel."""

import resource
from dataclasses import dataclass

MIB = 2**20


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one program. ASSUME: every value; an MBPP program needs milliseconds and a few megabytes.

    Attributes:
        wall_s: Wall-clock seconds for the program and all its tests.
        cpu_s: CPU seconds of each process, whole ones.
        memory_bytes: Address space of each process beyond what the interpreter holds when the program starts.
        file_bytes: Largest file.
        disk_bytes: Everything in the temporary directory, which lies in memory where there are namespaces.
        open_files: File descriptors of each process.
        processes: Processes and threads at once, the sandbox's own three included.
    """

    wall_s: float = 10.0
    cpu_s: int = 5
    memory_bytes: int = 512 * MIB
    file_bytes: int = 8 * MIB
    disk_bytes: int = 32 * MIB
    open_files: int = 32
    processes: int = 8


def apply_limits(limits: Limits) -> None:
    """Bind this process and its children, for good."""
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, limits.cpu_s)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    _limit(resource.RLIMIT_NOFILE, limits.open_files)
    _limit(resource.RLIMIT_AS, _held_bytes() + limits.memory_bytes)
    _limit(resource.RLIMIT_NPROC, limits.processes)


def _limit(kind: int, most: int) -> None:
    """Lower a limit; one that the caller runs under and that is lower already stays."""
    ceiling = resource.getrlimit(kind)[1]
    most = most if ceiling == resource.RLIM_INFINITY else min(most, ceiling)
    resource.setrlimit(kind, (most, most))


def _held_bytes() -> int:
    """Address space at the start, at most: what this small interpreter has ever held, plus its mapped libraries."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 + 64 * MIB

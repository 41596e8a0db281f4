"""Linux namespaces: a user, a file tree, a process tree and a network of a program's own, set up without privileges.

What is inside sees Python's own files and the system's libraries, read-only, ``/dev/null`` and an empty ``/tmp`` in
memory: no home, no ``/proc``, no other process, no network device that is up.

SOURCE: the manual pages user_namespaces(7), mount_namespaces(7), pid_namespaces(7) and pivot_root(2).
"""

import contextlib
import ctypes
import os
import signal
import sys
from pathlib import Path

NEW_MOUNTS, NEW_HOSTNAME, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
READ_ONLY, NO_SETUID, NO_DEVICES, NO_EXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = (
    0x1, 0x2, 0x4, 0x8, 0x20, 0x1000, 0x4000, 0x40000,
)  # fmt: skip
DETACH = 0x2
DIE_WITH_PARENT, ADOPT_ORPHANS, HIDE_MEMORY, NO_NEW_PRIVILEGES = 1, 36, 4, 38  # prctl
CAPABILITIES_VERSION = 0x20080522
NOBODY = 65534  # owns no file and no process, by custom
LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64")
OLD, TEMPORARY, NULL = "/old", "/tmp", "/dev/null"

_libc = ctypes.CDLL(None, use_errno=True)


def enter_walls() -> None:
    """Move this process's future into namespaces of its own: it returns in a child, which is process 1 there.

    The process that called waits for that child and ends with it.

    Raises:
        OSError: If this system does not allow it; the message names the step.
    """
    _unshare_mapped()
    _forbid_further_users()
    _build_root([sys.base_prefix, sys.base_exec_prefix, *LIBRARIES])
    die_with_parent()
    if child := os.fork():
        os.waitpid(child, 0)
        os._exit(0)
    die_with_parent()
    os.setsid()


def enter_cell(disk_bytes: int) -> None:
    """Inside the walls: a mount tree with an empty ``/tmp`` in memory, and a process tree for the next child."""
    _check(_libc.unshare(NEW_MOUNTS | NEW_PIDS | NEW_IPC), "unshare")
    _mount_memory(TEMPORARY, f"size={disk_bytes},nr_inodes=1024,mode=1777")
    os.chdir(TEMPORARY)


def drop_privileges() -> None:
    """Be nobody if this is root, hold no capability, and never gain one."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    header, none = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0), (ctypes.c_uint32 * 6)()
    _check(_libc.capset(header, none), "capset")
    _control(NO_NEW_PRIVILEGES, 1)


def die_with_parent() -> None:
    """Be killed when the process that forked this one ends."""
    _control(DIE_WITH_PARENT, signal.SIGKILL)


def adopt_orphans() -> None:
    """Become the parent of descendants whose own parent ends."""
    _control(ADOPT_ORPHANS, 1)


def hide_memory() -> None:
    """Let no other process of the same user read this one's memory or open its files."""
    _control(HIDE_MEMORY, 0)


def _unshare_mapped() -> None:
    """New namespaces; root's keeps root and gains nobody, another user's keeps that user."""
    user, group, caller = os.geteuid(), os.getegid(), os.getpid()
    read_end, write_end = os.pipe()
    mapper = os.fork()
    if mapper == 0:
        os.close(write_end)
        os._exit(_map_identities(caller, user, group) if os.read(read_end, 1) else 1)
    os.close(read_end)
    try:
        _check(
            _libc.unshare(NEW_USER | NEW_MOUNTS | NEW_PIDS | NEW_NETWORK | NEW_IPC | NEW_HOSTNAME), "unshare namespaces"
        )
        os.write(write_end, b"+")
    finally:
        os.close(write_end)
        _, status = os.waitpid(mapper, 0)
    if status:
        raise PermissionError("cannot map users into a namespace")


def _map_identities(process: int, user: int, group: int) -> int:
    """Written from outside, as only that lets root map a second user. The exit status: 0 if it worked."""
    folder = Path(f"/proc/{process}")
    try:
        (folder / "setgroups").write_text("allow" if user == 0 else "deny", encoding="ascii")
        (folder / "uid_map").write_text(_map(user), encoding="ascii")
        groups = _map(group) if user else f"{group} {group} 1\n{NOBODY} {NOBODY} 1\n"
        (folder / "gid_map").write_text(groups, encoding="ascii")
    except OSError:
        return 1
    return 0


def _map(identity: int) -> str:
    more = f"{NOBODY} {NOBODY} 1\n" if identity == 0 else ""
    return f"{identity} {identity} 1\n{more}"


def _forbid_further_users() -> None:
    """No user namespaces within this one, where that can be said: they would hand out capabilities again."""
    with contextlib.suppress(OSError):
        Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="utf-8")


def _build_root(visible: list[str]) -> None:
    """Make a tree in memory the root and show some of the old one in it."""
    shown = {path: os.path.realpath(path) for path in visible if path not in ("/", "/usr") and Path(path).is_dir()}
    _check(_libc.mount(b"none", b"/", None, RECURSIVE | PRIVATE, None), "make mounts private")
    _mount_memory(TEMPORARY, "size=1m,mode=755")
    Path(TEMPORARY + OLD).mkdir()
    _check(_libc.pivot_root(TEMPORARY.encode(), (TEMPORARY + OLD).encode()), "pivot_root")
    os.chdir("/")
    for path, source in shown.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _show(OLD + source, path)
    Path(NULL).parent.mkdir()
    Path(NULL).touch()
    _bind(OLD + NULL, NULL)
    Path(TEMPORARY).mkdir()
    _check(_libc.umount2(OLD.encode(), DETACH), "unmount the old root")
    Path(OLD).rmdir()
    _check(_libc.mount(None, b"/", None, REMOUNT | READ_ONLY | NO_SETUID | NO_DEVICES, None), "make / read-only")


def _show(source: str, path: str) -> None:
    """Bind a folder, read-only; restrictions that it already has must be repeated."""
    _bind(source, path)
    kept = os.statvfs(path).f_flag & (NO_SETUID | NO_DEVICES | NO_EXEC)
    flags = REMOUNT | BIND | READ_ONLY | NO_SETUID | NO_DEVICES | kept
    _check(_libc.mount(None, path.encode(), None, flags, None), f"make {path} read-only")


def _bind(source: str, path: str) -> None:
    _check(_libc.mount(source.encode(), path.encode(), None, BIND | RECURSIVE, None), f"bind {path}")


def _mount_memory(path: str, options: str) -> None:
    done = _libc.mount(b"tmpfs", path.encode(), b"tmpfs", NO_SETUID | NO_DEVICES, options.encode())
    _check(done, f"mount memory on {path}")


def _control(option: int, value: int) -> None:
    _check(_libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0), f"prctl {option}")


def _check(result: int, step: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{step}: {os.strerror(error)}")

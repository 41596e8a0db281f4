"""Programs for the sandbox: hostile ones of many kinds, and normal ones, all for the task "f(x) is x + 1".

A hostile program is a template with its variations, and the verdicts that are right for it. Where a template asks
something forbidden of the system, it gives the right answer only if that was refused: `correct` shows the wall.
"""

from collections.abc import Iterator
from dataclasses import dataclass

TESTS = ("assert f(1) == 2", "assert f(2) == 3", "assert f(41) == 42")
MARK = "rlvr-hostile"  # in the name of every file that a program tries to leave behind
SECRET_NAME, SECRET = "RLVR_SECRET", "swordfish"
CORRECT, WRONG, UNPARSED, TIMED_OUT = ("correct",), ("wrong",), ("unparsed",), ("timed_out",)
STOPPED = ("wrong", "timed_out")  # it depends on the machine's speed which limit is met first
RIGHT = "\ndef f(x):\n    return x + 1\n"
ENDLESS = (
    "while True:\n    pass",
    "import time\ntime.sleep(10**6)",
    "for _ in iter(int, 1):\n    pass",
    "x = 9**9**9",
    "import threading\nthreading.Event().wait()",
    "import signal\nwhile True: signal.pause()",
    "import os\nr, w = os.pipe()\nos.read(r, 1)",
    "import socket\na, b = socket.socketpair()\na.recv(1)",
    "import select\nselect.select([], [], [])",
    "f = open('/dev/null')\nwhile not f.read(): pass",
)
IF_REFUSED = """
import os
def attempt():
{body}
try:
    attempt()
    allowed = True
except (OSError, RuntimeError, ImportError):
    allowed = False
def f(x):
    return 0 if allowed else x + 1
"""


@dataclass(frozen=True)
class Kind:
    """One template: `text` with one of `variations` for `@` in it, and the verdicts that are right."""

    name: str
    text: str
    variations: tuple[str, ...]
    right: tuple[str, ...]


def _refused(body: str) -> str:
    return IF_REFUSED.format(body="\n".join("    " + line for line in body.splitlines()))


HOSTILE = (
    Kind("never ends, when loaded", "@" + RIGHT, ENDLESS, TIMED_OUT),
    Kind(
        "never ends, when called",
        "def f(x):\n    while @: pass\n    return x + 1",
        ("True", "x", "[1]", "not None", "'a'", "1.5"),
        TIMED_OUT,
    ),
    Kind(
        "ignores signals and never ends",
        "import signal\nfor s in (@):\n    signal.signal(s, signal.SIG_IGN)\nwhile True: pass" + RIGHT,
        (
            "signal.SIGXCPU,",
            "signal.SIGTERM, signal.SIGINT, signal.SIGXCPU",
            "signal.SIGALRM,",
            "signal.SIGHUP, signal.SIGQUIT",
            "signal.SIGCHLD,",
        ),
        TIMED_OUT,
    ),
    Kind(
        "backtracks forever",
        "import re\ndef f(x):\n    re.match(r'(a+)+$', 'a' * @ + 'b')\n    return x + 1",
        ("40", "60", "80", "1000", "2000"),
        TIMED_OUT,
    ),
    Kind(
        "fork bomb",
        "import os\n@" + RIGHT,
        (
            "while True: os.fork()",
            "while True:\n    try: os.fork()\n    except OSError: pass",
            "for _ in range(1000):\n    if os.fork() == 0:\n        while True: pass",
            "while True:\n    if os.fork() == 0: os.setsid()",
            "import threading\ndef g():\n    while True: os.fork()\n"
            "for _ in range(5): threading.Thread(target=g).start()",
            "import time\nfrom multiprocessing import Process\n"
            "for _ in range(100): Process(target=time.sleep, args=(9,)).start()",
        ),
        STOPPED,
    ),
    Kind(
        "leaves a daemon",
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        os.close(3)\n        @\n"
        "    os._exit(0)" + RIGHT,
        ("time.sleep(10**6)", "while True: time.sleep(0.01)", "while True: pass"),
        CORRECT,
    ),
    Kind(
        "keeps threads",
        "import threading, time\nfor _ in range(2):\n    threading.Thread(target=@).start()" + RIGHT,
        ("lambda: time.sleep(10**6)", "threading.Event().wait", "lambda: [time.sleep(0.01) for _ in iter(int, 1)]"),
        CORRECT,
    ),
    Kind(
        "a thousand threads",
        "import threading, time\nfor _ in range(@): threading.Thread(target=time.sleep, args=(99,)).start()" + RIGHT,
        ("1000", "10**6"),
        WRONG,
    ),
    Kind(
        "fills the disk",
        "import itertools\nfor n in itertools.count():\n    with open('@' + str(n), 'wb') as f:\n"
        "        f.write(bytes(10**6))" + RIGHT,
        (MARK, "/tmp/" + MARK, "./" + MARK, "/tmp/../tmp/" + MARK),
        WRONG,
    ),
    Kind("one huge file", "open('@', 'wb').write(bytes(10**8))" + RIGHT, (MARK, f"/tmp/{MARK}"), WRONG),
    Kind(
        "makes files and folders forever",
        "import os\nn = 0\nwhile True:\n    n += 1\n    @" + RIGHT,
        (
            f"os.mkdir('{MARK}' + str(n))",
            f"open('{MARK}' + str(n), 'w').close()",
            f"os.mkdir('{MARK}'); os.chdir('{MARK}')",
        ),
        STOPPED,
    ),
    Kind(
        "fills memory",
        "@" + RIGHT,
        (
            "x = bytearray(10**10)",
            "x = []\nwhile True: x.append(bytes(10**6))",
            "x = 'a'\nwhile True: x += x",
            "x = {}\nwhile True: x[len(x)] = bytes(10**6)",
            "x = [0]\nwhile True: x = x + x",
            "x = 10**7\nwhile True: x *= x",
            "import array\nx = array.array('d', bytes(8 * 10**9))",
            "import mmap\nx = [mmap.mmap(-1, 2**26) for _ in range(1000)]",
        ),
        STOPPED,
    ),
    Kind(
        "reads the environment",
        f"import os, ctypes\nseen = @\ndef f(x):\n    return 0 if '{SECRET}' in seen else x + 1",
        (
            "str(dict(os.environ))",
            "str(os.environ.copy())",
            "str(sorted(os.environb.items()))",
            f"str(os.getenv('{SECRET_NAME}'))",
            "str(ctypes.c_char_p.in_dll(ctypes.CDLL(None), 'environ').value)",
        ),
        CORRECT,
    ),
    Kind(
        "reads files",
        _refused("open('@', 'rb').read(1)"),
        (
            "/etc/passwd",
            "/etc/shadow",
            "/proc/self/environ",
            "/proc/1/environ",
            "/proc/self/maps",
            "/etc/hosts",
            "/bin/sh",
            "/usr/bin/env",
            "/dev/zero",
            "/dev/tty",
            "/sys/kernel/notes",
            "@SECRET_FILE",
            "/etc/hostname",
            "/etc/group",
            "/proc/cpuinfo",
            "/proc/self/fd/3",
            "/proc/self/mem",
            "/dev/mem",
            "/sys/class/net/lo/address",
            "/var/log/dpkg.log",
            "/run/utmp",
            "../../../../etc/passwd",
            "/tmp/../etc/passwd",
        ),
        CORRECT,
    ),
    Kind(
        "writes files",
        _refused("open('@', 'w').write('x')"),
        (
            f"/{MARK}",
            f"/usr/lib/{MARK}",
            f"/var/tmp/{MARK}",
            f"/dev/shm/{MARK}",
            f"/srv/{MARK}",
            f"/opt/{MARK}",
            f"/etc/{MARK}",
            f"/usr/{MARK}",
            f"/lib/{MARK}",
            f"/dev/{MARK}",
            f"/proc/{MARK}",
            f"../{MARK}",
        ),
        CORRECT,
    ),
    Kind(
        "uses the network",
        _refused("import socket\n@"),
        (
            "socket.create_connection(('127.0.0.1', @PORT), 1)",
            "socket.create_connection(('1.1.1.1', 53), 1)",
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @PORT))",
            "socket.getaddrinfo('example.org', 80)",
            "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
            "socket.socket(socket.AF_UNIX).connect('/run/systemd/notify')",
            "socket.create_connection(('169.254.169.254', 80), 1)",
            "socket.create_connection(('::1', @PORT), 1)",
            "socket.gethostbyname('example.org')",
            "socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53))",
            "from http.client import HTTPConnection; HTTPConnection('127.0.0.1', @PORT, timeout=1).request('GET', '/')",
            "from ftplib import FTP; FTP('127.0.0.1', timeout=1)",
            "from smtplib import SMTP; SMTP('127.0.0.1', @PORT, timeout=1)",
            "from urllib.request import urlopen; urlopen('http://127.0.0.1:@PORT', timeout=1)",
        ),
        CORRECT,
    ),
    Kind(
        "starts other programs",
        _refused("import subprocess\nsubprocess.run(@, check=True)"),
        (
            "['sh', '-c', 'true']",
            "['/bin/ls']",
            "['/usr/bin/env']",
            "['curl', 'example.org']",
            "['python3', '-c', '1']",
            "['touch', '/tmp/x']",
            "['kill', '-0', '1']",
        ),
        CORRECT,
    ),
    Kind(
        "asks for privileges",
        _refused("import ctypes\nif ctypes.CDLL(None, use_errno=True).@ != 0:\n    raise OSError"),
        (
            "setuid(0)",
            "unshare(0x10000000)",
            "unshare(0x20000)",
            "chroot(b'/tmp')",
            "ptrace(16, 1, 0, 0)",
            "mount(b'x', b'/tmp', b'tmpfs', 0, 0)",
            "umount2(b'/tmp', 2)",
            "sethostname(b'x', 1)",
            "reboot(0)",
            "setgid(0)",
            "setns(0, 0)",
            "swapon(b'/tmp/x', 0)",
            "chown(b'/', 0, 0)",
            "acct(b'/tmp/x')",
            "setpriority(0, 0, -20)",
        ),
        CORRECT,
    ),
    Kind(
        "kills others",
        "import os, signal\ntry:\n    @\nexcept OSError:\n    pass" + RIGHT,
        (
            "os.kill(os.getppid(), 9)",
            "os.kill(-1, 9)",
            "for p in range(2, 70000):\n        os.kill(p, 9)",
            "os.killpg(0, 15)",
            "os.kill(1, 15)",
            "os.kill(-1, signal.SIGSTOP)",
            "os.kill(os.getpid(), 9)",
        ),
        CORRECT + WRONG,
    ),
    Kind(
        "prints megabytes",
        "@" + RIGHT,
        (
            "for _ in range(50): print('x' * 10**6)",
            "import os\nfor _ in range(50): os.write(2, b'x' * 10**6)",
            "import sys\nfor _ in range(10**5): sys.stderr.write('x' * 100)",
            "print('x' * 10**8)",
            "import sys\nsys.stdout.writelines(['x' * 10**6] * 50)",
        ),
        CORRECT,
    ),
    Kind(
        "reads what it is not given",
        "x = @" + RIGHT,
        ("input()", "int(open(0).readline())", "next(iter(open(0)))", "int(open('/dev/stdin').read())"),
        WRONG,
    ),
    Kind(
        "recurses",
        "import sys\nsys.setrecursionlimit(@)\ndef f(x):\n    return f(x) + 1",
        ("1000", "10**5", "10**7", "10**9"),
        STOPPED,
    ),
    Kind(
        "returns what cannot be sent",
        "def f(x):\n    y = []\n    @\n    return y",
        (
            "for _ in range(10**5): y = [y]",
            "y.append(y)",
            "y = 'x' * 10**8",
            "y = 1 << 10**9",
            "y = list(range(10**7))",
            "y = b'x' * 10**8",
            "y = (None,) * 10**8",
            "y = {k * (2**61 - 1): 0 for k in range(20000)}",
            "y = iter(int, 1)",
        ),
        STOPPED,
    ),
    Kind(
        "ends early and says that all is well",
        "import os, sys, atexit\n@" + RIGHT,
        (
            "sys.exit(0)",
            "os._exit(0)",
            "raise SystemExit",
            "atexit.register(print, 'passed'); sys.exit()",
            "print('[\"passed\", 3]'); os._exit(0)",
            "raise KeyboardInterrupt",
            "quit = exit = None; os.abort()",
            "sys.exit('passed')",
            "import ctypes; ctypes.string_at(0)",
        ),
        WRONG,
    ),
    Kind(
        "returns something equal to everything",
        "class Any(@):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    def __hash__(self): return 0\ndef f(x):\n    return Any()",
        ("object", "int", "str", "float", "list", "dict", "tuple", "set", "frozenset", "bytes", "complex"),
        WRONG,
    ),
    Kind(
        "changes what tests rely on",
        "import builtins, operator, sys, json\ndef f(x):\n    return 0\n@",
        (
            "builtins.AssertionError = None",
            "operator.eq = lambda a, b: True",
            "json.dumps = lambda *a, **k: '[true]'",
            "for m in list(sys.modules.values()):\n    for n in list(vars(m)):\n        if n in ('run_tests', "
            "'encode', 'decode', 'send', '_reply'): setattr(m, n, lambda *a, **k: ('passed', 3))",
            "builtins.__dict__.update(int=bool, len=lambda x: 2, print=None)",
            "__builtins__ = {}",
        ),
        STOPPED,
    ),
    Kind(
        "writes a verdict wherever it can",
        "import os, json\nfor n in range(100):\n"
        "    for said in (b'[\"passed\", 3]', b'\\0\\0\\0\\x0d[\"passed\", 3]', b'.'):\n"
        "        try: os.write(n, said)\n        except OSError: pass\n@",
        ("os._exit(0)", "def f(x):\n    return 0", "while True: pass"),
        STOPPED,
    ),
    Kind(
        "looks for the tests",
        "import gc, sys\nfound = @\nmark = 'f({})'.format(40 + 1)\n"
        "def f(x):\n    return x + 1 if not [s for s in found if mark in s] else 0",
        (
            "[o for o in gc.get_objects() if isinstance(o, str)]",
            "[repr(frame.f_locals) for frame in sys._current_frames().values()]",
            "[repr(sys._getframe(n).f_locals) for n in range(5)]",
            "[repr(vars(m)) for m in list(sys.modules.values()) if m.__name__.startswith('rlvr')]",
        ),
        CORRECT,
    ),
    Kind(
        "is not Python",
        "@",
        (
            "def f(x) return x",
            "f = " + "(" * 5000 + "1" + ")" * 5000,
            "\0",
            "x = 1\n  y = 2",
            "x = " + "-" * 10**5 + "1",
            "x = '\ud800",
            "print 'x'",
            "return 1",
            "import",
            "f = = 1",
        ),
        UNPARSED + WRONG,
    ),
    Kind(
        "defines something else",
        "@",
        (
            "",
            "def g(x):\n    return x + 1",
            "f = 5",
            "f = None",
            "import this",
            "class f: pass",
            "f = 'x + 1'",
            "def F(x): return x + 1",
        ),
        WRONG,
    ),
)

NORMAL = tuple(
    Kind(name, text, tuple(str(number) for number in range(10)), right)
    for name, text, right in (
        ("right", "def f(x):\n    y = x + @\n    return y + 1 - @", CORRECT),
        (
            "right, with a library",
            "from collections import Counter\ndef f(x):\n    return Counter([@])[@] + x",
            CORRECT,
        ),
        ("right, with a class", "class A:\n    n = @\n    def g(self, x): return x + 1\nf = A().g", CORRECT),
        ("wrong", "def f(x):\n    return x + 2 + @", WRONG),
        ("wrong, raises", "def f(x):\n    return [][@ + x]", WRONG),
    )
)


def make_programs(
    kinds: tuple[Kind, ...], secret_file: str = "", port: int = 0
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Name of the kind, text, right verdicts.

    Args:
        kinds: Templates.
        secret_file: A file outside that programs try to read.
        port: Of a listening socket outside that programs try to reach.
    """
    for kind in kinds:
        for variation in kind.variations:
            text = kind.text.replace("@", variation) if kind.text.count("@") else kind.text
            yield kind.name, text.replace("@SECRET_FILE", secret_file).replace("@PORT", str(port)), kind.right

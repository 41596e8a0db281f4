"""Every kind of hostile program meets its wall, honest ones pass, and nothing is left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from rlvr.core.errors import InputError
from rlvr.core.provenance import LIBRARY
from rlvr.grading.code.sandbox import launch
from rlvr.grading.code.sandbox.launch import Cases, Outcome, Server, ServerLostError, run_tests
from rlvr.grading.code.sandbox.limits import Limits
from rlvr.grading.code.sandbox.values import decode, encode

LIMITS = Limits(wall_s=2.0, cpu_s=1, disk_bytes=2**22, file_bytes=2**20)
TESTS = Cases(("assert f(1) == 2", "assert f(41) == 42"))
RIGHT = "\ndef f(x):\n    return x + 1\n"
PASSED = Outcome("passed", 2)

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox needs Linux")


@pytest.fixture(scope="module", autouse=True)
def walled_or_skipped():
    """Walled off whatever the environment says: some of these programs would kill everything they can see."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(launch.WALLS, raising=False)
        skip_without_walls()
        yield


def skip_without_walls():
    try:
        run_tests("", TESTS, LIMITS)
    except InputError as error:
        pytest.skip(str(error))


def run(program: str, cases: Cases = TESTS) -> Outcome:
    return run_tests(program, cases, LIMITS)


def refused(body: str) -> str:
    """A program that is right only if the system refuses what it tries."""
    return f"try:\n    {body}\n    y = 0\nexcept OSError:\n    y = 1\ndef f(x):\n    return x + y"


def own_processes() -> list[psutil.Process]:
    """Processes that this test's servers run, without the two that each server needs for itself."""
    living = [process for process in psutil.Process().children() if process.status() != psutil.STATUS_ZOMBIE]
    servers = [process for process in living if launch.server.__name__ in " ".join(process.cmdline())]
    return [process for each in servers for child in each.children() for process in child.children(recursive=True)]


def test_right_and_wrong_programs():
    assert run(RIGHT) == PASSED
    assert run("def f(x): return 2") == Outcome("failed", 1)
    assert run("def f(x): return None + x") == Outcome("failed", 0)
    assert run("raise ValueError" + RIGHT) == Outcome("failed", 0)
    assert run("def g(x): return x + 1") == Outcome("failed", 0)
    assert run("") == Outcome("failed", 0)
    assert run("if __name__ == '__main__':\n    input()" + RIGHT) == PASSED


@pytest.mark.parametrize(
    "text", ["def f(x) return x", "\0", "f = " + "(" * 5000, "x = '\ud800'", "print 'x'", "-" * 10**5]
)
def test_what_is_no_program(text):
    assert run(text).how == "not python"


@pytest.mark.parametrize(
    ("test", "body"),
    [
        ("assert f(Node(1, Node(2))) == 2", "f = lambda n: n.next.v"),
        ("n = Node(1, None); n.next = Node(7, None); assert f(n) == 7", "f = lambda n: n.next.v"),
        ("assert list(f(3)) == [0, 1, 2]", "f = lambda n: (i for i in range(n))"),
        ("assert set(f()) == {1, 'a', None}", "f = lambda: map(lambda x: x, [1, 'a', None])"),
        ("assert f((4, 'a', 2.5), str) == [4, 2.5]", "f = lambda t, k: [x for x in t if not isinstance(x, k)]"),
        ("assert f(**{'a': 1}) == {'a': 1}", "f = lambda **k: k"),
        ("assert f('aab') == {'a': 2, 'b': 1}", "from collections import Counter\nf = Counter"),
        (
            "assert f() == {1: [2]}",
            "from collections import defaultdict\nd = defaultdict(list)\nd[1] += [2]\nf = lambda: d",
        ),
        (
            "assert f() == (1, (2, 3))",
            "from collections import namedtuple\nf = lambda: namedtuple('P', 'a b')(1, (2, 3))",
        ),
        ("assert f(2) == 2 ** 100000", "f = lambda x: x ** 100000"),
        (
            "assert f() == (float('inf'), 1j, -0.0, b'x', frozenset({1}))",
            "f = lambda: (1e999, 1j, 0, b'x', frozenset([1]))",
        ),
        ("assert [f(i) for i in range(3)] == [0, 1, 4]", "f = lambda i: i * i"),
        ("assert (lambda: f(2))() == 3", "f = lambda x: x + 1"),
        ("assert f() == Node and str(f()) and f()", "f = lambda: Node"),
        ("assert math.isclose(f(), 0.3)", "f = lambda: 0.1 + 0.2"),
        ("assert sum(2, 3) == 6", "def sum(a, b): return a * b"),
    ],
)
def test_whatever_tests_of_programs_do(test, body):
    node = "class Node:\n    def __init__(self, v, n=None): self.v, self.next = v, n\n"
    assert run(node + body, Cases((test,), imports=("import math",), redefined=("sum",))) == Outcome("passed", 1)


def test_set_up_uses_the_program():
    cases = Cases(("assert f(root) == 3",), setup="root = Node(3)\nroot.left = Node(4)")
    assert (
        run("class Node:\n    def __init__(s, v): s.v = v\ndef f(n): return n.v if n.left else 0", cases).how
        == "passed"
    )


@pytest.mark.parametrize("kind", ["object", "int", "str", "float", "list", "dict"])
def test_equal_to_everything_is_equal_to_nothing(kind):
    body = f"class A({kind}):\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n"
    body += "    __hash__ = lambda s: 0\n"
    assert run(body + "def f(x): return A()").how == "failed"
    assert run(body + "def f(x): return A()", Cases(("assert set([f(1)]) == {2}",))).how == "failed"
    assert run(body + "def f(x): return [A()]", Cases(("assert f(1) == [2]",))).how == "failed"
    assert run(body + "def f(x): return [A()]", Cases(("assert 2 in f(1)",))).how == "failed"


@pytest.mark.parametrize(
    "trick",
    [
        "import sys; sys.exit(0)",
        "import os; os._exit(0)",
        "import os; os.abort()",
        "import atexit; atexit.register(print, 'passed'); raise SystemExit",
        "import builtins; builtins.AssertionError = None; builtins.isinstance = lambda a, b: True",
        "import json; json.dumps = lambda *a, **k: '[true]'",
        "def set(x): return 0\ndef sorted(x): return 0\ndef len(x): return 3",
        "import os\nfor n in range(99):\n    try: os.write(n, b'\\0\\0\\0\\x0d[\"passed\", 2]')\n"
        "    except OSError: pass",
        "import sys\nfor m in list(sys.modules.values()):\n    if m.__name__.startswith('rlvr'):\n        "
        "m.run_tests = m.receive = m.send = lambda *a: ('passed', 2)",
    ],
)  # fmt: skip
def test_verdicts_cannot_be_forged(trick):
    cases = Cases(("assert set(f(1)) == {2}", "assert sorted(f(2)) == [3]", "assert len(f(2)) == 3"))
    assert run(f"def f(x): return [0]\n{trick}", cases).how in ("failed", "gone", "timed out")


def test_a_program_never_sees_tests_or_expected_values():
    seen = "import gc, sys\nseen = [repr(o) for o in gc.get_objects()]\n"
    seen += "seen += [repr(sys._getframe(n).f_locals) for n in range(4)]\n"
    hunt = "def f(x):\n    mark = 'f({})'.format(40 + 1)\n    return 0 if any(mark in s for s in seen) else x + 1"
    assert run(seen + hunt) == PASSED


@pytest.mark.parametrize(
    "loop",
    [
        "while True: pass",
        "import time; time.sleep(99)",
        "import signal; signal.signal(24, signal.SIG_IGN)\nwhile 1: pass",
    ],
)
def test_what_never_ends_is_timed_out(loop):
    start = time.monotonic()
    assert run(loop + RIGHT).how == "timed out"
    assert time.monotonic() - start < LIMITS.wall_s + 10


def test_a_program_that_falls_silent_is_gone():
    assert run("import os; os.close(3)\nwhile True: pass" + RIGHT) == Outcome("gone", 0)


@pytest.mark.parametrize("body", ["y = [1]\n    y.append(y)", "y = 'x' * 10**7", "y = iter(int, 1)", "y = 1 << 10**8"])
def test_what_cannot_be_sent_is_wrong(body):
    assert run(f"def f(x):\n    {body}\n    return y").how == "failed"


def test_recursion_ends():
    assert run("def f(x): return f(x)").how == "failed"
    assert run("import sys; sys.setrecursionlimit(10**9)\ndef f(x): return f(x)").how in ("gone", "timed out", "failed")


def test_memory_is_limited():
    assert run("x = bytearray(2**30)" + RIGHT).how == "failed"
    assert run("x = []\nwhile True: x.append(bytes(2**20))" + RIGHT).how == "failed"
    assert run("x = bytearray(2**28)" + RIGHT) == PASSED


def test_the_disk_is_limited_and_swept():
    assert run("open('a', 'wb').write(bytes(2**19))" + RIGHT) == PASSED
    assert run("import os\nassert os.listdir('/tmp') == os.listdir('.') == []" + RIGHT) == PASSED
    assert run(refused("open('a', 'wb').write(bytes(2**21))")) == PASSED
    assert run(refused("[open(str(n), 'wb').write(bytes(2**19)) for n in range(99)]")) == PASSED
    assert run(refused("import os; [os.mkdir(str(n)) for n in range(9999)]")) == PASSED


def test_processes_are_limited_and_ended():
    """Tame ones first: the limit must hold before a bomb is lit."""
    count = (
        "import os, time\nn = 0\ntry:\n    while n < 50:\n        if os.fork() == 0: time.sleep(99)\n        n += 1\n"
    )
    assert run(count + "except OSError: pass\ndef f(x): return x + (0 < n < 8)") == PASSED
    assert run("import os\nwhile True: os.fork()" + RIGHT).how in ("failed", "gone", "timed out")
    assert (
        run("import threading\nfor _ in range(99): threading.Thread(target=threading.Event().wait).start()").how
        == "failed"
    )
    daemon = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(99)\n    os._exit(0)"
    )
    assert run(daemon + RIGHT) == PASSED
    assert own_processes() == []


def test_the_environment_is_empty(monkeypatch):
    monkeypatch.setenv("SECRET", "swordfish")
    look = "import os, ctypes\nassert not os.environ\nassert not ctypes.CDLL(None).getenv(b'SECRET')\n"
    assert run_tests(look + RIGHT, TESTS, Limits(wall_s=3.0)) == PASSED  # a server that was started just now


def test_files_outside_are_out_of_reach(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("swordfish")
    for path in (str(secret), "/etc/passwd", "/proc/self/environ", "/proc/1/cmdline", "/bin/sh", __file__):
        assert run(refused(f"open({path!r})")) == PASSED
    for path in (secret, "/x", f"{sys.base_prefix}/x", "/usr/lib/x", "/dev/shm/x", "/dev/x"):
        assert run(refused(f"open({str(path)!r}, 'w')")) == PASSED
    assert secret.read_text() == "swordfish"


def test_there_is_no_network():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert run(refused(f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)")) == PASSED
        assert run(refused("import socket; socket.getaddrinfo('example.org', 80)")) == PASSED


def test_no_other_programs_and_no_privileges():
    assert run(refused("import subprocess; subprocess.run(['sh', '-c', 'true'])")) == PASSED
    libc = "import ctypes; l = ctypes.CDLL(None, use_errno=True)\n    if l.{} != 0: raise OSError"
    for call in ("unshare(0x10000000)", "unshare(0x20000)", "setuid(0)", "chroot(b'/tmp')", "ptrace(16, 1, 0, 0)"):
        if call != "setuid(0)" or os.geteuid() == 0:
            assert run(refused(libc.format(call))) == PASSED


def test_nobody_outside_can_be_killed():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as bystander:
        for victim in ("-1", "os.getppid()", str(bystander.pid), str(os.getpid())):
            run(f"import os\nos.kill({victim}, 9)" + RIGHT)
        assert bystander.poll() is None
        bystander.communicate(b"\n")
    assert run(RIGHT) == PASSED


def test_printing_costs_nothing():
    assert run("for _ in range(20): print('x' * 10**6)" + RIGHT) == PASSED


def test_programs_cannot_see_each_other():
    run("import builtins, sys\nbuiltins.left = sys.left = 1; open('/tmp/left', 'w').close()" + RIGHT)
    assert run("import builtins, sys, os\nassert not hasattr(builtins, 'left') and not hasattr(sys, 'left')\n"
               "assert not os.path.exists('/tmp/left')" + RIGHT) == PASSED  # fmt: skip


def test_tests_that_misbehave_are_stopped():
    assert run(RIGHT, Cases(("while True: pass",))).how == "timed out"
    assert run(RIGHT, Cases(("import sys; sys.exit()",))).how == "failed"
    assert run(RIGHT, Cases(("f(lambda: 1)",))).how == "failed"


def test_order_of_sets_does_not_depend_on_the_server():
    program = "def f(): return list({'a', 'b', 'c', 'd', 'e', 'f'})"
    first = [run_tests(program, Cases((f"assert f()[0] == {c!r}",)), LIMITS).how for c in "abcdef"]
    other = [run_tests(program, Cases((f"assert f()[0] == {c!r}",)), Limits(wall_s=5.0)).how for c in "abcdef"]
    assert first == other
    assert first.count("passed") == 1


def test_threads_take_turns():
    found: list[Outcome] = []
    threads = [threading.Thread(target=lambda: found.append(run(RIGHT))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [PASSED] * 4


def test_a_lost_server_is_replaced_and_a_dead_one_is_an_error():
    server = Server(LIMITS, "namespaces")
    server._process.kill()
    with pytest.raises(ServerLostError):
        server.ask(RIGHT, TESTS)
    launch._server(os.getpid(), LIMITS)._process.kill()
    assert run(RIGHT) == PASSED


def test_a_server_ends_with_its_caller():
    script = (
        "import os, signal\nfrom rlvr.grading.code.sandbox.launch import *\n"
        "server = Server(Limits(), 'namespaces')\nprint(server._process.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    library = str(Path(launch.__file__).parents[4])
    done = subprocess.run([sys.executable, "-c", script], env={"PYTHONPATH": library}, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL
    pid = int(done.stdout)
    for _ in range(50):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.1)
    raise AssertionError("the server outlived its caller")


def test_without_namespaces_only_on_request():
    with pytest.raises(InputError, match="namespaces or limits"):
        Server(LIMITS, "none")
    server = Server(LIMITS, "limits")
    assert server.ask(RIGHT, TESTS) == PASSED
    assert server.ask("while True: pass", TESTS).how == "timed out"
    assert server.ask("open('a', 'w').write('x')" + RIGHT, TESTS) == PASSED
    assert server.ask("import os; assert not os.environ and not os.listdir('.')" + RIGHT, TESTS) == PASSED
    daemon = (
        "import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(99)\n    os._exit(0)"
    )
    server.ask(daemon + RIGHT, TESTS)
    assert psutil.Process(server._process.pid).children() == []
    server.close()


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        1 << 9000,
        1.5,
        float("-inf"),
        2j,
        "\ud800",
        b"\0",
        [1, (2, {3})],
        {(1, 2): {"a": None}},
        int,
    ],
)
def test_plain_values_travel(value):
    def never(_object: object) -> object:
        raise AssertionError

    back = decode(json.loads(json.dumps(encode(value, never))), never)
    assert back == value
    assert type(back) is type(value)


ASKED_TO_STOP = """
import signal
signal.signal(signal.SIGTERM, lambda *_: None)  # a trainer finishes its step first
from rlvr.grading.code.sandbox.launch import Cases, run_tests
print("ready", flush=True)
slow = "def slow(a):\\n    return sum(i % 7 for i in range(a))"
for _ in range(5):
    print(run_tests(slow, Cases(("assert slow(300000) > 0",))).how, flush=True)
"""


def test_a_scheduler_that_asks_every_process_of_a_job_to_stop_costs_no_program_its_tests():
    """Slurm finds a job's processes by their parents, so that a session of its own hides the server from nothing."""
    with subprocess.Popen(
        [sys.executable, "-c", ASKED_TO_STOP],
        env=os.environ | {"PYTHONPATH": str(LIBRARY)},
        stdout=subprocess.PIPE,
        text=True,
    ) as job:
        assert job.stdout.readline() == "ready\n"
        struck = 0
        while job.poll() is None:
            for each in psutil.Process(job.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    each.terminate()
                    struck += 1
            time.sleep(0.02)
        assert job.returncode == 0 and job.stdout.read() == 5 * "passed\n"
    assert struck > 5

"""Hostile programs: each is a failed item, and the machine is afterwards as it was before."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.execution.client import Server
from eval.execution.languages import tool_chain
from eval.execution.pool import run_program, run_programs
from eval.execution.program import Case, Outcome, Program, Verdict


def python(source: str, seconds: float = 2.0, memory_mib: int = 256) -> Program:
    return Program(
        language="python",
        source=textwrap.dedent(source),
        seconds=seconds,
        memory_mib=memory_mib,
    )


def run(source: str, seconds: float = 2.0) -> Outcome:
    return run_program(python(source, seconds))


def descendants(of: int | None = None) -> set[int]:
    """Return every process below one, this one unless given."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found, known = {of or os.getpid()}, 0
    while len(found) != known:
        known = len(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {of or os.getpid()}


@pytest.fixture(autouse=True)
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """After each test no process and no scratch file is left of it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    before = descendants()
    yield tmp_path
    assert descendants() - before == set()
    assert list((tmp_path / "temporary").iterdir()) == []


# The five of the evaluation's rules.


def test_a_fork_bomb_does_not_fork() -> None:
    outcome = run(
        """
        import os
        while True:
            try:
                os.fork()
            except BaseException:
                pass
        """
    )
    assert outcome.verdict is Verdict.FORBIDDEN


def test_no_file_outside_scratch_is_deleted(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    (victim / "inner").mkdir(parents=True)
    (victim / "inner" / "file").write_text("here")
    outcome = run(f"import shutil, os\nos.remove({str(victim / 'inner' / 'file')!r})")
    assert outcome.verdict is Verdict.FORBIDDEN
    outcome = run(f"import shutil\nshutil.rmtree({str(tmp_path)!r})")
    assert outcome.verdict is Verdict.FORBIDDEN
    run(f"import shutil\nshutil.rmtree({str(tmp_path)!r}, ignore_errors=True)")
    assert (victim / "inner" / "file").read_text() == "here"


def test_a_socket_is_not_opened() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0)
    address = listener.getsockname()
    for kind in ("AF_INET", "AF_UNIX", "AF_INET6", "AF_NETLINK"):
        outcome = run(
            f"""
            import socket
            try:
                s = socket.socket(socket.{kind}, socket.SOCK_STREAM if {kind!r} != 'AF_NETLINK' else 3)
                s.connect({address!r})
            except BaseException:
                pass
            """
        )
        assert outcome.verdict is Verdict.FORBIDDEN
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()


def test_a_huge_allocation_is_refused() -> None:
    assert run("x = bytearray(1 << 36)").verdict is Verdict.MEMORY
    assert run("x = []\nwhile True: x.append(bytearray(1 << 20))").verdict is Verdict.MEMORY


def test_an_endless_loop_is_ended() -> None:
    assert run("while True: pass", 1.0).verdict is Verdict.TIME


# Others.


@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
        "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\nwhile True: pass",
        "import time\nwhile True: time.sleep(1000)",
        "import threading\nthreading.Event().wait()",
        "import sys\nsys.stdin.read()\nimport time; time.sleep(99)",
    ],
)
def test_time_runs_out_however_the_program_clings_to_life(source: str) -> None:
    assert run(source, 1.0).verdict is Verdict.TIME


@pytest.mark.parametrize(
    "act",
    [
        "open({0!r}, 'w')",
        "open({0!r}, 'a').write('x')",
        "open({0!r}).read()",
        "os.truncate({0!r}, 0)",
        "os.open({0!r}, os.O_RDONLY | os.O_TRUNC)",
        "os.chmod({0!r}, 0o777)",
        "os.chown({0!r}, 12345, 12345)",
        "os.utime({0!r}, (1, 1))",
        "os.setxattr({0!r}, 'user.x', b'x')",
        "os.rename({0!r}, {0!r} + 'moved')",
        "os.rename({0!r}, 'mine')",
        "os.link({0!r}, 'mine')",
        "os.replace('/dev/null', {0!r})",
        "os.symlink({0!r}, 'link'); open('link', 'w')",
        "os.symlink('/', 'root'); open('root' + {0!r}).read()",
        "os.symlink({0!r}, 'link'); os.chdir('/'); open(os.readlink(HERE + '/link'))",
        "os.mkdir({0!r} + 'd')",
        "os.mkfifo({0!r} + 'f')",
        "os.listdir(os.path.dirname({0!r}))",
    ],
)
def test_a_file_outside_scratch_is_neither_read_nor_changed(act: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("secret")
    before, listing = victim.stat(), sorted(tmp_path.iterdir())
    outcome = run(f"import os\nHERE = os.getcwd()\n{act.format(str(victim))}")
    assert not outcome.passed
    assert victim.read_text() == "secret"
    after = victim.stat()
    assert (after.st_mode, after.st_uid, after.st_mtime_ns, after.st_nlink) == (
        before.st_mode,
        before.st_uid,
        before.st_mtime_ns,
        before.st_nlink,
    )
    assert sorted(tmp_path.iterdir()) == listing


@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/passwd",
        "/proc/1/environ",
        "/proc/self/environ",
        "/proc/self/mem",
        "/tmp",
        "~",
    ],
)
def test_what_is_not_a_programs_business_is_not_read(path: str) -> None:
    where = str(Path(path).expanduser())
    outcome = run(
        f"import os\nos.listdir({where!r}) if os.path.isdir({where!r}) else open({where!r})"
    )
    assert outcome.verdict is Verdict.FORBIDDEN


def test_the_environment_is_not_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    outcome = run(
        "import os\nassert 'hunter2' not in str(os.environ)\nassert 'SECRET' not in str(os.environ)"
    )
    assert outcome.passed


def test_no_descriptor_but_its_own_is_open() -> None:
    outcome = run(
        """
        import os
        found = []
        for number in range(4, 64):
            try:
                os.fstat(number)
                found.append(number)
            except OSError:
                pass
        assert not found, found
        """
    )
    assert outcome.passed, outcome


def test_a_thread_bomb_is_ended() -> None:
    outcome = run(
        """
        import threading, time
        threading.stack_size(65536)
        while True:
            try:
                threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
            except RuntimeError:
                pass
        """
    )
    assert outcome.verdict in (Verdict.FORBIDDEN, Verdict.MEMORY)


@pytest.mark.parametrize("whom", ["os.getppid()", "-1", "0", "1", "{mine}"])
def test_no_other_process_is_signalled(whom: str) -> None:
    sleeper = subprocess.Popen(["sleep", "1000"])
    outcome = run(
        f"import os\ntry: os.kill({whom.format(mine=sleeper.pid)}, 9)\nexcept OSError: pass"
    )
    assert outcome.verdict is Verdict.FORBIDDEN
    assert sleeper.poll() is None
    sleeper.kill()
    sleeper.wait()


@pytest.mark.parametrize(
    "call",
    [
        "syscall(101, 16, os.getppid(), 0, 0)",  # ptrace attach
        "syscall(310, os.getppid(), 0, 0, 0, 0, 0)",  # process_vm_readv
        "syscall(425, 8, 0)",  # io_uring_setup
        "syscall(321, 0, 0, 0)",  # bpf
        "syscall(250, 0, 0)",  # keyctl
        "syscall(323, 0)",  # userfaultfd
        "syscall(165, 0, 0, 0, 0, 0)",  # mount
        "syscall(272, 0x10000000)",  # unshare
        "syscall(56, 17, 0, 0, 0, 0)",  # clone of a process
        "syscall(58)",  # vfork
        "syscall(59, b'/bin/true', 0, 0)",  # execve
        "syscall(0x40000000 | 39)",  # getpid, by the x32 convention
        "syscall(29, 0, 4096, 0o1600)",  # shmget
        "syscall(424, 3, 9, 0, 0)",  # pidfd_send_signal
    ],
)
def test_dangerous_system_calls_end_the_program(call: str) -> None:
    source = f"import ctypes, os\nsyscall = ctypes.CDLL(None).syscall\n{call}"
    assert run(source).verdict is Verdict.FORBIDDEN


@pytest.mark.parametrize(
    "call",
    [
        "syscall(435, 0, 0)",  # clone3: as on a kernel without it
        "syscall(319, b'x', 0)",  # memfd_create: memory that no limit counts
        "syscall(72, 1, 8, os.getppid())",  # fcntl F_SETOWN
        "syscall(16, 1, 0x5412, b'x')",  # ioctl TIOCSTI
        "syscall(157, 1, 0)",  # prctl PR_SET_PDEATHSIG
        "syscall(302, os.getppid(), 7, 0, 0)",  # prlimit of another
        "syscall(9999)",
    ],
)
def test_other_system_calls_fail(call: str) -> None:
    source = f"import ctypes, os\nsyscall = ctypes.CDLL(None).syscall\nassert {call} == -1"
    assert run(source).passed


def test_entry_by_the_i386_convention_ends_the_program() -> None:
    # mov eax, 20 (getpid there); int 0x80; ret
    outcome = run(
        """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(bytes.fromhex("b814000000cd80c3"))
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        """
    )
    assert outcome.verdict in (Verdict.FORBIDDEN, Verdict.FAILED)
    assert not outcome.passed


def test_a_flood_of_output_is_ended() -> None:
    outcome = run("while True: print('x' * 100000)", 5.0)
    assert outcome.verdict is Verdict.FORBIDDEN
    assert "output" in outcome.detail


def test_a_flood_of_files_is_ended() -> None:
    many = "import itertools\nfor n in itertools.count(): open(str(n), 'w').close()"
    assert run(many, 5.0).verdict is Verdict.FORBIDDEN
    big = "x = open('big', 'wb')\nwhile True: x.write(bytes(1 << 20))"
    assert run(big, 5.0).verdict is Verdict.FORBIDDEN


def test_what_a_program_leaves_in_scratch_is_removed() -> None:
    source = """
    import os
    os.mkdir("closed")
    open("closed/file", "w").close()
    os.symlink("/", "root")
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
    os.mkdir("none", 0)
    """
    run(source)  # the fixture looks for remains


@pytest.mark.parametrize(
    "source",
    [
        "import os\nos._exit(0)\nassert False",
        "import sys\nsys.exit(0)\nassert False",
        "raise SystemExit",
        "exit()",
        "quit(0)",
        "import atexit, os\natexit.register(os._exit, 0)\nassert False",
        "print('+' + 'passed')\nassert False",
        "import os\nos.write(3, b'passed')\nassert False",
        "import os\nos.write(3, b'+' + bytes(16))\nos._exit(0)",
        "import os\nos.write(1, b'{\"passed\": true}\\n')\nos._exit(0)",
        "import sys\nsys.excepthook = lambda *a: None\nassert False",
        "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)",
        "check = lambda f: None\ndef check(f): assert f() == 1\ncheck(lambda: 2)",
        "import ctypes\nctypes.string_at(0)",
        "import sys\nsys.setrecursionlimit(10**9)\nf = lambda: f()\nclass A:\n"
        "    def __repr__(self): return repr(self)\nrepr(A())",
        "import faulthandler\nfaulthandler._sigsegv()",
        "import gc, os\nos.closerange(0, 99)\nassert False",
    ],
)
def test_success_is_not_faked(source: str) -> None:
    assert run(source).verdict not in (Verdict.PASSED, Verdict.SKIPPED)


async def test_many_hostile_programs_leave_the_good_ones_passing() -> None:
    good = [python(f"assert {n} + 1 == {n + 1}") for n in range(40)]
    bad = [
        python(f"{source}  # {n}", 1.0)
        for n in range(3)
        for source in (
            "import os\nwhile True: os.fork()",
            "while True: pass",
            "x = bytearray(1 << 36)",
            "import socket; socket.socket()",
            "import os; os.kill(os.getppid(), 9)",
            "while True: print('x' * 100000)",
            "import os; os._exit(0)",
        )
    ]
    mixed = [program for pair in zip(good, bad, strict=False) for program in pair] + good
    outcomes = await run_programs(mixed, workers=4)
    assert all(outcomes[program].passed for program in good)
    assert not any(outcomes[program].passed for program in bad)


async def test_cancelled_runs_leave_nothing() -> None:
    started = asyncio.Event()
    programs = [python("assert 1"), *(python(f"while True: {n}", 60) for n in range(4))]
    running = asyncio.create_task(
        run_programs(programs, workers=2, on_done=lambda *_: started.set())
    )
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


def test_nothing_survives_a_caller_that_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "caller.py"
    script.write_text(
        "import sys, tempfile\n"
        f"tempfile.tempdir = {str(tmp_path / 'temporary')!r}\n"
        "from eval.execution.pool import run_program\n"
        "from eval.execution.program import Program\n"
        "run_program(Program(language='python', source='while True: pass', seconds=60))\n"
    )
    root = Path(__file__).parents[3]
    caller = subprocess.Popen(
        [sys.executable, str(script)], cwd=root, env={"PYTHONPATH": str(root)}
    )
    while len(below := descendants(caller.pid)) < 2:
        assert caller.poll() is None
    os.kill(caller.pid, signal.SIGKILL)
    caller.wait()
    gone = threading.Event()
    for _ in range(600):
        if not any(Path(f"/proc/{pid}").exists() for pid in below):
            gone.set()
            break
        gone.wait(0.05)
    assert gone.is_set()


def test_the_sandbox_holds_where_namespaces_are_refused(tmp_path: Path) -> None:
    script = tmp_path / "refused.py"
    script.write_text(
        """
import ctypes, struct, tempfile
from eval.execution import seccomp, support
from eval.execution.pool import run_program
from eval.execution.program import Program

tempfile.tempdir = FOLDER
refuse = [(0x20, 0, 0, 0), (0x15, 0, 1, 272)]
refuse += [(6, 0, 0, seccomp.ERRNO | 1), (6, 0, 0, seccomp.ALLOW)]
ctypes.CDLL(None).prctl(38, 1, 0, 0, 0)
seccomp.install(b"".join(struct.pack("HBBI", *step) for step in refuse))
assert not {name: there for name, there, _ in support()}["namespaces"]
for source in (
    "assert 1",
    "import socket; socket.socket()",
    "import os; os.fork()",
    "import os; os.kill(os.getppid(), 9)",
    "open('/etc/passwd').read()",
):
    print(run_program(Program(language="python", source=source, seconds=2)).verdict)
""".replace("FOLDER", repr(str(tmp_path / "temporary")))
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=root,
        env={"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["passed", *["forbidden"] * 4], done.stderr


def test_a_program_has_no_capabilities_and_can_gain_none() -> None:
    outcome = run(
        """
        import ctypes, struct
        syscall = ctypes.CDLL(None).syscall
        held = ctypes.create_string_buffer(24)
        assert syscall(125, struct.pack("Ii", 0x20080522, 0), held) == 0
        assert held.raw == bytes(24)
        assert syscall(157, 39, 0, 0, 0, 0) == 1  # PR_GET_NO_NEW_PRIVS
        """
    )
    assert outcome.passed, outcome


THIEVES = {
    "locals of the caller": """
        import os, sys
        os.write(3, sys._getframe(1).f_locals["token"])
        os._exit(0)
        """,
    "locals of all callers": """
        import os, sys
        frame = sys._getframe(0)
        while frame is not None:
            for value in list(frame.f_locals.values()):
                if isinstance(value, bytes) and len(value) == 16:
                    os.write(3, value)
                    os._exit(0)
            frame = frame.f_back
        """,
    "globals of all callers and their attributes": """
        import os, sys
        frame = sys._getframe(0)
        while frame is not None:
            for value in list(frame.f_globals.values()):
                for inner in (value, *getattr(value, "__dict__", {}).values()):
                    if isinstance(inner, bytes) and len(inner) == 16:
                        os.write(3, inner)
                        os._exit(0)
            frame = frame.f_back
        """,
    "what the collector knows": """
        import gc, os, sys
        gc.unfreeze()
        seen, todo = set(), [*gc.get_objects(), sys._getframe(1), sys._getframe(1).f_back]
        while todo:
            value = todo.pop()
            if id(value) in seen:
                continue
            seen.add(id(value))
            if isinstance(value, bytes) and len(value) == 16 and sum(b > 127 for b in value) > 1:
                os.write(3, value)
                os._exit(0)
            if len(seen) < 200_000:
                todo += gc.get_referents(value)
        """,
    "the descriptor that it came from": """
        import os
        for number in range(4, 64):
            try:
                os.write(3, os.read(number, 16))
                os._exit(0)
            except OSError:
                pass
        """,
    "whoever reports an error is replaced": """
        import os, sys
        sys._getframe(1).f_globals["_leave"] = lambda *_: None
        os._exit = lambda *_: None
        """,
    "whoever reports is called": """
        import sys
        sys._getframe(1).f_globals["_tell"](bytes(16))
        """,
}


@pytest.mark.parametrize("how", THIEVES)
def test_the_token_of_success_is_not_at_hand(how: str) -> None:
    outcome = run(textwrap.dedent(THIEVES[how]) + "\nassert False", 5.0)
    assert outcome.verdict is Verdict.FAILED


def test_a_program_that_takes_functions_away_and_is_right_passes() -> None:
    assert run("import os\nos.write = os._exit = os.read = os.close = None\nassert 1").passed


HALF = chr(0xD800)


@pytest.mark.parametrize(
    ("program", "verdict"),
    [
        (Program(language="python", source=f"x = '{HALF}'"), Verdict.COMPILE),
        (
            Program(
                language="python",
                source="assert input()",
                cases=(Case(stdin=f"{HALF}\n", outputs=("x",)),),
            ),
            Verdict.FAILED,
        ),
        (Program(language="cpp", source=f"int main() {{ return {HALF}; }}"), Verdict.COMPILE),
        (Program(language="java", source=f"class Main {{ {HALF} }}"), Verdict.COMPILE),
        (Program(language="java", source=f"public class {'A' * 300} {{ }}"), Verdict.COMPILE),
    ],
    ids=["source", "input", "cpp", "java", "long name"],
)
def test_text_that_is_none_is_a_failed_item_and_no_traceback(
    program: Program, verdict: Verdict, capfd: pytest.CaptureFixture[str]
) -> None:
    if not tool_chain(program.language):
        pytest.skip(f"no tool chain for {program.language} here")
    assert run_program(program).verdict is verdict
    assert capfd.readouterr().err == ""


async def test_a_fork_server_that_breaks_says_nothing_on_the_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    async with Server() as server:
        assert server._process is not None and server._process.stdin is not None
        server._process.stdin.write(b"no JSON\n")
        await server._process.wait()
    assert capfd.readouterr().err == ""

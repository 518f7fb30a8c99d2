"""Programs of each language: what passes, what does not, and what is said of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from completion.errors import CaretError
from eval.execution import landlock, layers, pool, support
from eval.execution.client import Request, Server
from eval.execution.confine import Policy
from eval.execution.languages import Job, java_main, tool_chain
from eval.execution.pool import run_program, run_programs
from eval.execution.program import Case, Outcome, Program, Verdict
from eval.execution.supervise import Bounds

SUMS = (
    Case(stdin="2\n1 2\n3 4\n", outputs=("3\n7",)),
    Case(stdin="1\n-5 5\n", outputs=("0", "-0")),
)
PYTHON = "for _ in range(int(input())):\n    a, b = map(int, input().split())\n    print(a + b)\n"
CPP = """
#include <cstdio>
int main() {
    int t, a, b;
    if (scanf("%d", &t) != 1) return 1;
    while (t-- > 0) { if (scanf("%d%d", &a, &b) != 2) return 1; MORE printf("%d\\n", a + b); }
}
"""
JAVA = """
import java.util.*;
class Helper { int sum(int a, int b) { return a + b; } }
public class Adder {
    static class Inner { }
    public static void main(String[] args) throws Exception {
        Scanner in = new Scanner(System.in);
        int t = in.nextInt();
        while (t-- > 0) {
            int a = in.nextInt(), b = in.nextInt();
            MORE
            System.out.println(new Helper().sum(a, b));
        }
    }
}
"""
needs_cpp = pytest.mark.skipif(not tool_chain("cpp"), reason="no g++ here")
needs_java = pytest.mark.skipif(not tool_chain("java"), reason="no javac here")


def plain(source: str) -> Program:
    return Program(language="python", source=source, seconds=2)


def summing(language: str, source: str, more: str = "") -> Program:
    return Program(
        language=language,
        source=source.replace("MORE", more),
        cases=SUMS,
        seconds=5 if language == "java" else 2,
        memory_mib=256,
    )


@pytest.mark.parametrize(
    ("source", "verdict", "detail"),
    [
        ("assert 1 + 1 == 2", Verdict.PASSED, ""),
        ("assert 1 + 1 == 3, 'sum'", Verdict.FAILED, "AssertionError: sum"),
        ("def (", Verdict.COMPILE, "SyntaxError"),
        ("x = '\udcff'", Verdict.COMPILE, "SyntaxError"),
        ("x = 1\x00", Verdict.COMPILE, ""),
        ("raise MemoryError", Verdict.MEMORY, "MemoryError"),
        ("import no_such_module", Verdict.FAILED, "ModuleNotFoundError"),
        ("raise SystemExit(0)", Verdict.FAILED, "SystemExit"),
        ("import os; os._exit(0)", Verdict.FAILED, "before its tests had run"),
        ("import eval", Verdict.FAILED, "ModuleNotFoundError"),
        ("import pytest", Verdict.FAILED, "ModuleNotFoundError"),
    ],
)
def test_a_python_program(source: str, verdict: Verdict, detail: str) -> None:
    outcome = run_program(plain(source))
    assert outcome.verdict is verdict
    assert detail in outcome.detail
    assert "\n" not in outcome.detail


@pytest.mark.parametrize(
    "source",
    [
        "from __future__ import annotations\ndef f(x: no_such) -> None: pass",
        "try:\n    def f(x: no_such): pass\nexcept NameError: pass\nelse: assert False",
        "import json, decimal, sqlite3, ssl, ctypes, multiprocessing, asyncio",
        "open('mine', 'w').write('x')\nassert open('mine').read() == 'x'",
        "import tempfile\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').close()",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "import concurrent.futures as c\nassert list(c.ThreadPoolExecutor(4).map(abs, [-1])) == [1]",
        "assert __name__ == '__main__'",
        "import sys\nassert sys.stdin.read() == ''",
        "print('x' * 1000000)",
        "import time, datetime, zoneinfo, random, secrets, uuid\nuuid.uuid4(), secrets.token_hex()",
        "import sys\nsys.setrecursionlimit(10**5)\nf = lambda n: n and f(n - 1)\nassert f(20000) == 0",
        "class A:\n    x: int = 1\nimport dataclasses, pickle\nA = dataclasses.dataclass(A)\n"
        "assert pickle.loads(pickle.dumps(A())) == A()",
        "import signal\nsignal.signal(signal.SIGALRM, print)\nsignal.alarm(0)",
    ],
)
def test_ordinary_programs_run_undisturbed(source: str) -> None:
    outcome = run_program(plain(source))
    assert outcome.passed, outcome


async def test_hashes_and_random_numbers_are_the_same_in_every_run() -> None:
    source = "import random\nprint(hash('a'), random.random(), list({'a', 'b', 'c'}))"
    seen: set[str] = set()
    for _ in range(2):
        async with Server() as server:
            request = Request(
                policy=Policy(
                    seconds=2, address_mib=256, read=("/usr/lib",), write=(server.folder,)
                ),
                bounds=Bounds(
                    cpu=2,
                    wall=5,
                    resident=1 << 30,
                    threads=4,
                    output=1 << 20,
                    folder=server.folder,
                ),
                folder=server.folder,
                source=source,
            )
            seen.add((await server.run(request)).stdout)
    assert len(seen) == 1
    assert seen != {""}


async def test_equal_programs_are_run_once_and_each_is_told_of() -> None:
    told: list[tuple[Program, Outcome]] = []
    programs = [plain("assert 1"), plain("assert 0"), plain("assert 1")]
    outcomes = await run_programs(programs, on_done=lambda *pair: told.append(pair))
    assert [outcomes[program].passed for program in programs] == [True, False, True]
    assert dict(told) == outcomes
    assert len(told) == 2


async def test_no_program_is_no_work() -> None:
    assert await run_programs([]) == {}


async def test_one_program_can_be_run_from_within_a_loop() -> None:
    assert run_program(plain("assert 1")).passed


async def test_a_failing_callback_ends_the_run() -> None:
    def fail(*_: object) -> None:
        raise CaretError("the disk is full")

    with pytest.raises(CaretError, match="disk"):
        await run_programs([plain("assert 1")], on_done=fail)


@pytest.mark.parametrize("more", ["", "exit()", "import sys; sys.exit(0)", "import os; sys=0"])
def test_python_answers_its_cases(more: str) -> None:
    assert run_program(summing("python", PYTHON + more)).passed


def test_the_first_wrong_case_is_named() -> None:
    outcome = run_program(summing("python", PYTHON.replace("a + b", "abs(a) + abs(b)")))
    assert outcome == Outcome(
        verdict=Verdict.FAILED, detail="case 2: wrong answer", seconds=outcome.seconds
    )


@pytest.mark.parametrize(
    ("end", "verdict"),
    [("raise ValueError('x')", Verdict.FAILED), ("exit(3)", Verdict.FAILED)],
)
def test_a_right_answer_with_an_error_after_it_fails(end: str, verdict: Verdict) -> None:
    assert run_program(summing("python", PYTHON + end)).verdict is verdict


@needs_cpp
@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ("", Verdict.PASSED),
        ("a++;", Verdict.FAILED),
        ("a++", Verdict.COMPILE),
        ("for (volatile int i = 0;; i++);", Verdict.TIME),
        ("char* v = new char[1ll << 33]; v[0] = 1; printf(v);", Verdict.MEMORY),
        ("fflush(stdout); int* p = 0; *(volatile int*)p = 1;", Verdict.FAILED),
    ],
)
def test_a_cpp_program(more: str, verdict: Verdict) -> None:
    assert run_program(summing("cpp", CPP, more)).verdict is verdict


@needs_cpp
def test_hostile_cpp_programs_fail() -> None:
    hostile = {
        "#include <unistd.h>": "while (true) fork();",
        "#include <sys/socket.h>": "socket(AF_INET, SOCK_STREAM, 0);",
        "#include <signal.h>\n#include <unistd.h>": "kill(getppid(), 9);",
    }
    for include, more in hostile.items():
        outcome = run_program(summing("cpp", include + CPP, more))
        assert outcome.verdict is Verdict.FORBIDDEN, more
    execs = summing("cpp", "#include <unistd.h>\n" + CPP, 'execl("/bin/sh", "sh", nullptr); a = 0;')
    assert run_program(execs).verdict is Verdict.FAILED


@needs_cpp
def test_a_compiler_reads_no_secrets() -> None:
    outcome = run_program(summing("cpp", '#include "/etc/shadow"\n' + CPP))
    assert outcome.verdict is Verdict.COMPILE
    assert "Permission denied" in outcome.detail


@needs_cpp
@pytest.mark.parametrize(
    "bomb",
    ['#include "/dev/zero"', "template <int n> struct T { T<n - 1> a, b; }; T<800> t[1 << 30];"],
)
def test_a_bomb_for_the_compiler_is_no_program(bomb: str) -> None:
    assert run_program(summing("cpp", f"{bomb}\n{CPP}")).verdict is Verdict.COMPILE


@needs_java
@pytest.mark.parametrize(
    ("more", "verdicts"),
    [
        ("", {Verdict.PASSED}),
        ("a++;", {Verdict.FAILED}),
        ("a++", {Verdict.COMPILE}),
        ("while (a < 1000) { }", {Verdict.TIME}),
        ("var x = new ArrayList<long[]>(); while (t > -9) x.add(new long[999999]);", {Verdict.MEMORY}),
        ("new java.io.FileWriter(\"/tmp/no\").close();", {Verdict.FAILED}),
        ("new java.net.ServerSocket(0).close();", {Verdict.FAILED}),
        ("Runtime.getRuntime().exec(\"true\").waitFor();", {Verdict.FAILED, Verdict.FORBIDDEN}),
        ("new java.io.FileReader(\"/etc/passwd\").close();", {Verdict.FAILED}),
    ],
)  # fmt: skip
def test_a_java_program(more: str, verdicts: set[Verdict]) -> None:
    outcome = run_program(summing("java", JAVA, more))
    assert outcome.verdict in verdicts, outcome


def test_a_language_without_tools_is_skipped() -> None:
    assert run_program(summing("csharp", "")).verdict is Verdict.SKIPPED


@pytest.mark.parametrize(
    ("source", "main", "file"),
    [
        (JAVA, "Adder", "Adder"),
        ("class A {}\nclass B { public static void main(String[] a) {} }", "B", "B"),
        (
            "package p.q;\npublic class C { static void main() {} void main(int x) {} }",
            "p.q.C",
            "C",
        ),
        ("class D { static class E {} public static void main(String[] a) {} }", "D", "D"),
        ("", "Main", "Main"),
    ],
)
def test_the_class_to_start_is_found(source: str, main: str, file: str) -> None:
    assert java_main(source) == (main, file)


async def test_without_a_mandatory_layer_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "version", lambda: 0)
    layers.missing.cache_clear()
    try:
        with pytest.raises(CaretError, match="Landlock"):
            await run_programs([plain("assert 1")])
        assert {name: there for name, there, _ in support()}["Landlock"] is False
    finally:
        monkeypatch.undo()
        layers.missing.cache_clear()


async def test_a_child_that_cannot_be_confined_runs_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = pool.job_of

    def unknown_policy(program: Program, folder: str) -> Job:
        job = real(program, folder)
        assert job is not None
        run = job.run

        def changed(stdin: str) -> Request:
            request = run(stdin)
            return replace(request, policy=replace(request.policy, calls="unheard-of"))

        return replace(job, run=changed)

    monkeypatch.setattr(pool, "job_of", unknown_policy)
    with pytest.raises(CaretError, match="could not confine"):
        await run_programs([plain("assert 1")])


def test_the_layers_are_named() -> None:
    found = {name: there for name, there, _ in support()}
    assert found["Landlock"]
    assert found["seccomp"]
    assert found["runs python"]
    assert not found["runs csharp"]

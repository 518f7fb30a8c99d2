"""How a program of each language becomes requests: files, tools, policies.

Lives here: what a language needs. C# has no runner: there is no one tool chain to rely on.
"""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eval.execution.client import Request
from eval.execution.confine import MIB, Policy
from eval.execution.program import Program
from eval.execution.scratch import encoded
from eval.execution.supervise import Bounds

OUTPUT = 1 << 23
"""Bytes a program may print."""
WALL = 2.0
"""Wall time for a second of CPU: cores are shared with other programs; one second more besides."""
COMPILE_SECONDS = 30.0
_NAME = 200
"""Bytes of a file's name that every file system takes, its ending aside."""
_SYSTEM = ("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache", "/usr/share/zoneinfo")
_DEVICES = ("/dev/zero", "/dev/urandom", "/dev/random")
_LOADERS = ("/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-x86-64.so.2")
_JAVA_READS = (
    "/etc/java-17-openjdk",
    *(f"/proc/{name}" for name in ("self", "meminfo", "cpuinfo", "stat", "sys/vm", "sys/kernel")),
)
"""Of ``/proc`` only what is the machine's and the process's own."""
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "OMP_NUM_THREADS": "1"}
_MODIFIERS = r"(?:(?:final|abstract|strictfp)\s+)*"
_CLASS = re.compile(rf"^\s*(?:public\s+)?{_MODIFIERS}class\s+(\w+)", re.MULTILINE)
_PUBLIC = re.compile(
    rf"^\s*public\s+{_MODIFIERS}(?:class|enum|record|interface)\s+(\w+)", re.MULTILINE
)
_PACKAGE = re.compile(r"^\s*package\s+([\w.]+)\s*;", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Job:
    """A program in its folder: what compiles it, if anything does, and what runs it."""

    compile: Request | None
    run: Callable[[str], Request]
    """From a standard input."""


def job_of(program: Program, folder: str) -> Job | None:
    """Write the program's files into ``folder`` and return its job; nothing without tools.

    ``folder`` is not what the program may write in: that is the ``scratch`` in it.
    """
    make = {"python": _python, "cpp": _cpp, "java": _java}.get(program.language)
    return make(program, folder) if make else None


def tool_chain(language: str) -> str:
    """Return the path of the language's compiler or interpreter; empty: there is none here."""
    if language == "python":
        return os.path.realpath(sysconfig.get_paths()["stdlib"])
    if language == "cpp":
        return shutil.which("g++") or ""
    if language == "java":
        return str(_java_home() or "")
    return ""


def _bounds(program: Program, scratch: str, *, threads: int, resident: int) -> Bounds:
    return Bounds(
        cpu=program.seconds,
        wall=program.seconds * WALL + 1,
        resident=resident,
        threads=threads,
        output=OUTPUT,
        folder=scratch,
    )


def _scratch(folder: str) -> str:
    path = Path(folder, "scratch")
    path.mkdir(mode=0o700)
    return str(path)


def _environment(scratch: str, **more: str) -> dict[str, str]:
    return _ENVIRONMENT | {"HOME": scratch, "TMPDIR": scratch, "PWD": scratch} | more


@cache
def _python_reads() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    stdlib = {os.path.realpath(paths[name]) for name in ("stdlib", "platstdlib")}
    return (*_SYSTEM, *_DEVICES, *sorted(stdlib))


def _python(program: Program, folder: str) -> Job:
    policy = Policy(
        calls="python",
        read=_python_reads(),
        write=(folder, os.devnull),
        seconds=program.seconds,
        address_mib=program.memory_mib,
    )
    bounds = _bounds(program, folder, threads=32, resident=program.memory_mib * MIB)

    def run(stdin: str) -> Request:
        return Request(
            policy=policy,
            bounds=bounds,
            folder=folder,
            source=program.source,
            whole=not program.cases,
            stdin=stdin,
            environment=_environment(folder),
        )

    return Job(compile=None, run=run)


def _tools(
    argv: tuple[str, ...], folder: str, scratch: str, more: tuple[str, ...], address_mib: int
) -> Request:
    """A compiler's request; what is resident is looked at in its first process only."""
    return Request(
        policy=Policy(
            calls="tools",
            read=(*_SYSTEM, *_DEVICES, *_JAVA_READS, "/usr/include"),
            execute=(*_SYSTEM, "/usr/bin", "/usr/libexec", *more),
            write=(folder, os.devnull),
            seconds=COMPILE_SECONDS,
            address_mib=address_mib,
            file_mib=128,
            files=256,
        ),
        bounds=Bounds(
            cpu=COMPILE_SECONDS,
            wall=COMPILE_SECONDS * WALL,
            resident=2048 * MIB,
            threads=64,
            output=OUTPUT,
            folder=folder,
        ),
        folder=folder,
        argv=argv,
        environment=_environment(scratch, PATH=f"{Path(argv[0]).parent}:/usr/bin:/bin"),
    )


def _cpp(program: Program, folder: str) -> Job | None:
    compiler = tool_chain("cpp")
    if not compiler:
        return None
    scratch, source, binary = _scratch(folder), Path(folder, "main.cpp"), f"{folder}/main"
    source.write_bytes(encoded(program.source))
    flags = (
        "-std=c++17",
        "-O2",
        "-w",
        "-DONLINE_JUDGE",
        "-include",
        "limits.h",
        "-include",
        "math.h",
    )
    argv = (compiler, *flags, "-o", binary, str(source), "-lm")
    policy = Policy(
        calls="native",
        read=(*_SYSTEM, *_DEVICES),
        execute=(binary, *_LOADERS),
        write=(scratch, os.devnull),
        seconds=program.seconds,
        address_mib=program.memory_mib,
        stack_mib=min(256, program.memory_mib),
    )
    bounds = _bounds(program, scratch, threads=32, resident=program.memory_mib * MIB)

    def run(stdin: str) -> Request:
        return Request(
            policy=policy,
            bounds=bounds,
            folder=scratch,
            argv=(binary,),
            stdin=stdin,
            environment=_environment(scratch),
        )

    home = Path(os.path.realpath(compiler)).parents[1]
    parts = tuple(str(home / part) for part in ("bin", "lib", "lib64", "libexec", "include"))
    return Job(compile=_tools(argv, folder, scratch, parts, 3072), run=run)


@cache
def _java_home() -> Path | None:
    compiler = shutil.which("javac")
    home = Path(os.path.realpath(compiler)).parents[1] if compiler else None
    return home if home and (home / "bin" / "java").exists() else None


def java_main(source: str) -> tuple[str, str]:
    """Return the class to start, with its package, and the name its file must have.

    The class to start is the one that ``main`` is in: the nearest above it at the left-most depth.
    """
    named = _PUBLIC.search(source)
    package = _PACKAGE.search(source)
    classes = list(_CLASS.finditer(source))
    entry = source.find("void main(")
    above = [found for found in classes if found.start() < entry]
    top = [found for found in above if _depth(source, found.start()) == 0]
    main = top[-1].group(1) if top else classes[0].group(1) if classes else "Main"
    prefix = f"{package.group(1)}." if package else ""
    return prefix + main, named.group(1) if named else main


def _depth(source: str, end: int) -> int:
    return source.count("{", 0, end) - source.count("}", 0, end)


def _java(program: Program, folder: str) -> Job | None:
    home = _java_home()
    if home is None:
        return None
    scratch = _scratch(folder)
    main, name = java_main(program.source)
    # A name that no file can have is no class file's either: the compiler then says so.
    source = Path(folder, f"{name if len(name.encode()) < _NAME else 'Main'}.java")
    source.write_bytes(encoded(program.source))
    classes = Path(folder, "classes")
    classes.mkdir()
    quiet = ("-XX:-UsePerfData", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
    argv = (
        str(home / "bin" / "javac"),
        *(f"-J{flag}" for flag in (*quiet, "-XX:-UseContainerSupport", "-Xmx512m")),
        "-proc:none",
        "-nowarn",
        "-encoding",
        "UTF-8",
        "-d",
        str(classes),
        str(source),
    )
    policy = Policy(
        calls="java",
        read=(*_SYSTEM, *_DEVICES, *_JAVA_READS, f"/etc/{home.name}", str(classes)),
        execute=(str(home), *_LOADERS),
        write=(scratch, os.devnull),
        seconds=program.seconds + 1,
        address_mib=0,
        file_mib=16,
        files=256,
    )
    heap = program.memory_mib
    bounds = _bounds(program, scratch, threads=64, resident=(heap + 512) * MIB)
    command = (
        str(home / "bin" / "java"),
        *("-XX:-UsePerfData", "-XX:+UseSerialGC", "-XX:+DisableAttachMechanism"),
        *("-XX:-UseContainerSupport", "-XX:CICompilerCount=2", "-XX:+ExitOnOutOfMemoryError"),
        *(f"-Xmx{heap}m", "-Xss64m", "-DONLINE_JUDGE=true", "-cp", str(classes), main),
    )

    def run(stdin: str) -> Request:
        return Request(
            policy=policy,
            bounds=bounds,
            folder=scratch,
            argv=command,
            stdin=stdin,
            environment=_environment(scratch),
        )

    return Job(compile=_tools(argv, folder, scratch, (str(home), f"/etc/{home.name}"), 0), run=run)

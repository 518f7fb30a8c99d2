"""The fork server: a clean interpreter that forks a confined child for each program.

Started by :mod:`eval.execution.client` as a process of its own, single-threaded, with an environment
of its own. Standard library only, so that a child has nothing of Caret's in it but a few small
modules, which are taken out of ``sys.modules`` before it runs anything. Requests and replies are
JSON lines on the two descriptors that no child inherits; when the requests end, so does it, and
with it the child that is running.

How a Python program is known to have passed: the child writes a token of 16 random bytes on a pipe
after the whole program has returned. Not counted, therefore: ``sys.exit(0)`` and ``os._exit(0)``
before the end, anything printed, anything written on a descriptor. The token is made after the fork
and lies, while the program runs, on the interpreter's value stack alone: in no variable, no
container and no open descriptor, so neither frames nor the garbage collector show it; an error
drops it, whatever the program did to the functions here. Not excluded: a program made for it that
reads its interpreter's raw memory, or changes the tests from within; both run in one interpreter,
as in the published evaluations.
"""

from __future__ import annotations

import _sitebuiltins
import builtins
import contextlib
import fcntl
import gc
import json
import os
import random
import signal
import sys
from collections.abc import Callable
from typing import Any

from eval.execution import seccomp
from eval.execution.confine import Policy, confine, isolate
from eval.execution.scratch import encoded, remove
from eval.execution.supervise import Bounds, Facts, Pipes, watch

SAID = 3
"""The descriptor of a child on which it says that it is confined, how it failed, that it passed."""
TOKEN = 4
"""The descriptor from which a child reads what it says when it passed; closed before a program runs."""
READY = b"+"
NOT_CONFINED = 126
_PRELOADED = (
    "abc bisect calendar cmath collections copy dataclasses datetime decimal enum fractions functools "
    "hashlib heapq io itertools json math operator random re statistics string threading "
    "traceback types typing"
)
"""What programs import most: once here and not in each child."""


def main(folder: str) -> None:
    """Serve until the requests end; then remove ``folder``, in which programs wrote."""
    try:
        _loop()
    finally:
        remove(folder)


def _loop() -> None:
    requests = os.dup(0)
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1):
        os.dup2(nothing, number)
    os.close(nothing)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's; it then ends this one
    namespaces = isolate()
    for name in _PRELOADED.split():
        __import__(name)
    for name in ("exit", "quit"):  # as `site` has them, which is left out
        setattr(builtins, name, _sitebuiltins.Quitter(name, "Ctrl-D"))
    gc.freeze()
    print(json.dumps({"namespaces": namespaces}), file=replies, flush=True)
    with os.fdopen(requests, "rb") as lines:
        for line in lines:
            facts, token = _serve(json.loads(line), lines.fileno(), "user" in namespaces)
            if facts.gone:
                return
            print(json.dumps(_reply(facts, token)), file=replies, flush=True)
            del token  # what is forked next is not to have it


def _reply(facts: Facts, token: bytes) -> dict[str, Any]:
    return {
        "status": facts.status,
        "limit": facts.limit,
        "cpu": facts.cpu,
        "stdout": facts.stdout.decode("utf-8", "replace"),
        "stderr": facts.stderr.decode("utf-8", "replace"),
        "ready": facts.said[:1] == READY,
        "said": facts.said[:1000].decode("utf-8", "replace"),
        "passed": facts.said == READY + token,
    }


def _serve(request: dict[str, Any], control: int, user_namespace: bool) -> tuple[Facts, bytes]:
    """Fork, confine, run, watch; return how it ended and the token of one that passed."""
    policy = Policy(**request["policy"])
    bounds = Bounds(**request["bounds"])
    stdin, stdout, stderr, said, secret = (os.pipe() for _ in range(5))
    supervisor = os.getpid()
    with contextlib.suppress(KeyError):  # said by the child
        seccomp.prepare(policy.calls)
    leave = os._exit  # a program may replace the module's
    child = os.fork()
    if not child:
        try:
            ends = (stdin[0], stdout[1], stderr[1], said[1], secret[0])
            _become_child(ends, request["folder"], request["environment"])
            try:
                confine(policy, supervisor, user_namespace)
            except Exception as error:
                os.write(SAID, f"-{getattr(error, 'strerror', '') or error}".encode())
                os._exit(NOT_CONFINED)
            os.write(SAID, READY)
            if request["argv"]:
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)
                os.set_inheritable(SAID, False)
                os.set_inheritable(TOKEN, False)
                os.execve(request["argv"][0], request["argv"], dict(os.environ))
            _run_python(request["source"], request["whole"])
        finally:
            leave(1)
    token = os.urandom(16)
    os.write(secret[1], token)
    for number in (stdin[0], stdout[1], stderr[1], said[1], *secret):
        os.close(number)
    pipes = Pipes(stdin=stdin[1], stdout=stdout[0], stderr=stderr[0], said=said[0], control=control)
    return watch(child, pipes, encoded(request["stdin"]), bounds), token


def _become_child(ends: tuple[int, ...], folder: str, environment: dict[str, str]) -> None:
    """Leave everything of the server's behind: session, descriptors, signals, environment."""
    os.setsid()
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, 100) for number in ends]
    for target, number in enumerate(high):
        os.dup2(number, target, inheritable=True)
    os.closerange(len(ends), (1 << 31) - 1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.umask(0o077)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _run_python(source: str, whole: bool) -> None:
    """Run the source as ``__main__`` and end the process.

    ``whole``: only the end of the program is a success. Else ``exit()`` is as good.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] == "eval"]:
        del sys.modules[name]
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        stream = open(number, mode, encoding="utf-8", errors="surrogateescape", closefd=False)  # noqa: SIM115
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    sys.argv = ["solution.py"]
    random.seed(0)  # it seeds itself anew in a fork; the same run twice has the same figures
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    try:
        code = compile(encoded(source), "solution.py", "exec", dont_inherit=True)
    except BaseException as error:
        _leave(b"C", error)
        return
    try:
        # Arguments are worked out from left to right: the token is read, its descriptor closed, the
        # program run. Until all are there the token is on the value stack and nowhere else.
        _tell(os.read(TOKEN, 16), os.close(TOKEN), exec(code, main.__dict__))
    except SystemExit as error:
        if whole or error.code not in (None, 0):
            _leave(b"E", error)
            return  # a program may have replaced what should have ended it
        _flush(lambda: (sys.stdout.flush(), sys.stderr.flush()))
        os._exit(0)
    except BaseException as error:
        _leave(b"E", error)


def _tell(
    token: bytes,
    *_before: object,
    write: Callable[[int, bytes], int] = os.write,
    leave: Callable[[int], object] = os._exit,
) -> None:
    """Say that the program has passed, by functions that it cannot have taken away."""
    _flush(lambda: (sys.stdout.flush(), sys.stderr.flush()))
    write(SAID, token)
    leave(0)


def _leave(kind: bytes, error: BaseException) -> None:
    name = type(error).__name__
    with contextlib.suppress(BaseException):
        name += f": {error}" if str(error) else ""
    _flush(lambda: sys.stdout.flush())
    line = name.replace("\n", " ")[:300].encode("utf-8", "replace")
    os.write(SAID, kind + _family(error) + line)
    os._exit(1)


def _family(error: BaseException) -> bytes:
    if isinstance(error, MemoryError):
        return b"M"
    if isinstance(error, PermissionError):
        return b"P"
    return b"_"


def _flush(act: Callable[[], object]) -> None:
    with contextlib.suppress(BaseException):
        act()

"""The environment of the processes that are started here.

Without gRPC: whoever starts a process in a thread must not import it there, for two threads that
import it at once may leave it half made.
"""

from __future__ import annotations

import os
from pathlib import Path

import completion


def child_environment() -> dict[str, str]:
    """Return the environment in which ``completion`` is this one and never the working folder's.

    ``python -m`` looks in the working folder first, which for an editor is a workspace: a folder
    ``completion/`` that came with someone's code would be run.
    """
    root = str(Path(completion.__file__).parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        **os.environ,
        "PYTHONSAFEPATH": "1",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)),
        "PYTHONUNBUFFERED": "1",
    }

"""One process that asks jedi: a line of JSON in, a line of JSON out. Started by ``jedi_first``.

jedi reads only the text that it is given and the standard library: what else is installed here
would make figures differ between machines, and may hold the very file that is being completed.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from itertools import islice
from typing import Any

from lsp.context.parso_cache import survive_broken_files

MOST_NAMES = 10
"""Names of which nothing is left to type are no suggestion and do not count."""


def main() -> None:
    """Answer each line until the input ends."""
    import jedi
    from jedi.api.environment import InterpreterEnvironment

    survive_broken_files()
    jedi.settings.auto_import_modules = []  # those are imported for real; nothing shall be
    paths = sysconfig.get_paths()
    library = list(dict.fromkeys((paths["stdlib"], paths["platstdlib"])))
    project = jedi.Project(
        ".", sys_path=library, smart_sys_path=False, load_unsafe_extensions=False
    )
    environment = InterpreterEnvironment()
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            found = _complete(jedi, asked, environment, project)
        except Exception as error:  # jedi raises whatever it stumbles over in broken code
            found = {"error": type(error).__name__}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


def _complete(jedi: Any, asked: dict[str, str], environment: Any, project: Any) -> dict[str, Any]:
    prefix = asked["prefix"]
    script = jedi.Script(prefix + asked["suffix"], environment=environment, project=project)
    line = prefix.count("\n") + 1
    found = script.complete(line, len(prefix) - prefix.rfind("\n") - 1)
    endings = (one.complete for one in found)
    return {"texts": list(islice(filter(None, endings), MOST_NAMES))}


if __name__ == "__main__":
    main()

"""The index's process: commands in, what is known of its state out.

Standard input says what to do, a JSON object a line, first of all :class:`Order`; when it ends, so
does the process. Standard output says how things are, a JSON object a line. Neither holds text of
a file.
"""

from __future__ import annotations

import json
import os
import queue
import sqlite3
import sys
import threading
from typing import Any

from lsp.context.index import store
from lsp.context.index.indexing import Again, Ended, Indexing
from lsp.context.index.order import AGAIN, Order
from lsp.context.index.pace import lower_priority


def _listen(
    commands: queue.SimpleQueue[dict[str, Any] | None], indexing: Indexing, tell: Any
) -> None:
    """Pass on what comes on standard input; look-ups are answered at once."""
    for line in sys.stdin.buffer:
        command = json.loads(line)
        if "find" not in command:
            commands.put(command)
            continue
        number, name, limit = command["find"]
        rows: list[store.Row] = []
        try:
            if indexing.store is not None:
                rows = indexing.store.find(name, limit)
        except sqlite3.Error:
            pass
        tell({"found": [number, [(path, language, data.hex()) for path, language, data in rows]]})
    commands.put(None)


def main() -> int:
    """Run until standard input ends."""
    lower_priority()
    order = Order(**json.loads(sys.stdin.buffer.readline()))
    commands: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
    telling = threading.Lock()

    def tell(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode() + b"\n"
        with telling:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()

    indexing = Indexing(order, commands, tell)
    threading.Thread(target=_listen, args=(commands, indexing, tell), daemon=True).start()
    try:
        indexing.run()
    except Again:
        return AGAIN
    except (Ended, BrokenPipeError, KeyboardInterrupt):
        if indexing.store is not None:
            indexing.store.commit()
    return 0


if __name__ == "__main__":
    code = main()
    # Not the interpreter's own end, which waits for the thread that reads, and may find the pipe shut.
    os._exit(code)

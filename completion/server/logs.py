"""Structured logs on standard error: one JSON object a line, or plain lines on a terminal.

Only names, counts, durations and reasons are ever passed in; no source text, no prompt, no path
of a user's file.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time
from typing import Any

from completion.shown import one_line

log = logging.getLogger("caret")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        fields |= getattr(record, "fields", {})
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


class _Plain(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        fields = getattr(record, "fields", {})
        extra = one_line("".join(f" {k}={v}" for k, v in fields.items()))
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        text = f"{clock} {record.levelname.lower():7} {one_line(record.getMessage())}{extra}"
        return text + ("\n" + self.formatException(record.exc_info) if record.exc_info else "")


def configure(level: str) -> None:
    """Send the ``caret`` logger to standard error: plain on a terminal, else JSON."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain() if sys.stderr.isatty() else _Json())
    log.handlers[:] = [handler]
    log.setLevel(level.upper())
    log.propagate = False
    for name in ("asyncio", "grpc"):  # these write tracebacks with the messages of errors
        logging.getLogger(name).setLevel(logging.CRITICAL)


def unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what no task has taken, by its kind alone: its message may quote what was worked on."""
    error = context.get("exception")
    kind = type(error).__name__ if error is not None else context.get("message", "")
    event(logging.ERROR, "unhandled", error=kind)


def event(level: int, text: str, **fields: Any) -> None:
    """Log ``text`` with ``fields``."""
    log.log(level, text, extra={"fields": fields})

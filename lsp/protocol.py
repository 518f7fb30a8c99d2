"""pygls's protocol with what it gets wrong put right, in one place, each with its reason.

* It logs what it sends and receives, which is the user's source text: its loggers are silenced.
* It keeps documents as :mod:`lsp.documents` says they must not be kept.
* A request that does not decode is never answered, and a popup is shown: here it is answered.
* A request before ``initialize`` runs into an exception, one after ``shutdown`` is dropped: here
  both get the error that the specification asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import attrs
from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol, lsp_method

from lsp.documents import Documents
from lsp.framing import Malformed
from lsp.positions import Encoding

log = logging.getLogger("caret.lsp")

_BEFORE_INITIALIZE = (types.INITIALIZE, types.EXIT)
_NOTIFICATIONS = frozenset(
    method for method, kinds in types.METHOD_TO_TYPES.items() if not kinds[1]
)
"""What has no answer; with an id it would be acted on by pygls and never answered."""


@attrs.define
class InlineParams(types.InlineCompletionParams):
    """The request with ``formattingOptions``, which some editors add to it."""

    formatting_options: types.FormattingOptions | None = None


def silence_pygls() -> None:
    """Turn off pygls's logging: from level INFO on it holds whole documents."""
    pygls = logging.getLogger("pygls")
    pygls.setLevel(logging.CRITICAL + 1)
    pygls.propagate = False
    pygls.addHandler(logging.NullHandler())


class Protocol(LanguageServerProtocol):
    """What :class:`lsp.server.Server` speaks."""

    _initialized = False

    @property
    def is_shut_down(self) -> bool:
        """Whether the client has asked for shutdown."""
        return self._shutdown

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer ``initialize`` as pygls does, then put our documents in place of its own."""
        self._initialized = True
        result = yield from super().lsp_initialize(params)
        encoding = ServerCapabilitiesBuilder.choose_position_encoding(params.capabilities)
        self._workspace = Documents(params, Encoding(types.PositionEncodingKind(encoding).value))
        return result

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Generator[Any, Any, None]:
        """End the session; standard output stays open for what is still said while closing."""
        yield from ()  # the base's type
        raise SystemExit(0 if self._shutdown else 1)

    def receive(self, message: dict[str, Any] | Malformed) -> None:
        """Handle one message as it came from the wire; nothing it holds makes this raise.

        Raises:
            SystemExit: for ``exit``, with the status that LSP asks for.
            OSError: when the client can no longer be written to.
        """
        if isinstance(message, Malformed):
            log.warning("not a message: %s", message.reason)
            self._refuse(None, types.ErrorCodes.ParseError, f"Parse error: {message.reason}")
            return
        method = message.get("method")
        msg_id = message.get("id")
        is_request = isinstance(method, str) and isinstance(msg_id, (int, str))
        if is_request and not self._initialized and method not in _BEFORE_INITIALIZE:
            self._refuse(msg_id, types.ErrorCodes.ServerNotInitialized, "not initialized yet")
        elif is_request and self._shutdown:
            self._refuse(msg_id, types.ErrorCodes.InvalidRequest, "the server is shutting down")
        elif is_request and method in _NOTIFICATIONS:
            self._refuse(msg_id, types.ErrorCodes.InvalidRequest, f"{method} is a notification")
        elif self._initialized or method in _BEFORE_INITIALIZE:
            try:
                self.handle_message(self.structure_message(message))
            except OSError:
                raise
            except Exception as error:
                # Names only: the error's own text may quote the document.
                log.warning("%s did not decode (%s)", method, type(error).__name__)
                if is_request:
                    self._refuse(
                        msg_id,
                        types.ErrorCodes.InvalidParams,
                        f"{method}: the parameters are wrong",
                    )

    def structure_message(self, data: dict[str, Any]) -> Any:
        """Return ``data`` as lsprotocol's type, with the formatting options that it leaves out."""
        message = super().structure_message(data)
        if isinstance(message, types.InlineCompletionRequest):
            options = data["params"].get("formattingOptions")
            if isinstance(options, dict):
                message.params = InlineParams(
                    **attrs.asdict(message.params, recurse=False),
                    formatting_options=self._converter.structure(options, types.FormattingOptions),
                )
        return message

    def _refuse(self, msg_id: Any, code: int, text: str) -> None:
        error = types.ResponseError(code=int(code), message=text)
        self._send_data(
            {
                "jsonrpc": "2.0",
                "id": msg_id,
                "error": {"code": error.code, "message": error.message},
            }
        )

    def _send_response(
        self, msg_id: Any, result: Any | None = None, error: types.ResponseError | None = None
    ) -> None:
        """Answer; an internal error goes with its name only: its text may quote the document."""
        if error is not None and error.code == types.ErrorCodes.InternalError:
            name = error.message.partition(":")[0]
            error = types.ResponseError(code=error.code, message=f"internal error ({name})")
        super()._send_response(msg_id, result, error)


def describe(error: BaseException) -> str:
    """Return type and place of ``error``, not its text, which may quote what the user types."""
    if isinstance(error, JsonRpcException) and error.code == types.ErrorCodes.MethodNotFound:
        return error.message
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = "" if trace is None else f" in {trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
    return f"{type(error).__name__}{place}"

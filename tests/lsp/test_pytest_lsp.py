"""The same server under an independent client, pytest-lsp, which checks answers against the specification."""

from __future__ import annotations

from lsprotocol import types
from pytest_lsp import LanguageClient, client_capabilities

from completion.wire.environment import child_environment
from lsp.session import lsp_command


async def test_an_independent_client_gets_inline_completions(service, tmp_path):
    client = LanguageClient(configuration={"caret": {"lines": "single"}})
    created = []

    @client.feature(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
    def create(params: types.WorkDoneProgressCreateParams) -> None:
        created.append(params.token)

    command = lsp_command("--server", service.address)
    await client.start_io(*command, env=child_environment())
    try:
        capabilities = client_capabilities("visual-studio-code")
        capabilities.text_document.inline_completion = types.InlineCompletionClientCapabilities()
        params = types.InitializeParams(capabilities, root_uri=tmp_path.as_uri())
        result = await client.initialize_session(params)
        assert result.capabilities.inline_completion_provider == types.InlineCompletionOptions()
        assert result.capabilities.position_encoding == types.PositionEncodingKind.Utf16
        uri = (tmp_path / "a.py").as_uri()
        client.text_document_did_open(
            types.DidOpenTextDocumentParams(
                types.TextDocumentItem(uri, "python", 1, "a = '😋'; b = ")
            )
        )
        automatic = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        where = types.InlineCompletionParams(
            automatic, types.TextDocumentIdentifier(uri), types.Position(0, 14)
        )
        while not (answer := await client.text_document_inline_completion_async(where)).items:
            pass  # the service is not connected yet
        here = types.Position(0, 14)
        assert answer.items[0].insert_text == "done"
        assert answer.items[0].range == types.Range(here, here)
        assert created
        await client.shutdown_session()
    finally:
        await client.stop()

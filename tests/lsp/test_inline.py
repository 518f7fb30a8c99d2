"""From a request to ours and from an answer to items, without a server."""

from __future__ import annotations

import pytest
from lsprotocol import types

from completion.config import ClientConfig
from completion.wire import completion_pb2 as pb
from lsp import inline
from lsp.documents import Document
from lsp.positions import Encoding
from lsp.protocol import InlineParams

CONFIG = ClientConfig()
URI = "file:///home/me/project/src/a.py"


def opened(text: str, encoding: Encoding = Encoding.UTF16, language: str = "python") -> Document:
    return Document(URI, text, encoding, version=1, language_id=language)


def at(line: int, character: int, selected: types.SelectedCompletionInfo | None = None, **more):
    context = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic, selected)
    identifier = types.TextDocumentIdentifier(URI)
    return InlineParams(context, identifier, types.Position(line, character), **more)


def built(text: str, params: InlineParams, config=CONFIG, roots=(), encoding=Encoding.UTF16):
    snapshot = inline.take(opened(text, encoding), params.position)
    return inline.build(snapshot, params, config, roots)


def shown(document: str, line: int, character: int, *, encoding=Encoding.UTF16, **fields):
    snapshot = inline.take(opened(document, encoding), types.Position(line, character))
    response = pb.CompleteResponse(candidates=[pb.Candidate(**fields)])
    return [
        (item.insert_text, item.range.start.character, item.range.end.character)
        for item in inline.items(snapshot, response).items
        if item.range is not None
    ]


def span(line: int, start: int, end: int) -> types.Range:
    return types.Range(types.Position(line, start), types.Position(line, end))


def test_the_request_is_the_bytes_on_both_sides_of_the_cursor():
    request = built("a = '😋'\nb = x\nc\n", at(1, 4))
    assert request.document.prefix == "a = '😋'\nb = ".encode()
    assert request.document.suffix == b"x\nc\n"
    assert not request.document.prefix_truncated and not request.document.suffix_truncated


def test_long_documents_are_cut_and_say_so():
    text = "x = 1\n" * 1000
    request = built(text, at(500, 0), ClientConfig(context_bytes=1024))
    assert request.document.prefix_truncated and request.document.suffix_truncated
    assert len(request.document.prefix) <= 1024 and request.document.prefix.startswith(b"x = 1\n")


@pytest.mark.parametrize(
    ("text", "line", "eol"),
    [
        ("a\r\nb", 1, "\r\n"),
        ("a\nb", 1, "\n"),
        ("a", 0, "\n"),
        ("", 0, "\n"),
        ("a\rb", 1, "\n"),
        ("a\nb\r\nc\n", 1, "\r\n"),
    ],
)
def test_the_line_end_is_the_one_nearest_the_cursor(text, line, eol):
    assert built(text, at(line, 0)).document.eol == eol


@pytest.mark.parametrize(
    ("roots", "path", "repo"),
    [
        (["/home/me/project"], "src/a.py", "project"),
        (["/home/me", "/home/me/project"], "src/a.py", "project"),
        (["/else", "/home/me/proj"], "a.py", ""),
        ([], "a.py", ""),
    ],
)
def test_the_path_is_relative_to_the_innermost_folder_and_never_absolute(roots, path, repo):
    request = built("", at(0, 0), roots=roots)
    assert (request.document.path, request.repo_name) == (path, repo)


def test_a_document_that_is_no_file_has_a_name():
    untitled = Document("untitled:Untitled-1", "x", Encoding.UTF16, version=1, language_id="python")
    request = inline.build(inline.take(untitled, types.Position(0, 1)), at(0, 1), CONFIG, ["/work"])
    assert request.document.path == "Untitled-1"


def test_an_unpaired_surrogate_goes_out_as_valid_utf_8():
    request = built("a\ud83db", at(0, 2))
    assert request.document.prefix == "a\ufffd".encode()


def test_options_of_the_editor_and_of_the_configuration_are_sent():
    formatting = types.FormattingOptions(tab_size=3, insert_spaces=True)
    request = built(
        "", at(0, 0, formatting_options=formatting), ClientConfig(lines="single", candidates=3)
    )
    assert (request.document.tab_size, request.document.insert_spaces) == (3, True)
    assert request.options.lines == pb.GenerationOptions.LINES_SINGLE
    assert request.options.candidates == 3
    assert request.trigger == pb.CompleteRequest.TRIGGER_AUTOMATIC


def test_the_popups_item_is_sent_with_its_range_in_bytes():
    selected = types.SelectedCompletionInfo(span(0, 3, 8), "größe")
    request = built("😋.grö()", at(0, 6, selected))
    assert request.selected_completion.text == "größe".encode()
    assert request.selected_completion.replace_before == len("grö".encode())
    assert request.selected_completion.replace_after == 2


@pytest.mark.parametrize("where", [span(0, 0, 1), span(0, 3, 4), span(1, 0, 1)])
def test_a_popup_that_is_not_around_the_cursor_is_left_out(where):
    assert not built("abcd\nef", at(0, 2, types.SelectedCompletionInfo(where, "x"))).HasField(
        "selected_completion"
    )


@pytest.mark.parametrize(
    ("encoding", "cursor", "expected"),
    [
        (Encoding.UTF8, 6, ("x)", 6, 7)),
        (Encoding.UTF16, 4, ("x)", 4, 5)),
        (Encoding.UTF32, 3, ("x)", 3, 4)),
    ],
)
def test_the_range_is_in_the_clients_units(encoding, cursor, expected):
    assert shown("😋f()", 0, cursor, encoding=encoding, text=b"x)", replace_after=1) == [expected]


def test_an_item_begins_with_what_it_replaces_before_the_cursor():
    assert shown("a.pri", 0, 5, text=b"print(x)", replace_before=3) == [("print(x)", 2, 5)]
    assert shown("a.Pri", 0, 5, text=b"print(x)", replace_before=3) == []


def test_a_range_never_leaves_the_line():
    assert shown("f(\n)", 0, 2, text=b"x\n)", replace_after=2) == [("x", 2, 2)]
    assert shown("f(\n)", 0, 2, text=b"x", replace_after=2) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": b"\xf0\x9f"},
        {"text": b"x", "replace_before": 99},
        {"text": b"x", "replace_before": 1},
        {"text": b"x", "replace_after": 1},
        {"text": b""},
        {"text": "é".encode(), "replace_after": 2},
    ],
    ids=["half a character", "before the line", "inside", "inside after", "nothing", "no change"],
)
def test_what_could_only_be_shown_wrongly_is_left_out(wrong):
    assert shown("😋é", 0, 2, **wrong) == []


def test_a_snapshot_knows_that_the_document_moved_on():
    document = opened("ab")
    snapshot = inline.take(document, types.Position(0, 1))
    assert not snapshot.is_stale
    document.apply_change(types.TextDocumentContentChangeWholeDocument("ab"))
    assert snapshot.is_stale

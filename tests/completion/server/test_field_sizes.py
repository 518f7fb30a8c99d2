"""How large a field may be: what is beyond is refused by name, whatever the message may."""

import grpc
import pytest

from completion.server.field_sizes import (
    MAX_DOCUMENT_BYTES,
    MAX_PATH_BYTES,
    MAX_SELECTED_BYTES,
    MAX_SNIPPET_BYTES,
    MAX_SNIPPETS,
    MAX_WORD_BYTES,
)
from completion.wire import completion_pb2 as pb


def over(most):
    return "é" * (most // 2 + 1)  # more bytes than `most`, and fewer characters


def document(**fields):
    return {"document": pb.Document(**fields)}


def snippet(**fields):
    return {"snippets": [pb.Snippet(path="a.py", text=b"x"), pb.Snippet(**fields)]}


BOTH = [
    (document(prefix=b"x" * (MAX_DOCUMENT_BYTES + 1)), "document.prefix", MAX_DOCUMENT_BYTES),
    (document(suffix=b"x" * (MAX_DOCUMENT_BYTES + 1)), "document.suffix", MAX_DOCUMENT_BYTES),
    (document(path=over(MAX_PATH_BYTES)), "document.path", MAX_PATH_BYTES),
    (document(language_id=over(MAX_WORD_BYTES)), "document.language_id", MAX_WORD_BYTES),
    (snippet(text=b"x" * (MAX_SNIPPET_BYTES + 1)), "snippets[1].text", MAX_SNIPPET_BYTES),
    (snippet(path=over(MAX_PATH_BYTES)), "snippets[1].path", MAX_PATH_BYTES),
    (snippet(kind=over(MAX_WORD_BYTES)), "snippets[1].kind", MAX_WORD_BYTES),
    ({"snippets": [pb.Snippet()] * (MAX_SNIPPETS + 1)}, "snippets", MAX_SNIPPETS),
]
SELECTED = {"selected_completion": pb.SelectedCompletion(text=b"x" * (MAX_SELECTED_BYTES + 1))}
COMPLETE = [
    *BOTH,
    ({"repo_name": over(MAX_WORD_BYTES)}, "repo_name", MAX_WORD_BYTES),
    ({"workspace_id": over(MAX_WORD_BYTES)}, "workspace_id", MAX_WORD_BYTES),
    (SELECTED, "selected_completion.text", MAX_SELECTED_BYTES),
]


async def refused(call, field, limit):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith(f"{field} must be at most {limit} ")


@pytest.mark.parametrize(("fields", "field", "limit"), COMPLETE, ids=lambda v: str(v)[:20])
async def test_a_completion_names_the_field_that_is_too_large(serving, fields, field, limit):
    async with serving() as (_, stub):
        await refused(stub.Complete(pb.CompleteRequest(**fields)), field, limit)


@pytest.mark.parametrize(("fields", "field", "limit"), BOTH, ids=lambda v: str(v)[:20])
async def test_a_law_names_it_too(serving, fields, field, limit):
    async with serving() as (_, stub):
        await refused(stub.NextBytes(pb.NextBytesRequest(**fields)), field, limit)
        await refused(stub.Score(pb.ScoreRequest(**fields, texts=[b"x"])), field, limit)


async def test_what_is_as_large_as_it_may_be_is_answered(serving):
    whole = pb.Document(
        path="p" * MAX_PATH_BYTES,
        prefix=b"x = 1\n" * (MAX_DOCUMENT_BYTES // 6),
        suffix=b"\n" * (MAX_DOCUMENT_BYTES // 8),
    )
    async with serving() as (_, stub):
        await stub.Complete(pb.CompleteRequest(document=whole))

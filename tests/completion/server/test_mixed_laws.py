"""The law with a workspace mixed in, as the service answers it, against one that is written out.

Real engine, bundled model, float32; on the other side transformers and sums over all covers. The
workspace is fitted, so what is compared has its own weights in it.
"""

import math

import pytest
import torch

from completion.config import ModelConfig
from completion.engine.checkpoint import load_checkpoint
from completion.engine.vllm import VllmEngine
from completion.healing.arms import ARMS
from completion.healing.healer import Healer
from completion.prompt.views import DocumentView
from completion.server import completer
from completion.wire import completion_pb2 as pb
from completion.wire.address import Address
from completion.workspace.leave_one_out import LeaveOneOut
from completion.workspace.request import Mixing
from completion.workspace.store import Store
from tests.completion.server.served import served
from tests.completion.workspace.written_out import next_bytes_written_out, written_out

pytestmark = pytest.mark.engine

WITHIN = 1e-4
"""Of a probability, as in the tests of healing."""
ONE = "1" * 32
PATH = "main.py"
WIDGET = b"def frobnicate(alpha, beta):\n    gamma = alpha.quux(beta)\n    return gamma.zonk(alpha)\n\n\n"
FILES = {
    "widget.py": WIDGET * 3,
    "use.py": b"from widget import frobnicate\n\nprint(frobnicate(gamma_one, beta=gamma_two))\n"
    * 5,
    PATH: b"def main(alpha):\n    gamma = alpha.quit(  # as it was saved last\n",
}
PREFIX = b"from widget import frobnicate\n\n\ndef main(alpha):\n    gamma = alpha."
SUFFIX = b"\n    return frobnicate(alpha, gamma)\n"


@pytest.fixture(scope="module")
def checkpoint():
    return load_checkpoint("bundled")


@pytest.fixture(scope="module")
async def stub(checkpoint, tmp_path_factory):
    """Of a service that holds the workspace, fitted."""
    engine = VllmEngine(checkpoint, ModelConfig(dtype="float32"))
    address = Address(path=str(tmp_path_factory.mktemp("mixed") / "s.sock"))
    async with served(address, engine, arm="exact_spm", checkpoint=checkpoint) as (server, stub):
        changes = [
            pb.WorkspaceChange(workspace_id=ONE, path=path, text=text, version=number)
            for number, (path, text) in enumerate(FILES.items(), 1)
        ]
        async for _ in stub.SyncWorkspace(iter(changes)):
            pass
        held = server.service._workspaces._held[ONE]
        await held.fitting
        assert held.fits == 1
        yield stub


class WrittenOut:
    """The law behind the prompt of one cursor."""

    def __init__(self, checkpoint, model, store, fit):
        self._checkpoint, self._model, self._store, self._fit = checkpoint, model, store, fit
        self._rows, self._own = {}, {}

    @torch.no_grad()
    def own(self, prompt, ids):
        """The model's own log-probabilities behind ``prompt`` and ``ids``."""
        key = (tuple(prompt), tuple(ids))
        if key not in self._own:
            logits = self._model(torch.tensor([[*prompt, *ids]])).logits[0, -1]
            self._own[key] = torch.log_softmax(logits.double(), 0)
        return self._own[key]

    def row(self, asked, ids):
        """The mixed law of the token behind ``ids``."""
        prompt, mixing = asked
        key = (tuple(prompt), tuple(ids))
        if key not in self._rows:
            row = self.own(prompt, ids)
            whole = [*prompt, *ids]
            self._rows[key] = written_out(
                self._checkpoint, row, self._store, mixing, whole, self._fit
            )
        return self._rows[key]

    def next_bytes(self, asked, typed):
        """P(typed, b) of 256 bytes and the end."""
        return next_bytes_written_out(self._checkpoint, lambda ids: self.row(asked, ids), typed)


@pytest.fixture(scope="module")
def law(checkpoint):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(checkpoint.path, dtype=torch.float32)
    store = Store(len(checkpoint.vocabulary))
    for path, text in FILES.items():
        store.put(path, checkpoint.encoder.encode(text))
    fitting = LeaveOneOut(store, checkpoint.workspace_fit)
    while not fitting.step(1.0):
        pass
    assert fitting.fit.cases != checkpoint.workspace_fit.cases
    return WrittenOut(checkpoint, model, store, fitting.fit)


def asked(checkpoint, prefix, suffix=SUFFIX):
    """The prompt of a cursor with what is said of it, and the bytes that are covered behind it."""
    typed = Healer(None, checkpoint.vocabulary, checkpoint.encoder.encode).typed(
        prefix, ARMS["exact_spm"]
    )
    view = DocumentView(
        prefix=prefix[: len(prefix) - len(typed)], suffix=suffix, path=PATH, language_id="python"
    )
    prompt = checkpoint.prompt_builder(layout="spm").build(view, max_tokens=64)
    mixing = Mixing(
        ONE, "", PATH,
        (prompt.prefix_start, prompt.prefix_start + prompt.prefix_tokens),
        (prompt.suffix_start, prompt.suffix_start + prompt.suffix_tokens),
        len(prompt.token_ids),
    )  # fmt: skip
    return (prompt.token_ids, mixing), typed


def document(prefix, suffix=SUFFIX):
    return pb.Document(path=PATH, language_id="python", prefix=prefix, suffix=suffix)


def outcomes(answer):
    return torch.tensor([*answer.log_probs, answer.end_log_prob], dtype=torch.float64).exp()


@pytest.mark.parametrize("word", [b"", b"qu", b"quux(", b"zon"])
async def test_the_law_of_the_next_byte_is_the_mixed_one(stub, checkpoint, law, word):
    prompt, typed = asked(checkpoint, PREFIX + word)
    joint = torch.tensor(law.next_bytes(prompt, typed), dtype=torch.float64)
    request = pb.NextBytesRequest(document=document(PREFIX + word), workspace_id=ONE)
    answer = await stub.NextBytes(request)
    assert answer.omitted_mass_bound <= 1e-5
    assert float((outcomes(answer) - joint / joint.sum()).abs().max()) < WITHIN
    request.workspace_id = ""
    own = outcomes(await stub.NextBytes(request))
    assert float((outcomes(answer) - own).abs().max()) > 100 * WITHIN, "or nothing was mixed in"


async def test_a_raw_prompt_is_mixed_too(stub, checkpoint, law):
    ids = checkpoint.encoder.encode(PREFIX)
    typed = Healer(None, checkpoint.vocabulary, checkpoint.encoder.encode).typed(
        PREFIX, ARMS["exact_spm"]
    )
    ids = checkpoint.encoder.encode(PREFIX[: len(PREFIX) - len(typed)])
    prompt = (ids, Mixing(ONE, "", PATH, (0, len(ids)), (0, 0), len(ids)))
    joint = torch.tensor(law.next_bytes(prompt, typed), dtype=torch.float64)
    request = pb.NextBytesRequest(document=document(PREFIX), workspace_id=ONE, raw_prompt=True)
    answer = await stub.NextBytes(request)
    assert float((outcomes(answer) - joint / joint.sum()).abs().max()) < WITHIN


TEXTS = [b"", b"ux", b"er", b"ux("]


async def test_a_score_is_the_mixed_one_and_the_product_of_its_bytes(stub, checkpoint, law):
    prefix = PREFIX + b"qu"
    prompt, typed = asked(checkpoint, prefix)
    before = sum(law.next_bytes(prompt, typed))
    request = pb.ScoreRequest(document=document(prefix), workspace_id=ONE, texts=TEXTS)
    scored = (await stub.Score(request)).log_probs
    for text, log_prob in zip(TEXTS, scored, strict=True):
        mass = sum(law.next_bytes(prompt, typed + text))
        assert log_prob == pytest.approx(math.log(mass / before), abs=1e-3)
    chain = 0.0
    for at, byte in enumerate(b"ux"):
        here = prefix + b"ux"[:at]
        assert asked(checkpoint, here)[1] == typed + b"ux"[:at], "the prompt stays as it is"
        step = await stub.NextBytes(pb.NextBytesRequest(document=document(here), workspace_id=ONE))
        chain += step.log_probs[byte]
    assert scored[TEXTS.index(b"ux")] == pytest.approx(chain, abs=1e-3)
    request.workspace_id = ""
    own = (await stub.Score(request)).log_probs
    assert scored[TEXTS.index(b"ux")] > own[TEXTS.index(b"ux")] + 1, "or nothing was mixed in"


async def test_the_end_of_an_identifier_is_that_of_the_mixed_law(stub, checkpoint, law):
    prefix = PREFIX + b"qu"
    prompt, typed = asked(checkpoint, prefix)
    before = sum(law.next_bytes(prompt, typed))
    texts = [b"u", b"ux"]
    request = pb.ScoreRequest(
        document=document(prefix), workspace_id=ONE, texts=texts,
        edge=pb.ScoreRequest.EDGE_IDENTIFIER_END,
    )  # fmt: skip
    scored = (await stub.Score(request)).log_probs
    for text, log_prob in zip(texts, scored, strict=True):
        joint = law.next_bytes(prompt, typed + text)
        word = [b for b in range(256) if b >= 128 or b == ord("_") or chr(b).isalnum()]
        ends = sum(joint) - sum(joint[b] for b in word)
        assert log_prob == pytest.approx(math.log(ends / before), abs=2e-3)


@pytest.fixture
def made(monkeypatch):
    """What the candidates were before filters and ranking, with their tokens."""
    found = []

    async def generate(*words, **more):
        found.append(await own(*words, **more))
        return found[-1]

    own = completer.generate
    monkeypatch.setattr(completer, "generate", generate)
    return found


@pytest.mark.parametrize("word", [b"", b"qu"])
@pytest.mark.parametrize(
    "options",
    [
        {"candidates": 1},
        {"candidates": 3},
        {"candidates": 3, "temperature": 1.5, "top_p": 0.95, "seed": 3},
    ],
    ids=["greedy", "best three", "three drawn"],
)
async def test_candidates_have_the_log_prob_of_the_mixed_law(
    stub, checkpoint, law, made, word, options
):
    """Of its tokens, temperature and top_p apart, over P(typed)."""
    prompt, typed = asked(checkpoint, PREFIX + word)
    answer = await stub.Complete(
        pb.CompleteRequest(
            document=document(PREFIX + word),
            workspace_id=ONE,
            options=pb.GenerationOptions(max_tokens=6, include_raw=True, **options),
        )
    )
    log_typed = math.log(sum(law.next_bytes(prompt, typed)))
    left_out = -math.log1p(-answer.usage.omitted_mass_bound)
    compared, differs = 0, 0.0
    for candidate in answer.candidates:
        (one,) = {tuple(m.ids): m for m in made if m.raw == candidate.raw_text}.values()
        ahead = len(one.ids) - len(one.ends)
        ids = one.ids[: ahead + candidate.tokens]
        if not candidate.tokens:
            continue
        mixed = sum(math.log(law.row(prompt, ids[:n])[ids[n]]) for n in range(len(ids)))
        own = sum(float(law.own(prompt[0], ids[:n])[ids[n]]) for n in range(len(ids)))
        assert mixed - log_typed - 1e-3 <= candidate.log_prob
        assert candidate.log_prob <= mixed - log_typed + left_out + 1e-3
        compared, differs = compared + 1, max(differs, abs(mixed - own))
    assert compared
    assert differs > 1, "or nothing was mixed in"

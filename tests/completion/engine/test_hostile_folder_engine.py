"""Model folders that want to run code: in the real engine none of it ever runs."""

import asyncio
import json
import pickle
import subprocess
import sys

import pytest

from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError
from completion.wire import completion_pb2 as pb
from completion.wire import completion_pb2_grpc as rpc
from completion.wire.own_server import OwnServer
from tests.completion.families import make_checkpoint

MODULES = (
    "modeling_evil.py", "configuration_evil.py", "tokenization_evil.py", "processing_evil.py",
    "sitecustomize.py", "__init__.py", "conftest.py", "torch.py", "json.py", "vllm.py",
    "custom_generate/generate.py",
)  # fmt: skip
AUTO_MAP = {
    "AutoConfig": "configuration_evil.EvilConfig",
    "AutoModel": "modeling_evil.EvilModel",
    "AutoModelForCausalLM": "modeling_evil.EvilModel",
    "AutoTokenizer": ["tokenization_evil.Evil", "tokenization_evil.Evil"],
    "AutoProcessor": "processing_evil.Evil",
}


class Payload:
    """A pickle that makes a file when it is read."""

    def __init__(self, path):
        self._path = path

    def __reduce__(self):
        return open, (str(self._path), "w")


@pytest.fixture
def ran(tmp_path):
    """The file that anything of the folder would make if it ran."""
    return tmp_path / "ran"


@pytest.fixture
def folder(tmp_path, ran):
    """A servable folder with every kind of code in it that libraries are known to run."""
    folder = make_checkpoint("qwen", tmp_path / "model")
    for name in MODULES:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"open({str(ran)!r}, 'w').close()\n")
    for name in ("pytorch_model.bin", "training_args.bin", "adapter_model.pt", "consolidated.pth"):
        (folder / name).write_bytes(pickle.dumps(Payload(ran)))
    change(folder, "config.json", auto_map=AUTO_MAP, custom_generate="custom_generate")
    change(folder, "tokenizer_config.json", auto_map=AUTO_MAP)
    (folder / "preprocessor_config.json").write_text(json.dumps({"auto_map": AUTO_MAP}))
    return folder


def change(folder, name, **changes):
    path = folder / name
    tree = json.loads(path.read_text())
    path.write_text(json.dumps({**tree, **changes}))


@pytest.mark.engine
async def test_it_is_served_without_its_code(folder, ran):
    async with OwnServer(extra_args=["--model", str(folder)]) as server:
        channel = server.channel()
        stub = rpc.CompletionServiceStub(channel)
        document = pb.Document(path="a.py", prefix=b"name = val", suffix=b"\n")
        answer = await stub.Complete(pb.CompleteRequest(document=document))
        await channel.close()
    assert answer.usage.generated_tokens
    assert not ran.exists()


@pytest.mark.engine
async def test_one_that_only_its_code_could_run_is_refused_in_one_line(folder, ran):
    change(folder, "config.json", architectures=["EvilForCausalLM"])
    command = [sys.executable, "-m", "completion.cli", "serve", "--listen"]
    result = await asyncio.to_thread(
        subprocess.run, [*command, f"unix:{folder.parent}/s", "--model", str(folder)],
        capture_output=True, text=True,
    )  # fmt: skip
    lines = [line for line in result.stderr.splitlines() if not line.startswith("{")]
    assert result.returncode == 1
    assert [line for line in lines if line.startswith("caret serve: ")] == lines[-1:]
    assert not ran.exists()


def test_one_of_a_kind_that_nobody_knows_is_refused_before_an_engine_starts(folder, ran):
    change(folder, "config.json", model_type="evil")
    with pytest.raises(CaretError, match="never run"):
        load_checkpoint(str(folder))
    assert not ran.exists()


def test_pickles_alone_are_refused(folder, ran):
    (folder / "model.safetensors").unlink()
    with pytest.raises(CaretError, match="only pickled weights"):
        load_checkpoint(str(folder))
    assert not ran.exists()


@pytest.mark.parametrize("name", ["../outside.safetensors", "/etc/passwd", "..", "a/b.safetensors"])
def test_an_index_that_names_files_elsewhere_is_refused(folder, name):
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": {"w": name}}))
    with pytest.raises(CaretError, match="no file of its folder"):
        load_checkpoint(str(folder))


def test_the_payload_would_have_run(folder, ran):
    """Else nothing above says anything."""
    pickle.loads((folder / "pytorch_model.bin").read_bytes()).close()  # noqa: S301
    assert ran.exists()

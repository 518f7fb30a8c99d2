import json
import shutil
from pathlib import Path

import pytest

from completion.engine import locate
from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError, UsageError
from completion.healing.arms import Heals
from completion.prompt.views import DocumentView, SnippetView
from tests.completion.families import BY_NAME, CASES, make_checkpoint, tokenizer_json
from tests.completion.unmapped import WHY, unmapped_json

DOCUMENT = DocumentView(path="m.py", prefix=b"def f(x):\n    ret", suffix=b"\n")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Every family's tiny checkpoint, written once by transformers."""
    root = tmp_path_factory.mktemp("models")
    return {case.name: make_checkpoint(case.name, root / case.name) for case in CASES}


@pytest.fixture
def folder(made, tmp_path):
    """Return a function that copies a checkpoint, for damage to be done to it."""

    def copy(name: str = "qwen") -> Path:
        return Path(shutil.copytree(made[name], tmp_path / name))

    return copy


def edit(path: Path, **changes) -> None:
    tree = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**tree, **changes}))


def refusal(model: object) -> str:
    with pytest.raises(CaretError) as caught:
        load_checkpoint(str(model))
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("name", list(BY_NAME))
def test_every_family_loads_and_builds_prompts(made, name):
    checkpoint = load_checkpoint(str(made[name]))
    assert checkpoint.template.family == BY_NAME[name].family
    prompt = checkpoint.prompt_builder().build(DOCUMENT, max_tokens=20)
    assert prompt.arm == f"naive_{checkpoint.default_arm}"
    assert b"    ret" in prompt.text()
    assert checkpoint.checksum.startswith("sha256:")
    begins_with_bos = prompt.token_ids[0] == checkpoint.vocabulary.special.get(BY_NAME[name].bos)
    assert begins_with_bos == bool(BY_NAME[name].bos)


@pytest.mark.parametrize("name", list(BY_NAME))
def test_the_end_and_every_sentinel_stop_a_middle(made, name):
    checkpoint = load_checkpoint(str(made[name]))
    special = checkpoint.vocabulary.special
    assert special[BY_NAME[name].eos] in checkpoint.stop_ids
    assert {special[s] for s in checkpoint.template.sentinels} <= set(checkpoint.stop_ids)
    assert all(checkpoint.vocabulary.is_special(i) for i in checkpoint.stop_ids)


def test_family_specific_ends_are_stops(made):
    for name, end in [("codellama", "▁<EOT>"), ("starcoder2", "<file_sep>"), ("qwen", "<|file_sep|>"),
                      ("codegemma", "<|file_separator|>"), ("qwen", "<|im_end|>")]:  # fmt: skip
        checkpoint = load_checkpoint(str(made[name]))
        assert checkpoint.vocabulary.special[end] in checkpoint.stop_ids


def test_generation_config_adds_its_own_ends(folder):
    path = folder()
    edit(path / "generation_config.json", eos_token_id=[3, 5])
    assert {3, 5} <= set(load_checkpoint(str(path)).stop_ids)


def test_caret_json_says_what_the_model_was_trained_on(made):
    checkpoint = load_checkpoint(str(made["caret"]))
    assert (checkpoint.name, checkpoint.version) == ("caret-test", "0.1")
    assert (checkpoint.arms, checkpoint.default_arm) == (("spm", "psm"), "spm")
    assert checkpoint.languages == ("python",)
    assert checkpoint.context_tokens == 256
    prompt = checkpoint.prompt_builder().build(DOCUMENT, max_tokens=20)
    assert prompt.text().endswith(b"<|fim_middle|>def f(x):\n    ret")
    assert prompt.joined


def test_a_detected_qwen_is_served_in_the_order_it_was_trained_on_and_says_why(made):
    checkpoint = load_checkpoint(str(made["qwen"]))
    assert (checkpoint.arms, checkpoint.default_arm) == (("psm",), "psm")
    assert "<|file_sep|>" in checkpoint.messages[0]


def test_an_arm_can_be_asked_for_where_the_family_has_it(made):
    qwen = load_checkpoint(str(made["qwen"]))
    assert str(qwen.arm("spm")) == "exact_spm"
    assert str(qwen.arm("naive_psm")) == "naive_psm"
    assert qwen.prompt_builder(layout="spm").arm == "spm"
    with pytest.raises(UsageError, match=r"model\.arm"):
        load_checkpoint(str(made["deepseek"])).arm("spm")


def test_context_is_bounded_by_the_model_s_positions(made, folder):
    qwen = load_checkpoint(str(made["qwen"]))
    assert qwen.context_tokens == 512
    assert qwen.prompt_builder(context_tokens=300).context_tokens == 300
    with pytest.raises(UsageError, match="512 positions"):
        qwen.prompt_builder(context_tokens=1024)
    path = folder()
    edit(path / "config.json", max_position_embeddings=131072)
    assert load_checkpoint(str(path)).context_tokens == 8192


def test_another_snippet_format_disables_snippets_and_says_so(folder):
    path = folder("caret")
    edit(path / "caret.json", snippet_format=99)
    checkpoint = load_checkpoint(str(path))
    assert any("99" in message for message in checkpoint.messages)
    snippet = SnippetView(path="s.py", text=b"A = 1\n")
    prompt = checkpoint.prompt_builder().build(DOCUMENT, [snippet], max_tokens=20)
    assert [d.reason for d in prompt.dropped] == ["format"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "format 2"),
        ({"family": "gpt5"}, "unknown; known: qwen"),
        ({"family": "codellama"}, "▁<PRE>"),
        ({"arms": ["xyz"]}, "no arm 'xyz'"),
        ({"arms": ["psm"], "default_arm": "spm"}, "default_arm"),
        ({"context_tokens": "many"}, "context_tokens"),
    ],
)
def test_a_wrong_caret_json_is_refused_with_what_is_wrong(folder, changes, said):
    path = folder("caret")
    edit(path / "caret.json", **changes)
    assert said in refusal(path)


def test_weights_that_are_missing_are_named(folder):
    path = folder()
    (path / "model.safetensors").unlink()
    assert "model.safetensors is missing" in refusal(path)
    index = {
        "weight_map": {
            "a": "model-00001-of-00002.safetensors",
            "b": "model-00002-of-00002.safetensors",
        }
    }
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "lacks 2 of 2 weight files, first model-00001-of-00002.safetensors" in refusal(path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "consolidated.00.pth", "model.pt"])
def test_pickled_weights_are_refused_with_the_way_to_convert_them(folder, name):
    path = folder()
    (path / "model.safetensors").rename(path / name)
    message = refusal(path)
    assert name in message
    assert "save_pretrained" in message


@pytest.mark.parametrize("keep", [0, 5, 40, -10])
def test_weights_cut_short_are_refused(folder, keep):
    path = folder() / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    assert "cut short" in refusal(path.parent) or "no whole" in refusal(path.parent)


def test_the_checksum_follows_every_byte(folder):
    path = folder()
    before = load_checkpoint(str(path)).checksum
    assert load_checkpoint(str(path)).checksum == before
    weights = bytearray((path / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (path / "model.safetensors").write_bytes(weights)
    assert load_checkpoint(str(path)).checksum != before


def test_very_large_weights_say_that_only_their_headers_were_hashed(folder, monkeypatch):
    monkeypatch.setattr("completion.engine.weights.HASHED_BYTES", 10)
    assert load_checkpoint(str(folder())).checksum.startswith("sha256-headers:")


def test_a_tokenizer_without_fim_tokens_names_the_families(folder):
    path = folder()
    tree = json.loads((path / "tokenizer.json").read_text())
    tree["added_tokens"] = [t for t in tree["added_tokens"] if "fim" not in t["content"]]
    (path / "tokenizer.json").write_text(json.dumps(tree))
    message = refusal(path)
    assert "Qwen2.5-Coder" in message
    assert "CodeGeeX4" in message


@pytest.mark.parametrize("name", list(WHY))
def test_a_tokenizer_that_cannot_be_mapped_to_bytes_is_served_unhealed_and_says_so(folder, name):
    path = folder()
    (path / "tokenizer.json").write_text(unmapped_json(name), encoding="utf-8")
    checkpoint = load_checkpoint(str(path))
    line = f"healing is off with qwen: {WHY[name]}"
    assert checkpoint.unhealed == line
    assert checkpoint.messages[-1] == line
    assert "\n" not in line
    asked = ("auto", "exact_psm_word", "one_token_psm", "naive_psm", "exact_spm", "one_token_spm")
    arms = [str(checkpoint.arm(arm)) for arm in asked]
    assert arms == ["naive_psm"] * 4 + ["naive_spm"] * 2
    prompt = checkpoint.prompt_builder().build(DOCUMENT, max_tokens=20)
    special = checkpoint.vocabulary.special
    names = {special[sentinel] for sentinel in checkpoint.template.sentinels}
    assert [i for i in prompt.token_ids if i in checkpoint.vocabulary.special_ids] == [
        special["<|fim_prefix|>"], special["<|fim_suffix|>"], special["<|fim_middle|>"]]  # fmt: skip
    assert names <= set(checkpoint.stop_ids)


def test_a_tokenizer_that_can_be_mapped_heals(made):
    for name in BY_NAME:
        checkpoint = load_checkpoint(str(made[name]))
        assert checkpoint.unhealed == ""
        layout = checkpoint.template.arms[0]
        assert checkpoint.arm(layout).heals is Heals.EXACT


def test_a_tokenizer_that_is_of_no_known_kind_is_refused(folder):
    path = folder()
    tree = json.loads(tokenizer_json("qwen"))
    tree["model"]["type"] = "Hieroglyphs"
    (path / "tokenizer.json").write_text(json.dumps(tree))
    assert "Hieroglyphs; a vocabulary of BPE, Unigram, WordPiece or WordLevel" in refusal(path)


def test_a_tokenizer_of_another_model_is_refused(folder):
    path = folder()
    edit(path / "config.json", vocab_size=300)
    assert "do not belong together" in refusal(path)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("tokenizer.json", None, "no tokenizer.json"),
        ("tokenizer.json", "{", "not JSON"),
        ("config.json", "{", "config.json cannot be read"),
        ("config.json", "[]", "no JSON object"),
        ("caret.json", "nonsense", "caret.json cannot be read"),
    ],
)
def test_a_broken_file_is_named(folder, name, text, said):
    path = folder()
    if text is None:
        (path / name).unlink()
    else:
        (path / name).write_text(text)
    assert said in refusal(path)


def test_code_of_the_model_s_own_is_never_needed_nor_run(folder):
    path = folder()
    edit(path / "config.json", auto_map={"AutoModelForCausalLM": "evil.Model"})
    (path / "evil.py").write_text("raise SystemExit('it was run')")
    assert load_checkpoint(str(path)).template.family == "qwen"
    edit(path / "config.json", model_type="nobody_knows")
    assert "never run" in refusal(path)


def test_what_is_no_model_is_a_wrong_call(tmp_path):
    (tmp_path / "file").write_text("")
    for model in (tmp_path / "absent", tmp_path / "file", tmp_path, "just-a-name"):
        with pytest.raises(UsageError):
            load_checkpoint(str(model))


def test_the_bundled_model_is_the_one_folder_with_a_config(made, tmp_path, monkeypatch):
    monkeypatch.setattr(locate, "MODELS_FOLDER", tmp_path)
    assert "no bundled model" in refusal("bundled")
    shutil.copytree(made["caret"], tmp_path / "caret-xs")
    assert load_checkpoint("bundled").path == tmp_path / "caret-xs"
    shutil.copytree(made["qwen"], tmp_path / "other")
    assert "caret-xs, other" in refusal("bundled")


def test_a_hub_id_fetches_no_pickles_and_no_code(made, monkeypatch):
    asked: dict[str, object] = {}

    def fetch(model, allow_patterns):
        asked.update(model=model, patterns=allow_patterns)
        return str(made["qwen"])

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert load_checkpoint("someone/model").name == "someone/model"
    assert asked == {
        "model": "someone/model",
        "patterns": ["*.safetensors", "*.json", "*.txt", "*.model"],
    }


def test_without_a_network_the_message_says_how_else(monkeypatch):
    def offline(model, allow_patterns):
        raise OSError("no route to host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    assert "cannot be reached" in refusal("someone/model")

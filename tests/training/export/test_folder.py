from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

from completion.errors import CaretError
from training.export.folder import ExportSettings, decoder_of, export, verified_context
from training.export.int8 import CONFIG, imitate
from training.export.weights import read_weights
from training.model import Decoder, parameter_count
from training.recipe import Recipe
from training.run.session import run_training


@pytest.fixture
def run_folder(recipe: Recipe, corpus_folder: Path, tokenizer_folder: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    run_training(recipe, corpus_folder, tokenizer_folder, folder, "cpu")
    return folder


def test_exported_model_says_what_the_trained_one_says(
    recipe: Recipe, run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export(ExportSettings(run=run_folder, out=out))
    theirs = AutoModelForCausalLM.from_pretrained(str(out), dtype=torch.float32).eval()
    ours = decoder_of(recipe, read_weights(run_folder)[0])
    torch.manual_seed(0)
    ids = torch.randint(0, recipe.model.vocabulary, (3, 100))
    with torch.no_grad():
        assert torch.allclose(theirs(ids).logits, ours(ids), atol=1e-4)


def test_folder_that_says_something_else_is_refused_and_left_without_weights(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base of rotary positions that the trained model does not have."""
    saved = LlamaConfig.save_pretrained

    def other(self: LlamaConfig, *args: object, **kwargs: object) -> None:
        self.rope_parameters["rope_theta"] = 500.0
        saved(self, *args, **kwargs)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(LlamaConfig, "save_pretrained", other)
    out = tmp_path / "model"
    with pytest.raises(CaretError, match=r"from the trained model's, above 0\.0001") as caught:
        export(ExportSettings(run=run_folder, out=out))
    assert "\n" not in caught.value.message
    assert not (out / "model.safetensors").exists()


def test_card_says_how_exactly_the_folder_is_the_trained_model(
    run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export(ExportSettings(run=run_folder, out=out))
    card = (out / "MODEL_CARD.md").read_text()
    found = re.search(r"moved a logit by at most ([\d.]+), and bits per byte of [\d,]+ bytes", card)
    assert found
    assert 0 < float(found[1]) < 0.2
    (run_folder / "checkpoint.pt").unlink()
    export(ExportSettings(run=run_folder, out=out))
    assert "moved a logit" not in (out / "MODEL_CARD.md").read_text()


def test_int8_folder_holds_what_its_imitation_computes_with(
    recipe: Recipe, run_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export(ExportSettings(run=run_folder, out=out, int8=True))
    config = json.loads((out / "config.json").read_text())
    assert config["quantization_config"] == CONFIG
    tensors, weights = load_file(out / "model.safetensors"), read_weights(run_folder)[0]
    model = decoder_of(recipe, weights)
    imitate(model)
    known = dict(model.named_parameters())
    for name, weight in weights.items():
        if not name.endswith("_proj.weight"):
            assert torch.equal(tensors[name], weight)
            continue
        assert tensors[name].dtype is torch.int8
        scale = tensors[f"{name}_scale"]
        assert torch.equal(tensors[name].float() * scale, known[name])
        assert ((known[name] - weight.float()).abs() <= scale / 2 + 1e-7).all()
    assert "int8 projections" in (out / "MODEL_CARD.md").read_text()
    ids = torch.randint(0, recipe.model.vocabulary, (2, 60))
    with torch.no_grad():
        gap = (model(ids) - decoder_of(recipe, weights)(ids)).abs().max().item()
    assert 0 < gap < 0.5


def test_heads_are_dropped(recipe: Recipe, run_folder: Path, tmp_path: Path) -> None:
    """The checkpoint has them; a run's weights and the model folder are the decoder alone."""
    assert recipe.objectives.horizon > 0
    assert recipe.objectives.next_type > 0
    assert torch.load(run_folder / "checkpoint.pt", weights_only=True)["heads"]
    out = tmp_path / "model"
    export(ExportSettings(run=run_folder, out=out))
    decoder = set(Decoder(recipe.model).state_dict())
    assert set(load_file(out / "model.safetensors")) == decoder
    assert set(read_weights(run_folder)[0]) == decoder
    model, about = AutoModelForCausalLM.from_pretrained(str(out), output_loading_info=True)
    assert not any(about[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert sum(p.numel() for p in model.parameters()) == parameter_count(Decoder(recipe.model))


def test_run_of_before_there_were_objectives_is_exported(run_folder: Path, tmp_path: Path) -> None:
    path = run_folder / "weights.json"
    index = json.loads(path.read_text())
    del index["recipe"]["objectives"]
    path.write_text(json.dumps(index))
    assert export(ExportSettings(run=run_folder, out=tmp_path / "model"))["name"] == "tiny"


def test_folder_has_what_others_load(run_folder: Path, corpus_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "model"
    about = export(ExportSettings(run=run_folder, out=out, corpus=corpus_folder, version="7"))
    assert json.loads((out / "caret.json").read_text()) == about
    assert about["context_tokens"] in {64, 128, 256}
    assert about["held_out_bits_per_byte"] > 0
    config = json.loads((out / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["max_position_embeddings"] == about["context_tokens"]
    assert config["dtype"] == "bfloat16"
    tokenizer = AutoTokenizer.from_pretrained(str(out))
    assert config["eos_token_id"] == tokenizer.eos_token_id
    generation = json.loads((out / "generation_config.json").read_text())
    assert generation["eos_token_id"] == tokenizer.eos_token_id
    assert (out / "loss.png").stat().st_size < 100_000


def test_card_says_data_licences_measures_and_samples(
    run_folder: Path, corpus_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "model"
    export(ExportSettings(run=run_folder, out=out, corpus=corpus_folder))
    card = (out / "MODEL_CARD.md").read_text()
    for expected in (
        "license: apache-2.0",
        "2 × MIT",
        "alpha 1.0 (MIT)",
        "| gamma |",
        "loss.png",
        "import numpy as▮",
        "for i in range(▮",
    ):
        assert expected in card


def test_context_is_the_longest_window_that_reads_no_worse(recipe: Recipe) -> None:
    assert verified_context(recipe, {}) == 128
    assert verified_context(recipe, {64: 2.0, 128: 1.9, 256: 1.8}) == 256
    assert verified_context(recipe, {64: 2.0, 128: 1.9, 256: 2.4}) == 128
    assert verified_context(recipe, {64: 2.0, 128: 2.5, 256: 1.0}) == 64

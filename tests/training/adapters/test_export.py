"""What adapters become: a plain folder of the base's kind, or PEFT's, both saying the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from completion.engine.checkpoint import load_checkpoint
from completion.errors import CaretError, UsageError
from tests.training.adapters.conftest import recipe_for
from training.adapters.base import Base, load_base
from training.adapters.decoder import AdaptedDecoder
from training.adapters.export import export_adapters
from training.export.folder import ExportSettings
from training.export.weights import read_weights, write_weights
from training.recipe import Recipe
from training.run.session import run_training


@pytest.fixture
def train(bases: Any, corpus_folder: Path, tmp_path: Path) -> Any:
    def run(name: str) -> tuple[Base, Recipe, Path]:
        base = load_base(str(bases(name)))
        recipe = recipe_for(base, tmp_path / "r.toml", budget={"tokens": 2_000})
        run_training(recipe, corpus_folder, base.folder, tmp_path / "run", "cpu", base)
        return base, recipe, tmp_path / "run"

    return run


def trained_logits(base: Base, recipe: Recipe, run: Path, ids: torch.Tensor) -> torch.Tensor:
    assert recipe.lora
    decoder = AdaptedDecoder(base, recipe.lora)
    decoder.put(read_weights(run)[0])
    with torch.no_grad():
        return decoder.train(False)(ids)


@pytest.mark.parametrize("name", ["qwen", "starcoder2", "codellama", "codegemma", "seedcoder"])
def test_merged_folder_says_what_the_trained_model_says(
    name: str, train: Any, tmp_path: Path
) -> None:
    base, recipe, run = train(name)
    out = tmp_path / "out"
    about = export_adapters(ExportSettings(run=run, out=out))
    theirs = AutoModelForCausalLM.from_pretrained(str(out), dtype=torch.float32).eval()
    ids = torch.randint(0, recipe.model.vocabulary, (2, 60))
    ours = trained_logits(base, recipe, run, ids)
    plain = AutoModelForCausalLM.from_pretrained(str(base.folder), dtype=torch.float32).eval()
    with torch.no_grad():
        assert torch.allclose(theirs(ids).logits, ours, atol=1e-4)
        assert (plain(ids).logits - ours).abs().max() > 0.01
    assert set(load_file(out / "model.safetensors")) == set(
        load_file(base.folder / "model.safetensors")
    )
    assert (out / "tokenizer.json").read_bytes() == (base.folder / "tokenizer.json").read_bytes()
    assert AutoTokenizer.from_pretrained(str(out)).eos_token_id is not None
    served = load_checkpoint(str(out))
    assert served.template.family == base.checkpoint.template.family
    assert served.name == about["name"] == "tiny-lora"
    assert ("spm" in served.template.joined) == (name not in ("seedcoder",))


def test_base_in_bfloat16_stays_in_bfloat16_and_the_card_says_what_that_costs(
    train: Any, bases: Any, tmp_path: Path, corpus_folder: Path
) -> None:
    folder = tmp_path / "half"
    AutoModelForCausalLM.from_pretrained(str(bases("qwen")), dtype=torch.bfloat16).save_pretrained(
        folder
    )
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((bases("qwen") / name).read_bytes())
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# Base\n")
    base = load_base(str(folder))
    recipe = recipe_for(base, tmp_path / "r.toml", budget={"tokens": 2_000})
    run_training(recipe, corpus_folder, base.folder, tmp_path / "run", "cpu", base)
    settings = ExportSettings(run=tmp_path / "run", out=tmp_path / "out", corpus=corpus_folder)
    about = export_adapters(settings)
    assert {w.dtype for w in load_file(tmp_path / "out" / "model.safetensors").values()} == {
        torch.bfloat16
    }
    assert about["held_out_bits_per_byte"] < about["base_bits_per_byte"]
    card = (tmp_path / "out" / "README.md").read_text()
    for expected in ("Licence of the base: apache-2.0", base.checkpoint.checksum, "2 × MIT",
                     "Rounding what was trained (bfloat16)", "Rank 8, alpha 16"):  # fmt: skip
        assert expected in card
    exact = ExportSettings(run=tmp_path / "run", out=tmp_path / "exact")
    export_adapters(exact, float32=True)
    (dtype,) = {w.dtype for w in load_file(tmp_path / "exact" / "model.safetensors").values()}
    assert dtype is torch.float32


def test_adapter_alone_is_what_peft_loads(train: Any, tmp_path: Path) -> None:
    base, recipe, run = train("qwen")
    out = tmp_path / "adapter"
    export_adapters(ExportSettings(run=run, out=out), alone=True)
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base.checkpoint.name
    assert all("lora_" in name for name in load_file(out / "adapter_model.safetensors"))
    plain = AutoModelForCausalLM.from_pretrained(str(base.folder), dtype=torch.float32)
    loaded = PeftModel.from_pretrained(plain, str(out)).eval()
    ids = torch.randint(0, recipe.model.vocabulary, (2, 60))
    with torch.no_grad():
        assert torch.allclose(
            loaded(input_ids=ids).logits, trained_logits(base, recipe, run, ids), atol=1e-4
        )


def test_merged_weights_that_are_not_the_trained_ones_are_refused(
    train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge that forgets the adapters."""
    _, _, run = train("qwen")
    monkeypatch.setattr(AdaptedDecoder, "merged", lambda self: self.wrapped.unload())
    with pytest.raises(CaretError, match=r"its logits are .* from the trained model's") as caught:
        export_adapters(ExportSettings(run=run, out=tmp_path / "out"))
    assert "\n" not in caught.value.message
    assert not list((tmp_path / "out").glob("*.safetensors"))


def test_wrong_calls_are_one_line_each(train: Any, bases: Any, tmp_path: Path) -> None:
    base, _, run = train("qwen")
    settings = ExportSettings(run=run, out=tmp_path / "out")
    other = str(bases("starcoder2"))
    calls = {
        "adapters belong to qwen": lambda: export_adapters(settings, base_folder=other),
        "is the base itself": lambda: export_adapters(ExportSettings(run=run, out=base.folder)),
        "holds weights already": lambda: export_adapters(
            ExportSettings(run=run, out=bases("starcoder2"))
        ),
    }
    for message, call in calls.items():
        with pytest.raises(UsageError, match=message) as caught:
            call()
        assert "\n" not in caught.value.message
    weights, index = read_weights(run)
    about = {key: value for key, value in index.items() if key not in ("parts", "sha256")}
    write_weights(run, {n: w[:-1] for n, w in weights.items()}, about)
    with pytest.raises(UsageError, match="of another base or recipe"):
        export_adapters(settings)
    known = json.loads((run / "base.json").read_text())
    (run / "base.json").write_text(json.dumps({**known, "folder": str(tmp_path / "gone")}))
    with pytest.raises(UsageError, match="no longer where it was; give --base DIR"):
        export_adapters(settings)

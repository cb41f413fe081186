"""Which layers are fused, that they compute what the stock ones do, and that nothing else moves."""

from __future__ import annotations

import copy
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import AutoModelForCausalLM, GraniteConfig

from tests.models.tiny import CONFIGS, tiny_model
from tests.models.trees import BRANCHING
from tunesmith.data.forest import Packing, build_forests
from tunesmith.models import attention as attention_module
from tunesmith.models.adapters import full, lora
from tunesmith.models.attention import enable_forest, stock_attention
from tunesmith.models.causal import causal_model
from tunesmith.models.fused import halves, install, passes
from tunesmith.models.fused.install import Fused
from tunesmith.models.fused.layer import FusedLayer
from tunesmith.models.recompute import RecomputedLayer, recompute_layers
from tunesmith.models.score import forest_scores

FUSED = ["llama", "llama_tied", "qwen2", "qwen3", "mistral", "gemma", "smollm3"]
STOCK = ["gpt_neox", "gemma2", "gemma3", "granite", "cohere", "phi3", "olmo2", "qwen3_moe", "gpt2",
         "opt"]  # fmt: skip
IDS = torch.arange(3, 14)[None]
(FOREST,) = build_forests(
    list(enumerate(BRANCHING)), Packing(tokens_per_forest=1000, shortest_shared=1)
)


@pytest.fixture(params=["blocked", "whole"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How layers are fused: as a CPU has it, and as a GPU."""
    monkeypatch.setattr(install, "takes_whole", lambda inner: request.param == "whole")
    return str(request.param)


@contextmanager
def unfused() -> Iterator[None]:
    """Within the block models keep their stock layers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attention_module, "fuse_layers", lambda *given: Fused(layers=0))
        yield


def fused_in(model: nn.Module) -> int:
    return sum(isinstance(module, FusedLayer) for module in model.modules())


def adapted(name: str, adapter: str, **options: object) -> nn.Module:
    """A model with trainable weights that are not zero."""
    model = tiny_model(CONFIGS[name])
    if adapter == "full":
        return full.attach(model, full.Config())
    made = lora.attach(model, lora.Config(rank=4, **options))  # type: ignore[arg-type]
    torch.manual_seed(2)
    with torch.no_grad():
        for key, weight in made.named_parameters():
            if "lora_" in key:
                weight.normal_(std=0.1)
    return made


def scores(model: nn.Module) -> Tensor:
    return forest_scores(model, FOREST, support=enable_forest(model)).logprobs_N


def stock_scores(model: nn.Module) -> Tensor:
    """Of the same weights, in a copy with stock layers."""
    other = copy.deepcopy(model)
    stack = causal_model(other).base_model.layers
    for place, layer in enumerate(stack):
        stack[place] = layer.stock if isinstance(layer, FusedLayer) else layer
    with unfused():
        found = scores(other)
    assert fused_in(other) == 0
    return found


def gradients(model: nn.Module, logprobs_N: Tensor) -> dict[str, Tensor]:
    """By name, of an uneven sum."""
    weights = {name: one for name, one in model.named_parameters() if one.requires_grad}
    slope = torch.linspace(-1, 2, logprobs_N.numel())
    found = torch.autograd.grad(logprobs_N, list(weights.values()), slope)
    return dict(zip(weights, found, strict=True))


def test_every_architecture_is_in_one_list() -> None:
    assert sorted(FUSED + STOCK) == sorted(CONFIGS)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("adapter", ["none", "lora", "full"])
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.filterwarnings("ignore:The following (rank|alpha)_pattern keys:RuntimeWarning")
def test_which_are_fused(name: str, adapter: str) -> None:
    model = tiny_model(CONFIGS[name]) if adapter == "none" else adapted(name, adapter)
    support = enable_forest(model)
    assert support.supported
    assert fused_in(model) == (2 if name in FUSED else 0)
    assert ("2 layers fused" in support.reason) is (name in FUSED)
    enable_forest(model)
    assert fused_in(model) == (2 if name in FUSED else 0), "asked twice, fused once"


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("rows", [3, 1000])
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", FUSED)
def test_fused_and_stock_agree(
    monkeypatch: pytest.MonkeyPatch, name: str, adapter: str, rows: int
) -> None:
    monkeypatch.setattr(halves, "_block_rows", lambda products: rows)
    model = adapted(name, adapter)
    other = copy.deepcopy(model)
    found = scores(model)
    with unfused():
        expected = scores(other)
    assert (fused_in(model), fused_in(other)) == (2, 0)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    mine, theirs = gradients(model, found), gradients(other, expected)
    assert list(mine) == list(theirs)
    everything = torch.cat([one.flatten() for one in theirs.values()]).norm()
    for key, one in theirs.items():
        assert (mine[key] - one).norm() <= 1e-5 * one.norm() + 1e-7 * everything, key


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", FUSED)
def test_without_gradients_the_same(name: str, adapter: str) -> None:
    model = adapted(name, adapter)
    found = scores(model)
    with torch.no_grad():
        torch.testing.assert_close(scores(model), found, rtol=1e-6, atol=1e-6)
    with torch.inference_mode():
        torch.testing.assert_close(scores(model), found, rtol=1e-6, atol=1e-6)
    model.requires_grad_(False)
    frozen = scores(model)
    assert not frozen.requires_grad
    torch.testing.assert_close(frozen, found, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", FUSED)
def test_names_stay(name: str, adapter: str) -> None:
    model = adapted(name, adapter)
    parameters = {key: id(weight) for key, weight in model.named_parameters()}
    state = {key: value.data_ptr() for key, value in model.state_dict().items()}
    modules = [key for key, _ in model.named_modules()]
    enable_forest(model)
    assert {key: id(weight) for key, weight in model.named_parameters()} == parameters
    assert list(dict(model.named_parameters())) == list(parameters)
    assert {key: value.data_ptr() for key, value in model.state_dict().items()} == state
    assert [key for key, _ in model.named_modules()] == modules


@pytest.mark.parametrize("name", FUSED)
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    model = adapted(name, "full")
    enable_forest(model)
    expected = stock_scores(model)
    full.save(model, tmp_path)
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    assert fused_in(loaded) == 0
    torch.testing.assert_close(stock_scores(loaded), expected)
    bytes_of = io.BytesIO()
    torch.save(model.state_dict(), bytes_of)
    bytes_of.seek(0)
    assert set(torch.load(bytes_of)) == set(model.state_dict())


@pytest.mark.parametrize("name", FUSED)
def test_an_adapter_is_saved_loaded_and_merged(name: str, tmp_path: Path) -> None:
    plain, model = adapted(name, "lora"), adapted(name, "lora")
    found = scores(model)
    lora.save(plain, tmp_path / "stock")
    lora.save(model, tmp_path / "fused")
    names = ["adapter_config.json", "adapter_model.safetensors"]
    for file in names:
        assert (tmp_path / "stock" / file).read_bytes() == (tmp_path / "fused" / file).read_bytes()
    loaded = PeftModel.from_pretrained(tiny_model(CONFIGS[name]), tmp_path / "fused").eval()
    torch.testing.assert_close(scores(loaded), found, rtol=1e-5, atol=1e-5)
    assert isinstance(model, PeftModel)
    merged = model.merge_and_unload()
    assert not any("lora_" in key for key, _ in merged.named_parameters())
    torch.testing.assert_close(scores(merged), found, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(stock_scores(merged), found, rtol=1e-4, atol=1e-4)
    with stock_attention(merged):
        own = merged(input_ids=IDS).logits
    expected = plain.merge_and_unload()(input_ids=IDS).logits  # type: ignore[operator]
    torch.testing.assert_close(own, expected)


@pytest.mark.parametrize("name", FUSED)
def test_an_adapter_switched_off_inside(name: str) -> None:
    model = adapted(name, "lora")
    found = scores(model)
    assert isinstance(model, PeftModel)
    with model.disable_adapter():
        torch.testing.assert_close(scores(model), scores(tiny_model(CONFIGS[name])))
    torch.testing.assert_close(scores(model), found)
    assert (found - scores(tiny_model(CONFIGS[name]))).abs().max() > 0.01


def test_another_adapter_that_leaves_layers_alone() -> None:
    model = adapted("llama", "lora")
    assert isinstance(model, PeftModel)
    enable_forest(model)
    model.add_adapter("other", LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["v_proj"],
                                          init_lora_weights=False))  # fmt: skip
    model.set_adapter("other")
    model.eval()
    torch.testing.assert_close(scores(model), stock_scores(model), rtol=1e-5, atol=1e-5)


def test_an_adapter_put_around_fused_layers() -> None:
    model = tiny_model(CONFIGS["llama"])
    enable_forest(model)
    around = get_peft_model(
        model,
        LoraConfig(task_type="CAUSAL_LM", r=2, target_modules=["q_proj"], init_lora_weights=False),
    ).eval()
    assert fused_in(around) == 2
    torch.testing.assert_close(scores(around), stock_scores(around), rtol=1e-5, atol=1e-5)
    with stock_attention(around):
        own = around(input_ids=IDS).logits
        merged = copy.deepcopy(around).merge_and_unload()
        torch.testing.assert_close(merged(input_ids=IDS).logits, own)


@pytest.mark.parametrize("options", [{"dropout": 0.3}, {"dora": True}], ids=["dropout", "dora"])
def test_dropout_and_dora_run_in_stock_layers(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    def never(*given: object) -> None:
        raise AssertionError("a fused half was used")

    model = adapted("llama", "lora", **options)
    other = copy.deepcopy(model)
    monkeypatch.setattr("tunesmith.models.fused.layer.attention_inputs", never)
    found = []
    for one, quiet in ((model, False), (other, True)):
        support = enable_forest(one)
        torch.manual_seed(5)
        with unfused() if quiet else monkeypatch.context():
            logprobs = forest_scores(one, FOREST, support=support).logprobs_N
        found.append([logprobs, *gradients(one, logprobs).values()])
    for mine, theirs in zip(*found, strict=True):
        torch.testing.assert_close(mine, theirs)


def test_dropout_that_is_off_does_not_hinder() -> None:
    model = adapted("llama", "lora", dropout=0.3).eval()
    enable_forest(model)
    assert fused_in(model) == 2
    torch.testing.assert_close(scores(model), stock_scores(model), rtol=1e-5, atol=1e-5)


def test_products_under_autocast_are_as_precise_as_the_stock_layers() -> None:
    """Full training asked for in bf16: products run in it, and the fused ones know fp32 only."""
    model = adapted("llama", "full")
    with torch.autocast("cpu", torch.bfloat16):
        found = scores(model)
        expected = stock_scores(model)
    assert torch.equal(found, expected)
    for slope in gradients(model, found).values():
        assert slope.dtype == torch.float32
        assert slope.isfinite().all()


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", ["llama", "qwen3", "gemma"])
def test_copies_generate_and_train_on_their_own(name: str, adapter: str) -> None:
    model = adapted(name, adapter)
    enable_forest(model)
    with stock_attention(model):
        before = model.generate(input_ids=IDS, max_new_tokens=4, do_sample=False)  # type: ignore[operator]
    other = copy.deepcopy(model)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.mul_(0.5)
    with stock_attention(other):
        after = other.generate(input_ids=IDS, max_new_tokens=4, do_sample=False)  # type: ignore[operator]
        layer = causal_model(other).base_model.layers[0]
    assert torch.equal(before, after)
    assert isinstance(layer, FusedLayer)
    assert layer.stock.self_attn is layer.self_attn, "one set of children"
    torch.testing.assert_close(scores(model), stock_scores(model), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_recomputed_layers(name: str, adapter: str) -> None:
    model = adapted(name, adapter)
    expected = scores(model)
    plain = gradients(model, expected)
    assert recompute_layers(model, 2) == 2
    found = scores(model)
    stack = causal_model(model).base_model.layers
    assert [type(layer) for layer in stack] == [RecomputedLayer] * 2, "asked again, still there"
    assert [type(layer.stock) for layer in stack] == [FusedLayer] * 2
    assert "2 layers fused" in enable_forest(model).reason
    torch.testing.assert_close(found, expected)
    for key, one in gradients(model, found).items():
        torch.testing.assert_close(one, plain[key])


def test_last_layer_makes_what_is_wanted() -> None:
    model = adapted("llama", "lora")
    support = enable_forest(model)
    sizes: list[int] = []
    norm = causal_model(model).base_model.norm
    norm.register_forward_hook(lambda module, given, made: sizes.append(made.shape[1]))
    forest_scores(model, FOREST, support=support)
    assert sizes == [len(set(FOREST.source_index_N.tolist()))]
    assert sizes[0] < FOREST.ids_S.size


@pytest.mark.parametrize("adapter", ["lora", "full"])
@pytest.mark.parametrize("name", ["llama", "qwen3"])
def test_whole_layers_never_wait_for_numbers(
    monkeypatch: pytest.MonkeyPatch, name: str, adapter: str
) -> None:
    """On the meta device there are none to wait for: asking for one raises."""
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)
    model = adapted(name, adapter)
    support = enable_forest(model)
    assert fused_in(model) == 2
    model.to("meta")
    forest_scores(model, FOREST, support=support).logprobs_N.sum().backward()
    slopes = [one.grad for one in model.parameters() if one.requires_grad]
    assert all(slope is not None and slope.is_meta for slope in slopes)


def test_what_fails_by_its_own_kernels_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bf16, where fp32 had proved it: on a GPU kernels are compiled there for the first time."""
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)

    def failing(*given: Tensor, **named: object) -> Tensor:
        if given[0].dtype == torch.bfloat16:
            raise RuntimeError("no room for the kernel\nand more")
        return before(*given, **named)

    before = passes.gated
    monkeypatch.setattr(passes, "gated", failing)
    model = adapted("llama", "lora")
    for weight in model.parameters():
        weight.data = weight.data.bfloat16() if not weight.requires_grad else weight.data
    support = enable_forest(model)
    assert support.supported
    assert fused_in(model) == 0
    assert "others not (no room for the kernel)" in support.reason


def test_layers_can_be_left_as_they_are() -> None:
    model = adapted("llama", "lora")
    assert enable_forest(model, fuse=False).supported
    assert fused_in(model) == 0


def test_layers_that_only_look_alike_are_told_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Granite scales what its layers add."""
    monkeypatch.setattr(install, "takes_whole", lambda inner: True)
    config = GraniteConfig(**CONFIGS["llama"].to_diff_dict(), residual_multiplier=0.5)
    support = enable_forest(tiny_model(config))
    assert "others not (in fp32 they give other numbers when fused)" in support.reason

"""Tiny random models of each architecture that the tests compare with Transformers."""

from __future__ import annotations

import copy

import numpy as np
import torch
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GPTNeoXConfig,
    GptOssConfig,
    GraniteConfig,
    LlamaConfig,
    MistralConfig,
    Olmo2Config,
    OPTConfig,
    Phi3Config,
    PretrainedConfig,
    PreTrainedModel,
    Qwen2Config,
    Qwen2MoeConfig,
    Qwen3Config,
    Qwen3MoeConfig,
    SmolLM3Config,
)

from tunesmith.contracts import TokenRow
from tunesmith.errors import Place

VOCABULARY = 97
_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_GROUPED = _SIZES | {"num_key_value_heads": 2}
_HEADED = _GROUPED | {"head_dim": 8}
_SPECIAL = {"vocab_size": VOCABULARY, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}

CONFIGS: dict[str, PretrainedConfig] = {
    "llama": LlamaConfig(**_GROUPED),
    "llama_tied": LlamaConfig(**_GROUPED, tie_word_embeddings=True),
    "qwen2": Qwen2Config(**_GROUPED),
    "qwen3": Qwen3Config(**_HEADED),
    "mistral": MistralConfig(**_GROUPED, sliding_window=5),
    "gemma": GemmaConfig(**_HEADED),
    "gpt_neox": GPTNeoXConfig(**_SIZES),
    "gemma2": Gemma2Config(
        **_HEADED, sliding_window=5, query_pre_attn_scalar=8, final_logit_softcapping=3.0,
        attn_implementation="eager",
    ),
    "gemma3": Gemma3TextConfig(**_HEADED, sliding_window=5),
    "granite": GraniteConfig(
        **_GROUPED, logits_scaling=4.0, attention_multiplier=0.3, embedding_multiplier=3.0,
        residual_multiplier=0.7,
    ),
    "cohere": CohereConfig(**_GROUPED, logit_scale=0.25),
    "phi3": Phi3Config(**_GROUPED),
    "smollm3": SmolLM3Config(**_GROUPED, no_rope_layer_interval=2),
    "olmo2": Olmo2Config(**_GROUPED),
    "qwen3_moe": Qwen3MoeConfig(
        **_HEADED, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=24
    ),
    "gpt2": GPT2Config(**_SPECIAL, n_embd=32, n_layer=2, n_head=4, n_positions=128),
    "opt": OPTConfig(
        **_SPECIAL, hidden_size=32, ffn_dim=48, num_hidden_layers=2, num_attention_heads=4,
        max_position_embeddings=128, word_embed_proj_dim=32,
    ),
}  # fmt: skip
"""Architectures that take forests."""

BORDER = 12
"""Length past which the frequencies of `LENGTHWISE` models differ."""

LENGTHWISE: dict[str, PretrainedConfig] = {
    "phi3 longrope": Phi3Config(
        **_GROUPED, original_max_position_embeddings=BORDER,
        rope_parameters={
            "rope_type": "longrope", "rope_theta": 1e4,
            "short_factor": [1.0, 1.2, 1.4, 1.6], "long_factor": [2.0, 3.0, 4.0, 5.0],
        },
    ),
    "llama longrope": LlamaConfig(
        **_GROUPED,
        rope_parameters={
            "rope_type": "longrope", "rope_theta": 1e4, "factor": 8.0,
            "original_max_position_embeddings": BORDER,
            "short_factor": [1.0, 1.2, 1.4, 1.6], "long_factor": [2.0, 3.0, 4.0, 5.0],
        },
    ),
    "llama dynamic": LlamaConfig(
        **_GROUPED | {"max_position_embeddings": BORDER},
        rope_parameters={"rope_type": "dynamic", "rope_theta": 1e4, "factor": 3.0},
    ),
}  # fmt: skip
"""Architectures whose rotary positions depend on the length of the whole row."""

UNSUPPORTED: dict[str, PretrainedConfig] = {
    "sinks": GptOssConfig(**_HEADED, num_local_experts=4, sliding_window=5, rope_parameters=None),
    "window in the mask only": Qwen2MoeConfig(
        **_GROUPED, num_experts=4, use_sliding_window=True, sliding_window=5, max_window_layers=0
    ),
    "outside the attention interface": FalconConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        alibi=False, bos_token_id=1, eos_token_id=2,
    ),
}  # fmt: skip
"""Architectures that run one row at a time, by the reason."""


def tiny_model(config: PretrainedConfig, *, seed: int = 0, scale: float = 4.0) -> PreTrainedModel:
    """A random model whose weights are large enough for attention to matter."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(copy.deepcopy(config)).eval()
    assert isinstance(model, PreTrainedModel)
    ends = {id(model.get_input_embeddings().weight), id(model.get_output_embeddings().weight)}
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1 and id(weight) not in ends:
                weight.mul_(scale)
    return model.requires_grad_(False)


def random_rows(*lengths: int, seed: int = 0) -> list[TokenRow]:
    """Rows with trained tokens here and there, of different weights."""
    random = np.random.default_rng(seed)
    rows = []
    for length in lengths:
        weights = random.choice([0.0, 0.0, 1.0, 0.5], length).astype(np.float32)
        weights[0], weights[1] = 0.0, 1.0
        ids = random.integers(3, VOCABULARY, length).astype(np.int32)
        rows.append(
            TokenRow(ids_T=ids, weights_T=weights, place=Place(file="rows"), digest=str(length))
        )
    return rows

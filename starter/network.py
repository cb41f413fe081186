"""The starter model as a plain PyTorch module, faster to train than a library's and equal to it.

Parameter names are those of Transformers' ``LlamaForCausalLM`` with tied embeddings, so a
state dict is the model file. Weights stay in float32 and are cast where they are used.

Shape suffixes: B windows, T tokens of a window, N = B*T, D width, H heads, E width of a head,
V vocabulary, C tokens of a chunk.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

ROPE_BASE = 10_000.0
NORM_EPSILON = 1e-5
HEAD_CHUNK_TOKENS = 1024
HEAD_CHUNK_TOKENS_ON_CUDA = 16_384
"""Half a GB of logits: few and large products, where memory is no matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The sizes of a network."""

    width: int
    layers: int
    heads: int
    kv_heads: int
    inner: int
    vocabulary: int
    context: int

    def llama_config(self, begin_id: int, stop_id: int, pad_id: int) -> dict[str, Any]:
        """The ``config.json`` under which Transformers loads the weights."""
        return {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": self.width,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "head_dim": self.width // self.heads,
            "intermediate_size": self.inner,
            "vocab_size": self.vocabulary,
            "max_position_embeddings": self.context,
            "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
            "rope_theta": ROPE_BASE,
            "rms_norm_eps": NORM_EPSILON,
            "hidden_act": "silu",
            "attention_bias": False,
            "attention_dropout": 0.0,
            "mlp_bias": False,
            "initializer_range": 0.02,
            "tie_word_embeddings": True,
            "bos_token_id": begin_id,
            "eos_token_id": stop_id,
            "pad_token_id": pad_id,
            "dtype": "float32",
        }


class Linear(nn.Linear):
    """A matrix without bias, cast to the type of its input."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Multiply: ``(..., inputs) -> (..., outputs)``."""
        return functional.linear(input, self.weight.to(input.dtype))


class Norm(nn.Module):
    """Root-mean-square normalisation ``x / sqrt(mean(x^2) + e) * w``, computed in float32."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, input: Tensor) -> Tensor:
        """Normalise the last dimension; the result is float32."""
        scale = torch.rsqrt(input.square().mean(-1, keepdim=True) + NORM_EPSILON)
        return input * scale * self.weight


class Attention(nn.Module):
    """Causal self-attention with rotary positions and shared key/value heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        kv_width = shape.width // shape.heads * shape.kv_heads
        self.q_proj = Linear(shape.width, shape.width)
        self.k_proj = Linear(shape.width, kv_width)
        self.v_proj = Linear(shape.width, kv_width)
        self.o_proj = Linear(shape.width, shape.width)

    def forward(self, hidden_BTD: Tensor, cosine_TE: Tensor, sine_TE: Tensor) -> Tensor:
        """Mix tokens of a window: ``(B, T, D) -> (B, T, D)``."""
        B, T, D = hidden_BTD.shape
        E = D // self.shape.heads
        query_BHTE = self.q_proj(hidden_BTD).view(B, T, -1, E).transpose(1, 2)
        key_BHTE = self.k_proj(hidden_BTD).view(B, T, -1, E).transpose(1, 2)
        value_BHTE = self.v_proj(hidden_BTD).view(B, T, -1, E).transpose(1, 2)
        repeats = self.shape.heads // self.shape.kv_heads
        mixed_BHTE = functional.scaled_dot_product_attention(
            _rotate(query_BHTE, cosine_TE, sine_TE),
            _rotate(key_BHTE, cosine_TE, sine_TE).repeat_interleave(repeats, dim=1),
            value_BHTE.repeat_interleave(repeats, dim=1),
            is_causal=True,
        )
        output_BTD: Tensor = self.o_proj(mixed_BHTE.transpose(1, 2).reshape(B, T, D))
        return output_BTD


def _rotate(heads_BHTE: Tensor, cosine_TE: Tensor, sine_TE: Tensor) -> Tensor:
    first, second = heads_BHTE.chunk(2, dim=-1)
    turned = torch.cat((-second, first), dim=-1)
    return heads_BHTE * cosine_TE + turned * sine_TE


class FeedForward(nn.Module):
    """The gated layer ``down(silu(gate(x)) * up(x))``."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate_proj = Linear(shape.width, shape.inner)
        self.up_proj = Linear(shape.width, shape.inner)
        self.down_proj = Linear(shape.inner, shape.width)

    def forward(self, hidden_BTD: Tensor) -> Tensor:
        """Transform each token: ``(B, T, D) -> (B, T, D)``."""
        gated = functional.silu(self.gate_proj(hidden_BTD)) * self.up_proj(hidden_BTD)
        output_BTD: Tensor = self.down_proj(gated)
        return output_BTD


class Block(nn.Module):
    """One layer: attention, then the feed-forward part, each added to a float32 stream."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input_layernorm = Norm(shape.width)
        self.self_attn = Attention(shape)
        self.post_attention_layernorm = Norm(shape.width)
        self.mlp = FeedForward(shape)

    def forward(self, stream_BTD: Tensor, cosine_TE: Tensor, sine_TE: Tensor) -> Tensor:
        """Add this layer's two contributions to the stream."""
        compute = cosine_TE.dtype
        normed: Tensor = self.input_layernorm(stream_BTD).to(compute)
        stream_BTD = stream_BTD + self.self_attn(normed, cosine_TE, sine_TE)
        normed = self.post_attention_layernorm(stream_BTD).to(compute)
        output_BTD: Tensor = stream_BTD + self.mlp(normed)
        return output_BTD


class Trunk(nn.Module):
    """Embeddings, layers and the last norm."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)

    def forward(self, tokens_BT: Tensor, cosine_TE: Tensor, sine_TE: Tensor) -> Tensor:
        """Hidden states before the head, in the computing type: ``(B, T) -> (B, T, D)``."""
        stream_BTD = self.embed_tokens(tokens_BT)
        for layer in self.layers:
            stream_BTD = layer(stream_BTD, cosine_TE, sine_TE)
        hidden_BTD: Tensor = self.norm(stream_BTD)
        return hidden_BTD.to(cosine_TE.dtype)


class Network(nn.Module):
    """The whole model; `forward` gives the mean loss of next tokens.

    Args:
        shape: The sizes.
        compute: The type of matrix products, float32 or bfloat16.
    """

    def __init__(self, shape: Shape, compute: torch.dtype) -> None:
        super().__init__()
        self.shape = shape
        self.compute = compute
        self.model = Trunk(shape)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                deviation = 0.02
                if name.endswith(("o_proj.weight", "down_proj.weight")):
                    deviation /= (2 * shape.layers) ** 0.5
                nn.init.normal_(parameter, std=deviation)

    def forward(self, windows_BT: Tensor) -> Tensor:
        """Mean negative log-likelihood in nats; a window holds one token more than is read."""
        hidden_BTD = self.model(windows_BT[:, :-1], *self._rotary(windows_BT))
        hidden_ND = hidden_BTD.reshape(-1, self.shape.width)
        loss: Tensor = HeadLoss.apply(  # type: ignore[no-untyped-call]
            hidden_ND, self.model.embed_tokens.weight, windows_BT[:, 1:].reshape(-1)
        )
        return loss

    def _rotary(self, windows_BT: Tensor) -> tuple[Tensor, Tensor]:
        half = self.shape.width // self.shape.heads // 2
        powers = torch.arange(half, device=windows_BT.device, dtype=torch.float32) / half
        places = torch.arange(windows_BT.shape[1] - 1, device=windows_BT.device)
        angles_TE = torch.outer(places.float(), ROPE_BASE**-powers).repeat(1, 2)
        return angles_TE.cos().to(self.compute), angles_TE.sin().to(self.compute)


class HeadLoss(torch.autograd.Function):
    """Mean cross entropy of the tied head, a chunk of tokens at a time.

    The gradient, ``softmax - onehot``, is formed while the chunk's logits are at hand, so
    the N x V logits never exist as a whole.
    """

    @staticmethod
    def forward(
        ctx: Any,  # noqa: ANN401
        hidden_ND: Tensor,
        head_VD: Tensor,
        labels_N: Tensor,
    ) -> Tensor:
        """Loss in nats, with both gradients kept for the way back."""
        count = hidden_ND.shape[0]
        head_in_compute_VD = head_VD.to(hidden_ND.dtype)
        hidden_gradient_ND = torch.empty_like(hidden_ND)
        head_gradient_VD = torch.zeros_like(head_VD)
        total = hidden_ND.new_zeros((), dtype=torch.float32)
        chunk = HEAD_CHUNK_TOKENS_ON_CUDA if hidden_ND.is_cuda else HEAD_CHUNK_TOKENS
        for start in range(0, count, chunk):
            part = slice(start, start + chunk)
            hidden_CD = hidden_ND[part]
            loss, gradient_CV = chunk_loss(hidden_CD @ head_in_compute_VD.T, labels_N[part], count)
            total += loss
            torch.mm(gradient_CV, head_in_compute_VD, out=hidden_gradient_ND[part])
            head_gradient_VD += gradient_CV.T @ hidden_CD
        ctx.save_for_backward(hidden_gradient_ND, head_gradient_VD)
        return total

    @staticmethod
    def backward(
        ctx: Any,  # noqa: ANN401
        upstream: Tensor,
    ) -> tuple[Tensor, Tensor, None]:
        """Scale the kept gradients."""
        hidden_gradient_ND, head_gradient_VD = ctx.saved_tensors
        return hidden_gradient_ND * upstream, head_gradient_VD * upstream, None


def chunk_loss(logits_CV: Tensor, labels_C: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Summed loss of a chunk over `count`, and its gradient by the logits."""
    log_probabilities_CV = torch.log_softmax(logits_CV.float(), dim=-1)
    loss = -log_probabilities_CV.gather(1, labels_C[:, None]).sum() / count
    probabilities_CV = log_probabilities_CV.exp()
    columns_V = torch.arange(logits_CV.shape[1], device=labels_C.device)
    # A comparison, not an addition at an index: compiled, it is part of the same pass.
    gradient_CV = probabilities_CV - (columns_V == labels_C[:, None]).float()
    return loss, (gradient_CV / count).to(logits_CV.dtype)

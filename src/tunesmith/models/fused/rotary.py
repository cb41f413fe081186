"""Rotary positions (arXiv 2104.09864) on buffers, halves rotated against each other.

    (a, b) -> (a cos - b sin, b cos + a sin)         backwards: the same with -sin

Shapes: C tokens of a block, H heads, D width of a head, E half of its rotated part.
"""

from __future__ import annotations

from torch import Tensor


def rotate(states_CHD: Tensor, cosine_CE: Tensor, sine_CE: Tensor, *, back: bool) -> None:
    """Rotate the first 2E numbers of every head, in place."""
    half = cosine_CE.shape[1]
    first, second = states_CHD[..., :half], states_CHD[..., half : 2 * half]
    cosine, sine = cosine_CE[:, None, :], sine_CE[:, None, :]
    crossed = first * sine
    sign = 1.0 if back else -1.0
    first.mul_(cosine).addcmul_(second, sine, value=sign)
    second.mul_(cosine).add_(crossed, alpha=-sign)

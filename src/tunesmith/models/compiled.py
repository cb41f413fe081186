"""Functions compiled for a GPU, without limits that are met in silence.

torch keeps what it compiled by the code that it was given, eight cases of each at most; beyond
that it runs the function as it stands, without saying more than a warning. So each case gets a
copy of the code, which is a place of its own: a case is what would be compiled anew anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import count
from subprocess import SubprocessError
from types import FunctionType
from typing import ParamSpec, TypeVar, cast

import torch
from torch import Tensor
from torch._dynamo.exc import FailOnRecompileLimitHit

Given = ParamSpec("Given")
Made = TypeVar("Made")
_numbers = count()
_as_it_stands = ContextVar("as_it_stands", default=False)


def compiled_apart(
    function: Callable[Given, Made], backend: str | Callable[..., object] = "inductor"
) -> Callable[Given, Made]:
    """A plain function, compiled when it is first called; every call here makes another one.

    Args:
        function: without variables of a function around it; it must compile as a whole.
        backend: of torch.compile.
    """
    assert isinstance(function, FunctionType) and function.__closure__ is None
    code = function.__code__.replace(co_name=f"{function.__name__}_{next(_numbers)}")
    copied = FunctionType(code, function.__globals__, None, function.__defaults__)
    copied.__kwdefaults__ = function.__kwdefaults__
    made = torch.compile(copied, fullgraph=True, backend=backend)
    return cast(Callable[Given, Made], made)


def one_pass(function: Callable[Given, Made], like: Tensor) -> Callable[Given, Made]:
    """A function of tensors as it runs fastest on the device of `like`: on a GPU, in one kernel.

    It is called by place, where gradients are not recorded. The first dimension of tensors that
    have several may be another each time; all other sizes are compiled in.
    """
    if not like.is_cuda or _as_it_stands.get():
        return function
    return cast(Callable[Given, Made], _by_case(function))


def compile_faults() -> tuple[type[Exception], ...]:
    """What compiling or starting a kernel may raise.

    PyTorch's own errors are `RuntimeError`s. A kernel that needs more shared memory than there
    is ends in one of Triton's; a compiler that is absent or fails, in an `OSError` or a
    `SubprocessError`.
    """
    own = (RuntimeError, FailOnRecompileLimitHit, AssertionError, ImportError, OSError)
    try:
        from triton.errors import TritonError
    except ImportError:
        return (*own, SubprocessError)
    return (*own, SubprocessError, TritonError)


def said(error: Exception) -> str:
    """An error in one line. A compiler's begins with one that names only itself, and a colon."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    while len(lines) > 1 and lines[0].endswith(":"):
        lines[:2] = [" ".join(lines[:2])]
    return lines[0][:300] if lines else type(error).__name__


def switches() -> tuple[bool, bool]:
    """What of torch's own state every kernel is compiled for."""
    return torch.are_deterministic_algorithms_enabled(), torch.is_inference_mode_enabled()


@contextmanager
def as_it_stands() -> Iterator[None]:
    """Within the block `one_pass` compiles nothing: for few calls that seconds are too long for."""
    token = _as_it_stands.set(True)
    try:
        yield
    finally:
        _as_it_stands.reset(token)


@cache
def _by_case(function: Callable[..., Made], backend: str = "inductor") -> Callable[..., Made]:
    """Compiled once for each case: precisions, and sizes but for the number of tokens."""
    known: dict[object, Callable[..., Made]] = {}

    def call(*given: object) -> Made:
        # The compiler need not know who asks for gradients: it would compile for each case.
        plain = tuple(_detached(one) for one in given)
        case = (switches(), tuple(_case(one) for one in plain))
        compiled = known.get(case)
        if compiled is None:
            compiled = known[case] = compiled_apart(function, backend)
            _let_sizes_vary(plain)  # which counts while it is compiled
        return compiled(*plain)

    return call


def _let_sizes_vary(given: tuple[object, ...]) -> None:
    for one in given:
        for part in one if isinstance(one, tuple) else (one,):
            if isinstance(part, Tensor) and part.ndim > 1:
                torch._dynamo.maybe_mark_dynamic(part, 0)


def _detached(one: object) -> object:
    if isinstance(one, Tensor):
        return one.detach() if one.requires_grad else one
    return tuple(_detached(part) for part in one) if isinstance(one, tuple) else one


def _case(one: object) -> object:
    """What of an argument a kernel is made for."""
    if isinstance(one, Tensor):
        # One token is a case of its own for the compiler.
        sizes = (one.shape[0] == 1, *one.shape[1:]) if one.ndim > 1 else tuple(one.shape)
        return one.dtype, sizes
    return tuple(_case(part) for part in one) if isinstance(one, tuple) else one

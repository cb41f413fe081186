"""The Jinja environment of Transformers' chat templates, with bounds on memory.

What a template can see and what it renders is the same as in Transformers (trimmed blocks,
`break` and `continue`, `{% generation %}`, `tojson` without HTML escapes, `raise_exception`,
`strftime_now`). On top, every operation that can make a large value from small ones is
checked by `bounds` before it runs.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import wraps
from typing import NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

from tunesmith.tokenizer.bounds import (
    LARGEST_TEXT,
    bound_call,
    bound_filter,
    bound_operation,
    spend,
)

_TILDE = " tilde"
_PASSED_FIRST = (Context, jinja2.Environment, nodes.EvalContext)


class Refusal(jinja2.TemplateError):
    """The template called `raise_exception`: it does not accept this conversation."""


def environment(now: datetime) -> jinja2.Environment:
    """The environment that templates are compiled in; `strftime_now` formats `now`."""
    made = _Bounded(trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols])
    made.filters["tojson"] = _tojson
    made.filters[_TILDE] = _tilde
    made.filters = {name: _bounded(name, made.filters[name]) for name in made.filters}
    made.globals["raise_exception"] = _raise_exception
    made.globals["strftime_now"] = now.strftime
    made.globals["dict"] = _Dict()
    made.globals["namespace"] = _Namespace
    return made


class _Bounded(ImmutableSandboxedEnvironment):
    """The sandbox, with sizes checked before values are made."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:
        """Join what a template or macro writes."""
        kept: list[str] = []
        characters = 0
        for piece in pieces:
            kept.append(piece)
            characters += len(piece)
            if characters > LARGEST_TEXT:
                break
        spend(characters)
        return "".join(kept)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _TildeAsFilter().visit(tree)
        return tree

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """An operator of `intercepted_binops`."""
        bound_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:  # noqa: N805
        """A call written in a template; the names leave all others to its keywords."""
        bound_call(__obj, [*args, *kwargs.values()])
        return super().call(__context, __obj, *args, **kwargs)


class _GenerationTag(Extension):
    """`{% generation %}` marks the assistant's text for others; the body is what counts here."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        # A block of its own, as in Transformers: what is set inside stays inside.
        call = self.call_method("_body")
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller: Macro) -> str:
        return str(caller())


class _TildeAsFilter(NodeTransformer):
    """Turn `a ~ b` into a filter call: the operator itself cannot be intercepted."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        assert node.environment is not None, "the parser sets it"
        parts = nodes.List(node.nodes).set_lineno(node.lineno)
        made = nodes.Filter(parts, _TILDE, [], [], None, None)
        return made.set_lineno(node.lineno).set_environment(node.environment)


class _Namespace(Namespace):
    """A namespace that takes no names with an underscore in front."""

    def __init__(*args: object, **kwargs: object) -> None:  # noqa: N805 - `self` may be a key
        made, *rest = args
        assert isinstance(made, Namespace), "Python passes the instance first"
        Namespace.__init__(made, *rest, **kwargs)
        for name in dict(*rest, **kwargs):
            _check_name(name)

    def __setitem__(self, name: str, value: object) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}: it begins with an underscore")


class _Dict:
    """`dict(...)` without the attributes of the class."""

    def __call__(self, *args: object, **kwargs: object) -> object:
        return dict(*args, **kwargs)

    def fromkeys(self, keys: Iterable[object], value: object = None) -> dict[object, object]:
        return dict.fromkeys(keys, value)


def _raise_exception(message: object) -> NoReturn:
    raise Refusal(str(message))


def _tilde(parts: list[object]) -> str:
    texts = [str(part) for part in parts]
    spend(sum(map(len, texts)))
    return "".join(texts)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _bounded(name: str, function: Callable[..., object]) -> Callable[..., object]:
    # `wraps` keeps the mark by which jinja passes its environment or context first.
    @wraps(function)
    def bounded(*args: object, **kwargs: object) -> object:
        passed = int(isinstance(args[0], _PASSED_FIRST))
        value, *rest = args[passed:]
        if isinstance(value, Iterator) and name == "join":
            value = list(value)
        bound_filter(name, value, [*rest, *kwargs.values()])
        result = function(*args[:passed], value, *rest, **kwargs)
        if isinstance(result, str):
            spend(len(result))
        return result

    return bounded

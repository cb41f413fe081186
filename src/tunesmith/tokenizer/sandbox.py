"""The Jinja environment of Transformers' chat templates, with bounds on time and memory.

What a template can see and what it renders is the same as in Transformers (trimmed blocks,
`break` and `continue`, `{% generation %}`, `tojson` without HTML escapes, `raise_exception`,
`strftime_now`). On top, every operation that can make a large value from small ones is
checked before it runs: products, powers, sums, `~`, joins, paddings, formats, replacements.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment, SecurityError
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

LARGEST_TEXT = 20 * 2**20
"""Characters of one value, and of what is rendered."""
_ALL_VALUES = 512 * 2**20
"""Characters of all values that one rendering makes, kept or not."""
_MOST_BITS = 100_000
_LONG_NUMBER = re.compile(r"\d{7,}")


class Refusal(jinja2.TemplateError):
    """The template called `raise_exception`: it does not accept this conversation."""


class TooLarge(Exception):
    """A value or the text is larger than a template may make it."""


_spent = threading.local()


def start_spending() -> None:
    """Begin the memory budget of one rendering on this thread."""
    _spent.characters = 0


def _spend(characters: float) -> None:
    _spent.characters = getattr(_spent, "characters", 0) + characters
    if characters > LARGEST_TEXT or _spent.characters > _ALL_VALUES:
        raise TooLarge("the template makes a text that is far too long")


def environment(now: datetime) -> jinja2.Environment:
    """The environment that templates are compiled in; `strftime_now` formats `now`."""
    made = _Bounded(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols]
    )
    made.filters = {name: _bounded_filter(name, made.filters[name]) for name in made.filters}
    made.filters["tojson"] = _tojson
    made.filters[_JOIN_TILDE] = _join_tilde
    made.globals["raise_exception"] = _raise_exception
    made.globals["strftime_now"] = now.strftime
    made.globals["dict"] = _Dict()
    made.globals["namespace"] = _Namespace
    return made


class _GenerationTag(Extension):
    """`{% generation %}` marks the assistant's text for others; the body is what counts here."""

    tags = {"generation"}

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        # A block of its own, as in Transformers: what is set inside stays inside.
        call = self.call_method("_body")
        return nodes.CallBlock(call, [], [], body).set_lineno(line)

    def _body(self, caller: Macro) -> str:
        return str(caller())


class _Namespace(Namespace):
    """A namespace that takes no names with an underscore in front."""

    def __init__(*args: Any, **kwargs: Any) -> None:  # noqa: N805 - `self` may be a key
        self, *rest = args
        values = dict(*rest, **kwargs)
        for name in values:
            _check_name(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}: it begins with an underscore")


class _Dict:
    """`dict(...)` without the attributes of the class."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict.fromkeys(*args, **kwargs)


class _Bounded(ImmutableSandboxedEnvironment):
    """The sandbox, with sizes checked before values are made."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    @staticmethod
    def concat(pieces: Iterable[str]) -> str:  # type: ignore[override]  # jinja types it as a join
        kept: list[str] = []
        characters = 0
        for piece in pieces:
            kept.append(piece)
            characters += len(piece)
            if characters > LARGEST_TEXT:
                break
        _spend(characters)
        return "".join(kept)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        _TildeAsFilter().visit(tree)
        return tree

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        _bound_operation(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(__self, __context: Context, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        owner = getattr(__obj, "__self__", None)
        if isinstance(owner, (str, bytes)):
            _bound_method(__obj.__name__, owner, args, kwargs)
        _bound_numbers(args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)


_JOIN_TILDE = " tilde"


class _TildeAsFilter(NodeTransformer):
    """Turn `a ~ b` into a filter call: the operator itself cannot be intercepted."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - jinja's name
        self.generic_visit(node)
        parts = nodes.List(node.nodes).set_lineno(node.lineno)
        made = nodes.Filter(parts, _JOIN_TILDE, [], [], None, None)
        return made.set_lineno(node.lineno).set_environment(node.environment)


def _join_tilde(parts: list[Any]) -> str:
    texts = [str(part) for part in parts]
    _spend(sum(map(len, texts)))
    return "".join(texts)


def _raise_exception(message: object) -> NoReturn:
    raise Refusal(str(message))


def _tojson(
    value: Any,
    ensure_ascii: bool = False,
    indent: int | str | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    if (isinstance(indent, int) and indent > 100) or (isinstance(indent, str) and indent[100:]):
        raise TooLarge("the template indents JSON by more than 100 characters")
    text = json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
    _spend(len(text))
    return text


def _bound_operation(operator: str, left: Any, right: Any) -> None:
    sequences = (str, bytes, list, tuple)
    if operator == "+" and isinstance(left, sequences) and isinstance(right, sequences):
        _spend(len(left) + len(right))
    elif operator == "*":
        for one, other in ((left, right), (right, left)):
            if isinstance(one, sequences) and isinstance(other, int):
                _spend(len(one) * max(other, 0))
        if isinstance(left, int) and isinstance(right, int):
            _bound_bits(left.bit_length() + right.bit_length())
    elif operator == "**" and isinstance(left, int) and isinstance(right, int):
        _bound_bits(left.bit_length() * max(right, 0))
    elif operator == "%" and isinstance(left, (str, bytes)):
        _bound_format(left, right if isinstance(right, tuple) else (right,), {})


def _bound_bits(bits: int) -> None:
    if bits > _MOST_BITS:
        raise TooLarge("the template makes a number that is far too large")


def _bound_numbers(args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    for value in (*args, *kwargs.values()):
        if isinstance(value, int) and abs(value) > LARGEST_TEXT:
            raise TooLarge(f"the template passes the number {value} to a function")


def _bound_method(name: str, text: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    if name in ("ljust", "rjust", "center", "zfill"):
        _spend(len(text) + sum(value for value in args if isinstance(value, int)))
    elif name == "expandtabs":
        _spend(len(text) * max([8, *(value for value in args if isinstance(value, int))]))
    elif name == "replace" and len(args) >= 2:
        _bound_replace(text, args[0], args[1])
    elif name == "join" and args:
        _bound_join(text, args[0])
    elif name in ("format", "format_map"):
        _bound_format(text, args, kwargs)
    elif name == "translate" and args and isinstance(args[0], Mapping):
        _spend(len(text) * max((_length(value) for value in args[0].values()), default=1))


def _bound_replace(text: Any, old: Any, new: Any) -> None:
    if isinstance(old, (str, bytes)) and len(text):
        count = text.count(old) if len(old) else len(text) + 1
        _spend(len(text) + count * _length(new))


def _bound_join(separator: Any, parts: Any) -> None:
    if isinstance(parts, (list, tuple, dict, str)):
        _spend(sum(_length(part) + len(separator) for part in parts))


def _bound_format(text: Any, args: Iterable[Any], kwargs: Mapping[str, Any]) -> None:
    digits = text.decode("latin-1") if isinstance(text, bytes) else str(text)
    values = [*args, *kwargs.values()]
    values += [part for value in values if isinstance(value, Mapping) for part in value.values()]
    # A number may be the width of a field: `%*d`, `{:{width}}`.
    widths = [value for value in values if isinstance(value, int)] if "*" in digits else []
    widths += [value for value in values if isinstance(value, int)] if "{:{" in digits else []
    if _LONG_NUMBER.search(digits) or any(width > LARGEST_TEXT for width in widths):
        raise TooLarge("the template formats with a width that is far too large")
    longest = max((_length(value) for value in values), default=1)
    fields = digits.count("%") + digits.count("{")
    _spend(len(digits) + fields * (longest + max(widths, default=0)))


def _length(value: Any) -> int:
    """Characters that a value takes in a text, about, where that is cheap to say."""
    if isinstance(value, (str, bytes)):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() // 3 + 1
    return len(str(value)) if isinstance(value, (list, tuple, dict)) else 32


def _bounded_filter(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    # `wraps` keeps the mark by which jinja passes its environment or context first.
    @wraps(function)
    def bounded(*args: Any, **kwargs: Any) -> Any:
        passed = [isinstance(value, _PASSED_FIRST) for value in args[:1]].count(True)
        values = list(args[passed:])
        if name == "join" and values and isinstance(values[0], Iterator):
            values[0] = list(values[0])
        _bound_numbers(values, kwargs)
        if values:
            _bound_text_filter(name, values[0], [*values[1:], *kwargs.values()])
        result = function(*args[:passed], *values, **kwargs)
        if isinstance(result, str):
            _spend(len(result))
        return result

    return bounded


_PASSED_FIRST = (Context, jinja2.Environment, nodes.EvalContext)


def _bound_text_filter(name: str, value: Any, given: list[Any]) -> None:
    if name == "join":
        _bound_join(next((item for item in given if isinstance(item, str)), ""), value)
    elif name == "format":
        _bound_format(value, given, {})
    elif name == "replace" and len(given) >= 2:
        _bound_replace(str(value), given[0], given[1])
    elif name == "indent" and isinstance(value, str):
        width = max((item if isinstance(item, int) else _length(item) for item in given), default=4)
        _spend(len(value) + (value.count("\n") + 1) * width)

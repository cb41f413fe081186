r"""Chat templates: from messages to the text that a base was, or will be, trained on.

    [{"role": "user", "content": "Hi"}] -> "<|im_start|>user\nHi<|im_end|>\n"

A template is the base's own, a named one of the folder `templates`, or a .jinja file. A base
without a template gets `plain`: ordinary text and the base's own begin and end tokens, so
that no token is new to it. The text equals that of Transformers' `apply_chat_template`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import jinja2
from jinja2.exceptions import SecurityError

from tunesmith.contracts import Json, JsonObject, Message
from tunesmith.errors import DataError, InputError, ModelError, Place, TemplateError
from tunesmith.tokenizer.bounds import LARGEST_TEXT, TooLarge, start_spending
from tunesmith.tokenizer.files import read_text
from tunesmith.tokenizer.load import Tokenizer
from tunesmith.tokenizer.sandbox import Refusal, environment
from tunesmith.tokenizer.watchdog import TimeUp, time_limit

SECONDS = 2.0
"""The time that one rendering may take."""
FOLDER = Path(__file__).parent / "templates"
_LONGEST_SOURCE = 2**20
_TRUST = "use a template that you trust: `data.template: chatml`, `plain`, or a path"
_RUNTIME_ERRORS = (
    jinja2.TemplateError,
    TypeError,
    ValueError,
    LookupError,
    AttributeError,
    ArithmeticError,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Template:
    """A compiled chat template. `notice` is a line for the user, "" where there is none."""

    name: str
    source: str
    tool_source: str | None
    """A second template, used where a conversation has tools."""
    variables: dict[str, str]
    now: datetime
    """What `strftime_now` formats: fixed, so that a run renders the same text throughout."""
    notice: str
    compiled: jinja2.Template = field(repr=False)
    compiled_for_tools: jinja2.Template = field(repr=False)

    @property
    def digest(self) -> str:
        """sha256 of all that decides the text: source, variables and, where used, the date."""
        sources = [self.source, self.tool_source]
        dated = any("strftime_now" in source for source in sources if source)
        parts = [*sources, self.variables, self.now.isoformat() if dated else None]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    def render(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[JsonObject] = (),
        add_generation_prompt: bool,
    ) -> str:
        """The text of the conversation; with the generation prompt, as it stands at inference.

        Raises:
            DataError: the template refuses this conversation, or fails on it.
            TemplateError: it breaks out of the sandbox, takes too long or makes too much.
        """
        compiled = self.compiled_for_tools if tools else self.compiled
        knows_developer = "developer" in (self.tool_source or "" if tools else self.source)
        try:
            start_spending()
            with time_limit(SECONDS):
                return compiled.render(
                    **self.variables,
                    messages=[
                        as_template_message(message, knows_developer=knows_developer)
                        for message in messages
                    ],
                    tools=list(tools) or None,
                    documents=None,
                    add_generation_prompt=add_generation_prompt,
                )
        except TimeUp as error:
            raise TemplateError(
                f"the chat template {self.name} takes longer than {SECONDS:g} seconds for a row",
                hint=_TRUST,
            ) from error
        except (TooLarge, MemoryError, OverflowError, RecursionError) as error:
            raise TemplateError(
                f"the chat template {self.name} makes more than {LARGEST_TEXT // 2**20} MB of text"
                f" or loops too often: {error}",
                hint=_TRUST,
            ) from error
        except SecurityError as error:
            raise TemplateError(
                f"the chat template {self.name} tries to leave its sandbox: {error}", hint=_TRUST
            ) from error
        except Refusal as error:
            raise DataError(
                f"the chat template {self.name} refuses this conversation: {error}",
                hint="change the row, or choose another template with `data.template`",
            ) from error
        except _RUNTIME_ERRORS as error:
            raise DataError(
                f"the chat template {self.name} fails on this conversation: {error}",
                hint="compare the row's roles and fields with what the template reads, or choose"
                " another template with `data.template`",
            ) from error


def as_template_message(message: Message, *, knows_developer: bool) -> JsonObject:
    """What templates read: no keys without a value, arguments of tool calls as objects.

    Servers pass the arguments as an object though the chat format writes them as a JSON
    string. A `developer` turn is a `system` turn where the template does not know the word.
    """
    values = message.as_template_input()
    if message.content is None:
        del values["content"]
    if message.role == "developer" and not knows_developer:
        values["role"] = "system"
    if message.reasoning is not None:
        values["thinking"] = message.reasoning
    if message.tool_calls:
        calls: list[Json] = [_with_parsed_arguments(call) for call in message.tool_calls]
        values["tool_calls"] = calls
    return values


def load_template(
    tokenizer: Tokenizer, chosen: str | None, *, now: datetime | None = None
) -> Template:
    """The template to use with a base.

    Args:
        tokenizer: the base's.
        chosen: None for the base's own (`plain` where it has none), the name of a built-in
            template or of one of the base's, or the path of a .jinja file.
        now: the date that the template may write; the present by default.

    Raises:
        TemplateError: there is no such template, or it is not valid.
        ModelError: `plain` is needed, but the base has no end token.
    """
    notice = ""
    own = tokenizer.own_templates
    tool_source = None
    if chosen is None and "default" in own:
        name, source, tool_source = "of the base", own["default"], own.get("tool_use")
    elif chosen is None and own:
        raise TemplateError(
            f"the base has several chat templates and no default: {', '.join(sorted(own))}",
            hint="choose one with `data.template`",
        )
    elif chosen is None:
        name, source = "plain", _built_in("plain", tokenizer)
        notice = (
            "the base has no chat template: the built-in `plain` is used, ordinary text with"
            " the base's own begin and end tokens"
        )
    elif chosen in own:
        name, source = chosen, own[chosen]
    elif chosen.endswith((".jinja", ".jinja2", ".j2")) or "/" in chosen:
        name, source = Path(chosen).name, _from_file(Path(chosen))
    else:
        name, source = chosen, _built_in(chosen, tokenizer)
    moment = now or datetime.now()
    compiled = compile_template(name, source, moment)
    return Template(
        name=name,
        source=source,
        tool_source=tool_source,
        variables=dict(tokenizer.template_variables),
        now=moment,
        notice=notice,
        compiled=compiled,
        compiled_for_tools=(
            compile_template(name, tool_source, moment) if tool_source is not None else compiled
        ),
    )


def names() -> tuple[str, ...]:
    """The built-in templates."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.jinja")))


def compile_template(name: str, source: str, now: datetime) -> jinja2.Template:
    """Compile in the sandbox.

    Raises:
        TemplateError: it is not valid Jinja, or too large.
    """
    if len(source) > _LONGEST_SOURCE:
        raise TemplateError(f"the chat template {name} has {len(source):,} characters", hint=_TRUST)
    try:
        start_spending()
        with time_limit(SECONDS):
            return environment(now).from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(
            f"the chat template {name} is not valid Jinja: {error.message}",
            hint="repair it, or choose another with `data.template`",
            place=Place(file=name, line=error.lineno),
        ) from error
    except (TimeUp, RecursionError, MemoryError, TooLarge, SyntaxError, *_RUNTIME_ERRORS) as error:
        raise TemplateError(
            f"the chat template {name} cannot be compiled: {error or 'it takes too long'}",
            hint=_TRUST,
        ) from error


def _built_in(name: str, tokenizer: Tokenizer) -> str:
    if name not in names():
        raise TemplateError(
            f"there is no chat template {name}",
            hint=f"there are: {', '.join(names())}; or give the path of a .jinja file",
        )
    source = (FOLDER / f"{name}.jinja").read_text(encoding="utf-8")
    end = next((index for index in tokenizer.stop_ids if index in tokenizer.added_ids), None)
    if tokenizer.eos_token is None and end is not None:
        # Only generation_config.json names the end token; the template must carry it then.
        source = f"{{%- set eos_token = {json.dumps(tokenizer.token(end))} %}}" + source
    elif tokenizer.eos_token is None:
        raise ModelError(
            f"the base has no end token, so a model tuned with the template {name} would never"
            " stop",
            hint='name one of its tokens as "eos_token" in tokenizer_config.json, or use a base'
            " that has one",
            place=Place(file=tokenizer.folder),
        )
    # Bases that are used to a begin token get theirs, also where the format has none.
    if tokenizer.adds_bos and "bos_token" not in source:
        source = "{{- bos_token }}" + source
    return source


def _from_file(path: Path) -> str:
    try:
        source = read_text(path, largest=_LONGEST_SOURCE)
    except InputError as error:
        raise TemplateError(error.what, hint=error.hint, place=error.place) from error
    if source is None:
        raise TemplateError(
            "there is no such chat template file",
            hint=f"check the path; built-in templates are: {', '.join(names())}",
            place=Place(file=path),
        )
    return source


def _with_parsed_arguments(call: JsonObject) -> Json:
    function = call.get("function")
    if isinstance(function, dict):
        return {**call, "function": _with_parsed_arguments(function)}
    arguments = call.get("arguments")
    if isinstance(arguments, str):
        try:
            parsed: Json = json.loads(arguments)
        except ValueError:
            return call
        if isinstance(parsed, dict):
            return {**call, "arguments": parsed}
    return call

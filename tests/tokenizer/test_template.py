"""Chat templates: the text of Transformers, in a sandbox that ends."""

from __future__ import annotations

import json
import threading
import time
from datetime import datetime
from pathlib import Path

import pytest
import trl
from transformers import AutoTokenizer

from tests.tokenizer.bases import Files, byte_level, chat_base, metaspace, word_level, write
from tunesmith.contracts import JsonObject, Message
from tunesmith.errors import DataError, ModelError, TemplateError
from tunesmith.tokenizer.load import load_tokenizer
from tunesmith.tokenizer.template import Template, load_template, names

TRL = Path(trl.__file__).parent / "chat_templates"
USER = Message(role="user", content="  What is <b>2 & 2</b>? ")
ANSWER = Message(role="assistant", content='\nIt is "four".\n')
SYSTEM = Message(role="system", content="Be brief. Don't guess: naïve 東京.")
CALL = Message(
    role="assistant",
    content=None,
    tool_calls=(
        {
            "type": "function",
            "id": "call12345",
            "function": {"name": "add", "arguments": {"a": 2, "b": [1, "x"]}},
        },
    ),
)
RESULT = Message(role="tool", content='{"sum": 4}', name="add", tool_call_id="call12345")
THOUGHT = Message(role="assistant", content="Four.", reasoning="Two and two.")
TOOLS: tuple[JsonObject, ...] = (
    {
        "type": "function",
        "function": {
            "name": "add",
            "description": "Add <two> & numbers",
            "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}},
        },
    },
)
CONVERSATIONS: dict[str, tuple[Message, ...]] = {
    "question": (USER,),
    "answer": (USER, ANSWER),
    "system": (SYSTEM, USER, ANSWER),
    "turns": (USER, ANSWER, USER, ANSWER),
    "tools": (SYSTEM, USER, CALL, RESULT, ANSWER),
    "reasoning": (USER, THOUGHT, USER, THOUGHT),
    "assistant first": (ANSWER, USER),
}


def template_of(source: str, tmp_path: Path) -> Template:
    folder = write(
        tmp_path, word_level(), Files(config={"chat_template": source, "eos_token": "[EOS]"})
    )
    return load_template(load_tokenizer(folder), None)


def dictionaries(messages: tuple[Message, ...]) -> list[JsonObject]:
    return [message.as_template_input() for message in messages]


SOURCES = {f"trl {path.stem}": path for path in sorted(TRL.glob("*.jinja"))}


@pytest.fixture(scope="module")
def llama3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return chat_base(tmp_path_factory.mktemp("llama3"), "llama3")


@pytest.mark.parametrize("name", [*SOURCES, *names()])
def test_the_text_equals_that_of_transformers(name: str, llama3: Path) -> None:
    tokenizer = load_tokenizer(llama3)
    chosen = str(SOURCES[name]) if name in SOURCES else name
    template = load_template(tokenizer, chosen)
    reference = AutoTokenizer.from_pretrained(llama3)
    compared = 0
    for messages in CONVERSATIONS.values():
        for tools in ((), TOOLS):
            for prompt in (False, True):
                try:
                    expected = reference.apply_chat_template(
                        dictionaries(messages),
                        chat_template=template.source,
                        tools=list(tools) or None,
                        add_generation_prompt=prompt,
                        tokenize=False,
                    )
                except Exception:  # what the template raises there, it must raise here too
                    with pytest.raises(DataError):
                        template.render(messages, tools=tools, add_generation_prompt=prompt)
                    continue
                text = template.render(messages, tools=tools, add_generation_prompt=prompt)
                assert text == expected
                compared += 1
    assert compared >= 4 or "llava" in name or "idefics" in name or "smolvlm" in name


def test_a_second_template_is_used_for_tools(tmp_path: Path) -> None:
    listed = [
        {"name": "default", "template": "plain {{ messages[0].content }}"},
        {"name": "tool_use", "template": "tools {{ tools[0].function.name }}"},
    ]
    folder = write(tmp_path, word_level(), Files(config={"chat_template": listed}))
    tokenizer = load_tokenizer(folder)
    template = load_template(tokenizer, None)
    reference = AutoTokenizer.from_pretrained(folder)
    for tools in ((), TOOLS):
        text = template.render((USER,), tools=tools, add_generation_prompt=False)
        assert text == reference.apply_chat_template(
            dictionaries((USER,)), tools=list(tools) or None, tokenize=False
        )
    assert load_template(tokenizer, "tool_use").source == listed[1]["template"]


def test_the_date_is_fixed_for_a_run_and_part_of_the_digest(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, word_level(), Files(config={"eos_token": "[EOS]"})))
    path = tmp_path / "dated.jinja"
    path.write_text("{{ strftime_now('%d %B %Y') }}")
    one = load_template(tokenizer, str(path), now=datetime(2026, 3, 1))
    two = load_template(tokenizer, str(path), now=datetime(2026, 3, 2))
    assert one.render((USER,), add_generation_prompt=False) == "01 March 2026"
    assert one.digest != two.digest
    plain = [load_template(tokenizer, "plain", now=datetime(2026, 3, day)) for day in (1, 2)]
    assert plain[0].digest == plain[1].digest


def test_arguments_written_as_a_json_string_are_passed_as_an_object(tmp_path: Path) -> None:
    template = template_of("{{ messages[0].tool_calls[0].function.arguments | tojson }}", tmp_path)
    function: JsonObject = {"name": "add", "arguments": '{"a":  1}'}
    call = Message(role="assistant", content="", tool_calls=({"function": function},))
    assert template.render((call,), add_generation_prompt=False) == '{"a": 1}'
    function["arguments"] = "not json"
    assert template.render((call,), add_generation_prompt=False) == '"not json"'


@pytest.mark.parametrize("known", [True, False])
def test_developer_is_system_where_the_template_does_not_know_it(
    known: bool, tmp_path: Path
) -> None:
    comment = "{# developer #}" if known else ""
    template = template_of(comment + "{{ messages[0].role }}", tmp_path)
    text = template.render((Message(role="developer", content="x"),), add_generation_prompt=False)
    assert text == ("developer" if known else "system")


def test_a_base_without_a_template_gets_plain_and_a_notice(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write(tmp_path, word_level(), Files(config={"eos_token": "[EOS]"})))
    template = load_template(tokenizer, None)
    assert template.name == "plain"
    assert "no chat template" in template.notice
    text = template.render((SYSTEM, USER, ANSWER, USER), add_generation_prompt=True)
    assert text.startswith(SYSTEM.content or "")
    assert text.count("[EOS]") == 1
    assert text.endswith("Assistant:\n")


def test_a_begin_token_is_put_in_front_where_the_base_is_used_to_one(tmp_path: Path) -> None:
    config = {"bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = load_tokenizer(write(tmp_path, metaspace(), Files(config=dict(config))))
    for name in names():
        text = load_template(tokenizer, name).render((USER,), add_generation_prompt=True)
        assert text.startswith("<s>"), name
        assert not text.startswith("<s><s>"), name


def test_no_end_token_is_a_model_error_with_a_fix(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no end token") as caught:
        load_template(load_tokenizer(write(tmp_path, word_level())), None)
    assert "eos_token" in caught.value.hint


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ("chatlm", "there is no chat template chatlm"),
        ("absent.jinja", "no such chat template file"),
        ("{here}", "not a plain file"),
        ("{here}/broken.jinja", "not valid Jinja"),
        ("{here}/binary.jinja", "not UTF-8"),
        ("{here}/long.jinja", "MB"),
        ("{here}/deep.jinja", "cannot be compiled"),
        ("{here}/unknown_filter.jinja", "not valid Jinja"),
    ],
)
def test_impossible_choices_are_refused(chosen: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "broken.jinja").write_text("ok\n{% for x in %}")
    (tmp_path / "binary.jinja").write_bytes(b"\xff\x00")
    (tmp_path / "long.jinja").write_text("x" * (2**20 + 1))
    (tmp_path / "deep.jinja").write_text("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}")
    (tmp_path / "unknown_filter.jinja").write_text("{{ 1 | nonsense }}")
    tokenizer = load_tokenizer(
        write(tmp_path / "base", word_level(), Files(config={"eos_token": "[EOS]"}))
    )
    with pytest.raises(TemplateError, match=message) as caught:
        load_template(tokenizer, chosen.replace("{here}", str(tmp_path)))
    assert caught.value.hint


def test_several_templates_without_a_default_must_be_chosen_from(tmp_path: Path) -> None:
    listed = [{"name": "rag", "template": "R"}, {"name": "short", "template": "S"}]
    folder = write(tmp_path, word_level(), Files(config={"chat_template": listed}))
    with pytest.raises(TemplateError, match="rag, short"):
        load_template(load_tokenizer(folder), None)


def test_a_refusal_of_the_template_is_the_rows_error(tmp_path: Path) -> None:
    template = template_of("{{ raise_exception('only two turns') }}", tmp_path)
    with pytest.raises(DataError, match="refuses this conversation: only two turns") as caught:
        template.render((USER,), add_generation_prompt=False)
    assert caught.value.hint


@pytest.mark.parametrize(
    "source",
    [
        "{{ messages[5].content }}",
        "{{ messages[0].content + 1 }}",
        "{{ nothing.at.all }}",
        "{{ 1 / 0 }}",
        "{{ '%d' | format('x') }}",
    ],
)
def test_a_failing_template_is_the_rows_error(source: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fails on this conversation"):
        template_of(source, tmp_path).render((USER,), add_generation_prompt=False)


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__['os'].system('id') }}",
    "{{ (messages | attr('__class__')).__base__ }}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({'role': 'x'}) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ raise_exception.__globals__ }}",
    "{{ strftime_now.__self__.__class__ }}",
    "{{ namespace(__class__=1) }}",
    "{% set ns = namespace() %}{% set ns._x = 1 %}",
    "{{ dict.mro() }}{{ dict.__class__ }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_the_sandbox_holds(source: str, tmp_path: Path) -> None:
    template = template_of(source, tmp_path)
    try:
        text = template.render((USER,), add_generation_prompt=False)
    except (TemplateError, DataError):
        return
    assert text == "", "what is not safe is undefined, which is written as nothing"


BOMBS = [
    "{{ 'a' * 10000000000 }}",
    "{{ 10000000000 * 'a' }}",
    "{{ [0] * 10000000000 }}",
    "{{ 10 ** (10 ** 10) }}",
    "{% set ns = namespace(x=3) %}{% for i in range(60) %}{% set ns.x = ns.x * ns.x %}{% endfor %}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}"
    "{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = n.x.replace('a', n.x) %}{% endfor %}",
    "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = n.x | replace('a', n.x) %}{% endfor %}",
    "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = n.x.join(['a', n.x, n.x]) %}{% endfor %}",
    "{% set n = namespace(x='aa') %}{% for i in range(60) %}"
    "{% set n.x = [n.x, n.x] | map('upper') | join(n.x) %}{% endfor %}",
    "{{ '%9999999999d' % 1 }}",
    "{{ '%*d' % (9999999999, 1) }}",
    "{{ '%9999999999d' | format(1) }}",
    "{{ '{:9999999999}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=9999999999) }}",
    "{{ 'a'.ljust(9999999999) }}",
    "{{ 'a'.center(9999999999) }}",
    "{{ 'a' | center(9999999999) }}",
    "{{ 'a\nb' | indent(9999999999) }}",
    "{{ ('a\n' * 1000000) | indent(10000) }}",
    "{{ [1] | tojson(indent=9999999999) }}",
    "{{ 1.5 | round(99999999, 'ceil') }}",
    "{{ (1).to_bytes(9999999999, 'big') }}",
    "{{ [1] | batch(9999999999, 'x') | list }}",
    "{{ ('\t' * 10000) .expandtabs(10000000) }}",
    "{% for i in range(99999) %}{{ 'a' * 1000 }}{% endfor %}",
    "{% set n = namespace(x=[]) %}{% for i in range(9999) %}"
    "{% set n.x = n.x + ['a' * 1000000] %}{% endfor %}",
    "{{ range(99999999999) | list }}",
    "{% macro m(n) %}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
]


@pytest.mark.parametrize("source", BOMBS)
def test_bombs_are_refused_before_they_go_off(source: str, tmp_path: Path) -> None:
    template = template_of(source, tmp_path)
    started = time.monotonic()
    with pytest.raises(TemplateError, match="template") as caught:
        template.render((USER,), add_generation_prompt=False)
    assert time.monotonic() - started < 5
    assert caught.value.hint


HANGS = (
    "{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}"
    "{% endfor %}{% endfor %}{% endfor %}"
)


def test_a_hanging_template_ends_on_any_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tunesmith.tokenizer.template.SECONDS", 0.2)
    template = template_of(HANGS, tmp_path)
    errors: list[str] = []

    def render() -> None:
        with pytest.raises(TemplateError, match="takes longer than") as caught:
            template.render((USER,), add_generation_prompt=False)
        errors.append(caught.value.what)

    started = time.monotonic()
    render()
    thread = threading.Thread(target=render)
    thread.start()
    thread.join(timeout=10)
    assert len(errors) == 2
    assert time.monotonic() - started < 8
    good = load_template(
        load_tokenizer(write(tmp_path / "b", word_level(), Files(config={"eos_token": "[EOS]"}))),
        None,
    )
    for _ in range(1000):
        assert good.render((USER,), add_generation_prompt=True)


def test_a_large_honest_conversation_is_rendered(tmp_path: Path) -> None:
    template = load_template(load_tokenizer(chat_base(tmp_path, "chatml")), "chatml")
    long = tuple(
        Message(role="user" if turn % 2 == 0 else "assistant", content="word " * 20_000)
        for turn in range(100)
    )
    text = template.render(long, add_generation_prompt=False)
    assert len(text) > 10_000_000


def test_large_numbers_of_the_data_are_no_bombs(tmp_path: Path) -> None:
    source = (
        "{% macro show(x) %}{{ x }}{% endmacro %}{% set ns = namespace(at=tools[0].at) %}"
        "{{ show(ns.at) }} {{ nothing | default(ns.at) }} {{ dict(a=ns.at) }} {{ '%d' % ns.at }}"
        " {{ ns.at + 1 }} {{ ns.at | string }} {{ [ns.at] | join(', ') }} {{ ns.at | tojson }}"
    )
    text = template_of(source, tmp_path).render(
        (USER,), tools=({"at": 1700000000},), add_generation_prompt=False
    )
    assert text.count("1700000000") == 7
    assert "1700000001" in text


def test_built_in_templates_are_named_and_have_an_own_text() -> None:
    assert {"chatml", "llama3", "mistral", "gemma", "zephyr", "alpaca", "plain"} <= set(names())


def test_json_is_written_as_transformers_writes_it(tmp_path: Path) -> None:
    source = (
        "{{ tools | tojson }}|{{ tools | tojson(indent=2) }}|{{ tools | tojson(sort_keys=true)}}"
    )
    folder = write(tmp_path, byte_level(), Files(config={"chat_template": source}))
    text = load_template(load_tokenizer(folder), None).render(
        (USER,), tools=TOOLS, add_generation_prompt=False
    )
    expected = AutoTokenizer.from_pretrained(folder).apply_chat_template(
        dictionaries((USER,)), tools=list(TOOLS), tokenize=False
    )
    assert text == expected
    assert json.loads(text.split("|")[0]) == list(TOOLS)

"""The page to read first: the records that flow between stages, and what a plugin file offers.

A row's way through the house:

    file -> RawRow -> Example (Conversation | Preference | ...) -> TokenRow -> forest -> Scores

A plugin is one file in the folder of its kind; the *module itself* is the plugin, and the
protocols at the end say which names it must define. Nothing here imports torch: tensor
types are named for the type checker only.

Shapes: T tokens of one row, N trained tokens of a forest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from tunesmith.errors import Place

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
JsonObject = dict[str, Json]
Severity = Literal["block", "warn", "info"]
Consumes = Literal["answers", "preferences"]
ROWS_PER_EXAMPLE: dict[Consumes, int] = {"answers": 1, "preferences": 2}
"""Rows that belong together in a step: what a method of that kind is given at once."""


class Config(BaseModel):
    """The options of a plugin: strict, frozen, unknown keys refused; a docstring a field."""

    model_config = ConfigDict(
        strict=True, frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


AnyConfig = Config


# ---- data ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """One row as a reader found it: `{"question": "...", "answer": "..."}` and where."""

    values: JsonObject
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn. `weight` is that of an assistant turn in the loss: 0 is not trained."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: str | None
    weight: float = 1.0
    name: str | None = None
    reasoning: str | None = None
    tool_calls: tuple[JsonObject, ...] = ()
    tool_call_id: str | None = None

    def as_template_input(self) -> JsonObject:
        """The dictionary that chat templates expect; absent fields are left out."""
        out: JsonObject = {"role": self.role, "content": self.content}
        if self.name is not None:
            out["name"] = self.name
        if self.reasoning is not None:
            out["reasoning_content"] = self.reasoning
        if self.tool_calls:
            out["tool_calls"] = list(self.tool_calls)
        if self.tool_call_id is not None:
            out["tool_call_id"] = self.tool_call_id
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """Turns under a chat template; the assistant's turns with weight above 0 are trained."""

    messages: tuple[Message, ...]
    tools: tuple[JsonObject, ...] = ()
    left_out: tuple[Message, ...] = field(default=(), compare=False)
    """The turns after the last answer as they were read. Nothing learns from them: they are no
    part of what the row says (its JSON, its digest), and the audit tells of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A piece of text that is trained or is not (Axolotl's `input_output`)."""

    text: str
    trained: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Pieces joined without a template; the author writes every special token."""

    parts: tuple[Segment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """Plain text, trained from its first token to the end token."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preference:
    """A prompt with two completions of which the first is the better one."""

    prompt: tuple[Message, ...]
    chosen: tuple[Message, ...]
    rejected: tuple[Message, ...]
    tools: tuple[JsonObject, ...] = ()
    left_out: tuple[Message, ...] = field(default=(), compare=False)
    """The turns after the last answer of either completion, as in a conversation."""

    def sides(self) -> tuple[Conversation, Conversation]:
        """Chosen, then rejected, each after the prompt, of which nothing is trained."""
        prompt = tuple(
            replace(turn, weight=0.0) if turn.role == "assistant" else turn for turn in self.prompt
        )
        return (
            Conversation(messages=(*prompt, *self.chosen), tools=self.tools),
            Conversation(messages=(*prompt, *self.rejected), tools=self.tools),
        )


Content = Conversation | Segments | Text | Preference


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A parsed row: what it says, where it came from, and a digest of its content."""

    content: Content
    place: Place
    digest: str
    """sha256 of the canonical JSON of the content, hexadecimal."""
    group: str = ""
    """Rows of one group never stand on both sides of the split."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRow:
    """A row in tokens. `weights_T[t]` is the weight of predicting token t; `weights_T[0]` is 0."""

    ids_T: NDArray[np.int32]
    weights_T: NDArray[np.float32]
    place: Place
    digest: str
    reference_T: NDArray[np.float32] | None = None
    """Log-probability of each trained token under the reference, where the method needs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something the audit noticed in a row, and what to do about it."""

    rule: str
    severity: Severity
    message: str
    fix: str
    file: str
    line: int = 0
    row_hash: str = ""
    excerpt: str = ""
    other: str = ""
    """For findings about a pair: `file:line` of the other row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What `check` found: the content of `audit.json`."""

    rows: int
    verdict: Literal["ready", "warnings", "blocked"]
    counts: dict[str, int]
    """Findings per rule, all of them, also where the list is cut short."""
    findings: tuple[Finding, ...]
    statistics: JsonObject = field(default_factory=dict)
    rules: JsonObject = field(default_factory=dict)
    """By rule that found something: its severity, why it matters, how to fix it."""

    def as_json(self) -> JsonObject:
        """Plain data for `audit.json` and `--json`."""
        return asdict(self)


# ---- training ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """What a method sees of a forest: its trained tokens only, never padding."""

    logprobs_N: Tensor
    """Log-probability of each trained token, natural logarithm, fp32."""
    weights_N: Tensor
    rows_N: Tensor
    """Index within the step of the row that each token belongs to; a pair's rows are 2p, 2p+1."""
    reference_N: Tensor | None = None
    """The same log-probabilities under the reference, where the method asks for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCount:
    """What a step's rows hold, and what was computed for them."""

    tokens: int
    """Tokens of the rows, as often as they occur."""
    trained: int
    """Those among them that carry a weight."""
    needed: int
    """Tokens that a model must see for the trained ones, each row by itself."""
    computed: int
    """Tokens that went through the model: `needed` less what rows share."""
    padded: int
    """What a rectangle as wide as the longest row would have held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord(TokenCount):
    """One line of metrics.jsonl."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """This machine as training sees it. Memory is what is free now, the device's and the main."""

    device: Literal["cpu", "cuda", "mps"]
    name: str
    memory_bytes: int
    main_memory_bytes: int
    threads: int
    fast_bf16: bool
    """Whether bf16 products are faster than fp32 ones here."""


# ---- evaluation ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """A figure that a task reports."""

    name: str
    unit: str
    higher_is_better: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One entry of `results` in evaluation.json; `difference` is tuned minus base."""

    task: str
    version: int
    metric: str
    unit: str
    higher_is_better: bool
    slice: str
    n: int
    groups: int
    """Independent groups of rows that the interval resamples."""
    base: float | None
    tuned: float
    difference: float | None
    low: float | None
    """Lower end of the 95 % interval of the difference."""
    high: float | None
    p_value: float | None


# ---- what a plugin file defines ------------------------------------------------------------


class Format(Protocol):
    """`data/formats/x.py`: a raw format. The docstring opens with an example row."""

    COLUMNS: Sequence[str]
    """Names that `columns` in the recipe may map to the file's own names."""
    PRIORITY: int
    """Formats are asked in descending order; the first that recognises the row has it."""
    GIVES: Consumes
    """The kind of method that learns from its rows."""

    def recognises(self, values: JsonObject) -> bool:
        """Whether a row looks like this format."""
        ...

    def parse(self, values: JsonObject) -> Content:
        """The row's content; DataError (without a place) says what is wrong with it."""
        ...

    def compose(self, content: Content) -> JsonObject:
        """A row that `parse` reads as this content; DataError says why there can be none."""
        ...


class Method(Protocol):
    """`methods/x.py`: an objective."""

    Config: type[AnyConfig]
    CONSUMES: Consumes
    """`answers` are rows by themselves; `preferences` are pairs, chosen before rejected."""
    REFERENCE: bool
    """Whether it compares with the model as training begins (`scores.reference_N`)."""

    def loss(self, scores: Scores, config: AnyConfig) -> Tensor:
        """The *sum* over the forest; the loop divides by the step's denominator."""
        ...

    def denominator(self, weights: Sequence[NDArray[np.float32]]) -> float:
        """What the step's summed loss is divided by, from the token weights of its rows."""
        ...


class Adapter(Protocol):
    """`models/adapters/x.py`: a way of being trainable."""

    Config: type[AnyConfig]

    def attach(self, model: nn.Module, config: AnyConfig) -> nn.Module:
        """The model with its trainable weights marked (fp32) and all others frozen."""
        ...

    def state(self, model: nn.Module) -> dict[str, Tensor]:
        """The trainable weights by the names under which they are saved."""
        ...

    def load_state(self, model: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Put saved weights back; ModelError where names or shapes do not fit."""
        ...

    def save(self, model: nn.Module, folder: Path) -> None:
        """Write the result: a PEFT adapter folder, or a full Hugging Face folder."""
        ...


class Tracker(Protocol):
    """An open connection to an experiment tracker, fed from the metrics file."""

    def log(self, step: int, values: Mapping[str, float]) -> None:
        """Numbers of one step."""
        ...

    def close(self) -> None:
        """Flush and disconnect."""
        ...


class TrackerKind(Protocol):
    """`train/trackers/x.py`: a place that metrics are reported to."""

    def start(self, name: str, folder: Path, recipe: JsonObject) -> Tracker:
        """Connect; RecipeError with the install command where the package is absent."""
        ...


class Exporter(Protocol):
    """`export/formats/x.py`: a form in which a tuned model leaves."""

    def export(self, run: Path, folder: Path) -> None:
        """Write into `folder`, which is empty and becomes visible only when complete."""
        ...


class Scorer(Protocol):
    """`evaluate/scorers/x.py`: compares an answer with its reference.

    What a task (`evaluate/tasks/x.py`) defines stands in `evaluate/contracts.py`.
    """

    METRIC: Metric

    def statistics(self, answer: str, reference: str) -> tuple[float, ...]:
        """Numbers that are added up over rows; (score, 1) for a figure that is a mean."""
        ...

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The figure from summed statistics (..., K) -> (...)."""
        ...

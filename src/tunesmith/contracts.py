"""The page to read first: the records that flow between stages, and what a plugin file offers.

A row's way through the house:

    file -> RawRow -> Example (Conversation | Segments | Text) -> TokenRow -> forest -> Scores

A plugin is one file in the folder of its kind; the *module itself* is the plugin, and the
protocols at the end say which names it must define. Nothing here imports torch: tensor
types are named for the type checker only.

Shapes: T tokens of one row, N trained tokens of a forest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
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


class Config(BaseModel):
    """The options of a plugin: strict, frozen, unknown keys refused; a docstring a field."""

    model_config = ConfigDict(
        strict=True,
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        use_attribute_docstrings=True,
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


Content = Conversation | Segments | Text


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
    """Index within the step of the row that each token belongs to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRecord:
    """One line of metrics.jsonl."""

    step: int
    loss: float
    learning_rate: float
    gradient_norm: float
    tokens: int
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """What this machine is, as far as training cares."""

    device: Literal["cpu", "cuda", "mps"]
    name: str
    memory_bytes: int
    """Memory of the device that is free to use now."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """Tokens whose probability is measured, and the text that they stand for."""

    row: TokenRow
    size: int
    """UTF-8 bytes of the trained text, special tokens left out."""
    group: str
    part: str = "all"
    """Slice of the results that it belongs to besides `all`, e.g. `code`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A prompt that is answered by generation, and the answer that the data gives."""

    prompt_ids: tuple[int, ...]
    prompt: str
    """The prompt for people: the last turn that is not the assistant's."""
    reference: str
    example: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a model generated."""

    text: str
    tokens: int
    stopped: bool
    """Whether it ended by itself, before the longest allowed answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassageScore:
    """How a model judged the N trained tokens of a passage."""

    weighted_nats: float
    """Sum of weight times negative log-probability, natural logarithm."""
    weight: float
    """Sum of the weights."""
    nats: float
    """Sum of the negative log-probabilities, every trained token alike."""
    tokens: int
    correct: int
    """Trained tokens that were the most likely ones."""


class Encoder(Protocol):
    """Turns content into what is measured, under the run's tokenizer and template."""

    def passages(self, example: Example) -> tuple[Passage, ...]:
        """The rows of an example as training sees them, teacher-forced."""
        ...

    def last_turn(self, example: Example, answer: str) -> Passage | None:
        """The example with its last trained turn replaced and only that trained."""
        ...

    def question(self, example: Example) -> Question | None:
        """The prompt before the last trained turn; None where nothing is asked."""
        ...

    def document(self, text: str, place: Place, part: str) -> tuple[Passage, ...]:
        """General text, in pieces that fit the model's context."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the evaluations of a run measure on."""

    held_out: tuple[Example, ...]
    """At most `max_rows`, drawn with the seed, in random order."""
    train: tuple[Example, ...]
    """As many rows of the training data, to compare with."""
    documents: tuple[tuple[str, str, Place], ...]
    """General text: part, text, place."""
    encoder: Encoder
    seed: int


class Subject(Protocol):
    """A model that is measured: the base or the tuned one."""

    def score(self, name: str, passages: Sequence[Passage]) -> Sequence[PassageScore]:
        """Judge passages; what was judged under `name` before is not computed again."""
        ...

    def answer(self, name: str, questions: Sequence[Question]) -> Sequence[Answer]:
        """Answer the first questions, as many as the time budget allows, greedily."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure of one model, as statistics that are added up over rows.

    R rows, K statistics. The figure of any set of rows is `value(statistics_RK.sum(0))`, so
    that it can be computed for resampled rows as well, corpus figures included.
    """

    metric: Metric
    slice: str
    keys: tuple[str, ...]
    """What each row is, the same for base and tuned: `file:line`."""
    groups: tuple[str, ...]
    strata: tuple[str, ...] = ()
    """Rows of each stratum are resampled among themselves; empty: all rows are one."""
    statistics_RK: NDArray[np.float64]
    value: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    """From sums (..., K) to figures (...); NaN where it is not defined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What a task found out about one model."""

    measures: tuple[Measure, ...]
    details: JsonObject = field(default_factory=dict)
    """What is no single figure, such as a confusion matrix; written to evaluation.json."""


# ---- what a plugin file defines ------------------------------------------------------------


class Format(Protocol):
    """`data/formats/x.py`: a raw format. The docstring opens with an example row."""

    COLUMNS: Sequence[str]
    """Names that `columns` in the recipe may map to the file's own names."""
    PRIORITY: int
    """Formats are asked in descending order; the first that recognises the row has it."""

    def recognises(self, values: JsonObject) -> bool:
        """Whether a row looks like this format."""
        ...

    def parse(self, values: JsonObject) -> Content:
        """The row's content; DataError (without a place) says what is wrong with it."""
        ...


class Method(Protocol):
    """`methods/x.py`: an objective."""

    Config: type[AnyConfig]

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


class Task(Protocol):
    """`evaluate/tasks/x.py`: an evaluation. VERSION rises when its figures change meaning."""

    VERSION: int
    METRICS: Sequence[Metric]

    def missing(self, material: Material) -> str:
        """What the data lack for this evaluation, for people; empty where it can run."""
        ...

    def measure(self, subject: Subject, material: Material) -> Measurement:
        """The figures of one model; called with the same material for base and tuned."""
        ...


class Scorer(Protocol):
    """`evaluate/scorers/x.py`: compares an answer with its reference."""

    METRIC: Metric

    def statistics(self, answer: str, reference: str) -> tuple[float, ...]:
        """Numbers that are added up over rows; (score, 1) for a figure that is a mean."""
        ...

    def value(self, sums: NDArray[np.float64]) -> NDArray[np.float64]:
        """The figure from summed statistics (..., K) -> (...)."""
        ...


RowStream = Iterator[RawRow]

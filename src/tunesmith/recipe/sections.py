"""What a run is: the sections of a recipe, strict and frozen.

A field that is `None` is decided from the data and the hardware before the run starts, and
the decision is written into the run's own recipe.yaml with its reason. The docstring under
a field is its help everywhere: command line, schema, documentation.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tunesmith.contracts import Config, Json

Precision = Literal["auto", "fp32", "bf16"]
Placement = Literal["auto", "single", "ddp", "fsdp"]
Quantize = Literal["none", "nf4", "fp8"]
OptimizerName = Literal["adamw", "adamw8bit", "paged_adamw", "paged_adamw8bit"]
Device = Literal["auto", "cpu", "cuda", "mps"]


class Base(Config):
    """The model to start from."""

    path: str
    """Folder, hub id (`owner/name`), or `starter` for the model that ships with us."""
    revision: str | None = None
    """Branch, tag or commit on the hub; pinned to a commit when the run starts."""
    adapter: str | None = None
    """Folder of an adapter (PEFT format) to continue from."""
    precision: Precision = "auto"
    """Number format of the frozen weights; auto takes bf16 where the hardware is fast at it."""
    quantize: Quantize = "none"
    """Store the frozen weights in 4 bits (nf4): much less memory, a little less exact; or in 8
    (fp8): half of bf16, and multiplied in 8 bits where the GPU can."""


class Source(Config):
    """One file or folder of rows."""

    path: str
    """JSONL, JSON, CSV, TSV, Parquet, XLSX or text; `.gz` of the text kinds; or a folder."""
    weight: float = Field(default=1.0, gt=0, le=1000)
    """How often its rows are seen an epoch: 2 is twice, 0.5 is every second row."""
    format: str | None = None
    """Name of the row format; recognised from the rows when left out."""
    columns: dict[str, str] = Field(default_factory=dict)
    """Our name: the file's name, where they differ, e.g. `{question: query}`."""
    licence: str | None = None
    """Licence as SPDX or as it is commonly called, e.g. `CC-BY-4.0`; `own` for your own data."""
    origin: str | None = None
    """Where it comes from: an address, a hub id (`owner/name@revision`), or words."""
    consent: str | None = None
    """Who agreed to this use, and how: a note for the ledger."""


class Data(Config):
    """What to learn from, and how rows become tokens."""

    sources: tuple[Source, ...] = Field(min_length=1)
    """The files; a plain path is short for `{path: ...}`."""
    held_out: float | int | str | None = 0.1
    """Kept from training to measure with: a share below 1, a number of rows, a file, or 0."""
    max_length: int | None = Field(default=None, ge=8, le=10_000_000)
    """Longest row in tokens; left out: what the rows need, within the model's context."""
    overlong: Literal["truncate", "drop", "error"] = "truncate"
    """What happens to a longer row; truncation keeps the start."""
    template: str | None = None
    """Chat template: a name, a .jinja file, or the model's own when left out."""
    train_on: Literal["all", "last"] = "all"
    """Which assistant turns are trained."""
    shuffle: bool = True
    """Draw rows in a seeded random order; false keeps the order of the file."""

    @model_validator(mode="after")
    def _held_out_in_range(self) -> Data:
        if isinstance(self.held_out, float) and not 0 <= self.held_out < 1:
            raise ValueError(
                "held_out is a share from 0 to below 1, a whole number of rows, or a file"
            )
        if isinstance(self.held_out, int) and self.held_out < 0:
            raise ValueError("held_out cannot be negative")
        return self


class AuditRules(Config):
    """What the data is examined for before anything is trained."""

    rules: tuple[str, ...] | None = None
    """Names of the rules that are looked for; left out: all."""
    severities: dict[str, Literal["block", "warn", "info", "off"]] = {}
    """By rule: block refuses to train, warn and info only tell, off does not look."""
    limits: dict[str, float] = {}
    """By rule: the number it compares with, where it has one."""
    benchmarks: tuple[str, ...] = ()
    """Files whose rows must not be among the training rows."""
    base_losses: int = Field(default=0, ge=0, le=100_000)
    """Rows whose loss under the base is measured, to tell what it knows already; 0: none."""
    listed: int = Field(default=5000, ge=1)
    """Findings of a rule that are listed in audit.json; all of them are counted."""


class PluginChoice(BaseModel):
    """A plugin by name, with its options: `{name: lora, rank: 16}`, or short `lora`."""

    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Json]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class Train(Config):
    """How the weights are changed."""

    epochs: float | None = Field(default=None, gt=0, le=1000)
    """Times that every row is seen. Give this or `steps`, or neither."""
    steps: int | None = Field(default=None, ge=1)
    """Optimizer steps, instead of epochs."""
    rows_per_step: int | None = Field(default=None, ge=1, le=65536)
    """Rows that one optimizer step learns from; for dpo, pairs."""
    learning_rate: float | None = Field(default=None, gt=0, le=1)
    """Step size of the optimizer at its highest."""
    schedule: Literal["linear", "cosine", "constant"] = "cosine"
    """How the learning rate falls after the warm-up."""
    warmup: float = Field(default=0.05, ge=0)
    """Steps of rising learning rate: a share of all steps below 1, a number from 1 on."""
    optimizer: OptimizerName = "adamw"
    """adamw8bit keeps the optimizer's state in 8 bits; the paged kinds, on a CUDA GPU, in pages
    that move to main memory where the GPU has no room (these three by bitsandbytes)."""
    betas: tuple[float, float] = (0.9, 0.999)
    """Decay of AdamW's running means."""
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    """Pull of weight matrices towards zero (not of biases and norms)."""
    max_gradient_norm: float = Field(default=1.0, gt=0)
    """Gradients are scaled down to this norm."""
    eval_every: int | None = Field(default=None, ge=1)
    """Steps between measurements of the held-out loss."""
    early_stopping: int = Field(default=0, ge=0)
    """Stop after so many measurements without improvement; 0 never stops early."""
    save_every: int | None = Field(default=None, ge=1)
    """Steps between checkpoints."""
    keep_checkpoints: int = Field(default=2, ge=1)
    """Newest checkpoints that are kept beside the best one."""
    report_to: tuple[str, ...] = ()
    """Trackers that metrics are sent to: tensorboard, wandb, mlflow, trackio."""
    device: Device = "auto"
    """Where to run; auto takes a CUDA GPU when there is one."""
    placement: Placement = "auto"
    """Under torchrun: ddp lays the whole model on each process, fsdp a part; auto: what fits."""
    tokens_per_forest: int | None = Field(default=None, ge=8)
    """Tokens computed at once; decided from memory. It does not change the result."""
    recompute_layers: int | None = Field(default=None, ge=0)
    """Layers whose activations are computed again to save memory; decided from memory."""
    activation_offloading: bool | None = None
    """Keep the inputs of such layers in main memory until they are wanted; decided from memory.
    It does not change the result."""
    deterministic: bool = True
    """On a GPU: the same bits each time, resumed or not; false may be faster, equal to rounding."""
    fused_layers: bool = True
    """Compute decoder layers as a few long operations with their gradients written out, where
    they prove to give the same. It changes the result to rounding."""
    share_prefixes: bool = True
    """Compute what rows of a step begin with once for all. It does not change the result."""
    group_prefixes: bool = False
    """Put rows that begin alike into the same steps: more to share, but the rows of a step
    resemble one another, so the loss varies more from step to step."""

    @model_validator(mode="after")
    def _consistent(self) -> Train:
        if self.epochs is not None and self.steps is not None:
            raise ValueError("give epochs or steps, not both")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError("betas lie from 0 to below 1")
        return self


class Evaluate(Config):
    """What is measured on the base and on the tuned model."""

    tasks: tuple[str, ...] | None = None
    """Names of evaluations; left out: all that fit the data."""
    max_rows: int = Field(default=200, ge=1)
    """Most rows a task uses, drawn with the seed."""
    max_new_tokens: int = Field(default=128, ge=1, le=100_000)
    """Longest generated answer."""
    budget: float = Field(default=600, gt=0)
    """Seconds for generated answers, base and tuned together; fewer rows are used beyond."""
    retention: str = "bundled:retention"
    """Text file or folder on which forgetting is measured."""


class Gate(Config):
    """A condition that the result must meet; otherwise the exit code is 3."""

    task: str
    """Name of the evaluation."""
    metric: str
    """Name of its figure."""
    slice: str = "all"
    """Part of the rows."""
    min: float | None = None
    """Smallest value that passes."""
    max: float | None = None
    """Largest value that passes."""
    of: Literal["tuned", "difference"] = "tuned"
    """The tuned model's figure, or its difference to the base."""

    @model_validator(mode="after")
    def _bounded(self) -> Gate:
        if self.min is None and self.max is None:
            raise ValueError("a gate needs min, max, or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError("min is larger than max: the gate can never pass")
        return self


class Recipe(Config):
    """Everything that decides a run."""

    base: Base
    """The model to start from; a plain path is short for `{path: ...}`."""
    data: Data
    """What to learn from; a plain path is short for `{sources: [...]}`."""
    audit: AuditRules = AuditRules()
    """What the data is examined for."""
    method: PluginChoice = PluginChoice(name="sft")
    """What is optimised; a plain name is short for `{name: ...}`."""
    adapter: PluginChoice = PluginChoice(name="lora")
    """What is trainable: lora or full; `qlora` is short for lora on an nf4 base."""
    train: Train = Train()
    """How the weights are changed."""
    evaluate: Evaluate = Evaluate()
    """What is measured."""
    gates: tuple[Gate, ...] = ()
    """Conditions that the result must meet."""
    export: tuple[str, ...] = ()
    """Forms written at the end of a run, besides `model/`: adapter, merged."""
    output: str | None = None
    """The run directory; left out: runs/<base>-<data>-<n>."""
    seed: int = Field(default=0, ge=0, lt=2**31)
    """Decides all randomness of the run."""

    @model_validator(mode="after")
    def _fits_together(self) -> Recipe:
        if self.train.group_prefixes and not self.data.shuffle:
            raise ValueError(
                "train.group_prefixes decides the order of the rows, and data.shuffle: false "
                "keeps that of the file: give one of the two"
            )
        if self.adapter.name == "full" and self.base.quantize != "none":
            raise ValueError(
                "adapter full trains every weight, which a quantized base does not allow: "
                "use adapter: lora, or base.quantize: none"
            )
        return self

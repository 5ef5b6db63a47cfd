"""Settings of a model group: `<group>/model.toml` beside the data, or a pipeline's config dict."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Self, get_args

from mlops.models.errors import SettingsError
from mlops.models.record import Record
from mlops.models.settings.classes import ClassSettings, check_classes
from mlops.models.settings.columns import (
    ColumnSettings,
    DatePart,
    Direction,
    FeatureSettings,
    check_column,
    check_column_list,
    check_date_parts,
    check_monotonic,
    column_keys,
)
from mlops.models.settings.declared import check_bounds, check_types, refuse_unknown, table_of
from mlops.models.settings.document import check_values, read_toml, stated_values, with_line
from mlops.models.settings.format import FormatSettings, check_format
from mlops.models.settings.gate import GateRule, SliceSettings, check_gate_rule, check_slices
from mlops.models.settings.monitoring import DriftSettings, QualitySettings
from mlops.models.settings.prediction import (
    IntervalSettings,
    ThresholdSettings,
    check_intervals,
    check_threshold,
)
from mlops.models.settings.retrain import RETRAIN_BOUNDS, RetrainSettings, check_retrain
from mlops.models.settings.scoring import OutputSettings, ScoringSettings
from mlops.models.settings.search import SearchSettings, check_search

TaskName = Literal["binary", "multiclass", "regression"]
SplitName = Literal["identity", "last_rows"]
AUTOMATIC = "auto"  # the algorithm is chosen on the training rows

_LAST_CONTRACT = 99_999_999
# what people may write; what earlier releases stored is read in any case
_BOUNDS: Mapping[str, tuple[float, float]] = {
    "seed": (0, 2**31 - 1),  # of a SageMaker tuning job
    "test_fraction": (0.001, 0.9),
    "approval.required_approvals": (1, 20),
    "drift.expected_every_days": (0, 90),
    "output.reasons": (0, 10),
    "quality.min_labels": (30, 1_000_000),
    "quality.window_days": (1, 730),
    "quality.label_delay_days": (0, 730),
    "features.version": (1, 999_999),
    **RETRAIN_BOUNDS,
}
_COLUMN_LISTS = ("id_columns", "group_columns", "exclude_columns", "text_columns")
_TEXTS = ("target", "positive_label", "task", "time_column", "algorithm", "split")
_CHOICES = {"task": get_args(TaskName), "split": get_args(SplitName)}
_ALIASES = {"group_column": "group_columns", "id_column": "id_columns"}


@dataclass(frozen=True, slots=True)
class ApprovalSettings(Record):
    """How a candidate is approved: how many people must say yes, or `automatic` for none."""

    required_approvals: int = 1
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class GroupSettings(Record):
    """Settings of a model group; everything has a default.

    Without `target` it is the column `target` or `label`, else the last one. `group_columns` together name
    the entity that must not be on both sides of the split; `time_column` orders the rows. Dates are not
    features; `date_parts` takes parts of every date, or of those named, and with `choose_date_parts` only
    those that help out of fold. The words of `text_columns` are
    learned from. `monotonic` says of which columns of numbers a larger value never lowers, or never raises,
    the prediction of a boosted model. Without `algorithm` the better one of
    a linear and a boosted model is taken; with `search` its hyperparameters are searched for. Without `gate`
    rules the candidate must beat a dummy model, and the champion by more than chance. `columns` states what
    the group's files hold, over what was learned; a `contract` above the version of the current one has it
    learned again from the next file. `format` states how the files are written, `classes` what is done with
    classes of few rows, `scoring` what is done with files to score, `output` how predictions are written,
    `threshold` from which probability on a row is positive, `intervals` how wide those of numbers are,
    `slices` which parts of the held-out rows are shown on their own, `quality` when these are judged later,
    `features` which service of the feature store adds columns to the files,
    `retrain` when the group is trained again. The held-out rows are chosen by their ids or content, or by
    `time_column`; with `split` `last_rows` they are the last ones of the file, which is in the order of time.
    """

    target: str | None = None
    positive_label: str | None = None
    task: TaskName | None = None
    id_columns: tuple[str, ...] = ()
    group_columns: tuple[str, ...] = ()
    time_column: str | None = None
    exclude_columns: tuple[str, ...] = ()
    date_parts: Mapping[str, tuple[DatePart, ...]] = field(default_factory=dict)
    choose_date_parts: bool = False
    text_columns: tuple[str, ...] = ()
    monotonic: Mapping[str, Direction] = field(default_factory=dict)
    algorithm: str = AUTOMATIC
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    search: SearchSettings | None = None
    seed: int = 0
    test_fraction: float = 0.2
    columns: Mapping[str, ColumnSettings] = field(default_factory=dict)
    contract: int | None = None
    gate: Mapping[str, GateRule] = field(default_factory=dict)
    drift: DriftSettings = field(default_factory=DriftSettings)
    approval: ApprovalSettings = field(default_factory=ApprovalSettings)
    format: FormatSettings = field(default_factory=FormatSettings)
    classes: ClassSettings = field(default_factory=ClassSettings)
    scoring: ScoringSettings = field(default_factory=ScoringSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    threshold: ThresholdSettings = field(default_factory=ThresholdSettings)
    intervals: IntervalSettings = field(default_factory=IntervalSettings)
    slices: SliceSettings = field(default_factory=SliceSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    features: FeatureSettings = field(default_factory=FeatureSettings)
    retrain: RetrainSettings = field(default_factory=RetrainSettings)
    split: SplitName = "identity"

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-ready dict; what 0.1 did not have is in it only when something is stated.

        So the identity of a training that 0.1 started stays the same.
        """
        document = Record.to_dict(self)
        added = {name: record for name, record in _TABLES.items() if name not in _TABLES_OF_0_1}
        unstated = {name for name, record in added.items() if getattr(self, name) == record()}
        default = GroupSettings()
        unstated |= {name for name in _ADDED_KEYS if getattr(self, name) == getattr(default, name)}
        return {key: value for key, value in document.items() if key not in unstated}

    def __post_init__(self) -> None:
        """Refuse values that cannot work, before anything is started with them."""
        if not 0.0 < self.test_fraction < 1.0:
            raise SettingsError(f"test_fraction must be between 0 and 1, not {self.test_fraction}.")
        if self.approval.required_approvals < 1:
            raise SettingsError("approval.required_approvals must be at least 1.")
        if self.contract is not None and not 1 <= self.contract <= _LAST_CONTRACT:
            raise SettingsError(
                f"contract must be a version from 1 to {_LAST_CONTRACT}, not {self.contract}."
            )
        if not 0.0 < self.drift.threshold <= self.drift.alert_threshold:
            raise SettingsError("drift.threshold must be above 0 and at most drift.alert_threshold.")

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read `model.toml`.

        Raises
        ------
        SettingsError
            If the text is not TOML, a key is unknown (the nearest known key is named) or a value impossible;
            the line is named where it is known.
        """
        document = read_toml(text)
        try:
            return cls._from_document(document)
        except SettingsError as error:
            raise with_line(error, text, document, cls._from_document) from error

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Read a pipeline's config: the same keys, with hyperparameters nested or flat.

        Values may be JSON strings, as SageMaker passes hyperparameters. A key that is not a setting is taken
        as a hyperparameter; the algorithm refuses those it does not know.

        Raises
        ------
        SettingsError
            If a value is impossible.
        """
        document = {key: _from_json_string(key, value) for key, value in config.items()}
        nested = document.pop("settings", {})
        document = {**nested, **document}
        flat = {key: document.pop(key) for key in list(document) if key not in known_keys()}
        stated = table_of("hyperparameters", document.get("hyperparameters") or {})
        document["hyperparameters"] = {**stated, **flat}
        return cls._from_document(document)

    @classmethod
    def _from_document(cls, document: Mapping[str, Any]) -> Self:
        check_values(document)
        refuse_unknown(document, known_keys(), "")
        values = {_ALIASES.get(key, key): value for key, value in stated_values(document).items()}
        for name in _COLUMN_LISTS:
            if name in values:
                values[name] = check_column_list(name, values[name])
        for name, record in _TABLES.items():
            if name in values:
                refuse_unknown(table_of(name, values[name]), _names(record), f"{name}.")
                if name not in _TABLE_CHECKS:
                    check_types(name, values[name], record)
        if "positive_label" in values:
            values["positive_label"] = _label_text(values["positive_label"])
        for name, check in _TABLE_CHECKS.items():
            if name in values:
                values[name] = check(values[name])
        rules = table_of("gate", values.get("gate", {}))
        values["gate"] = {metric: check_gate_rule(metric, rule) for metric, rule in rules.items()}
        stated = table_of("columns", values.get("columns", {}))
        values["columns"] = {name: _column(name, table) for name, table in stated.items()}
        _check_types(values)
        check_bounds(values, _BOUNDS)
        try:
            return cls.from_dict(values)
        except (TypeError, ValueError) as error:
            raise SettingsError(f"The settings cannot be read: {error}") from error


_TABLES: Mapping[str, type] = {
    "drift": DriftSettings,
    "approval": ApprovalSettings,
    "search": SearchSettings,
    "format": FormatSettings,
    "classes": ClassSettings,
    "scoring": ScoringSettings,
    "output": OutputSettings,
    "threshold": ThresholdSettings,
    "intervals": IntervalSettings,
    "slices": SliceSettings,
    "quality": QualitySettings,
    "features": FeatureSettings,
    "retrain": RetrainSettings,
}
_TABLES_OF_0_1 = ("drift", "approval", "search")
_ADDED_KEYS = ("text_columns", "monotonic", "split", "choose_date_parts")


def known_keys() -> frozenset[str]:
    """Return every key that may be at the top of `model.toml`."""
    return _names(GroupSettings) | frozenset(_ALIASES)


def _names(record: type) -> frozenset[str]:
    return frozenset(entry.name for entry in fields(record))


def _column(name: str, table: Any) -> dict[str, Any]:
    refuse_unknown(table_of(f"columns.{name}", table), column_keys(), f"columns.{name}.")
    return check_column(name, table)


_TABLE_CHECKS: Mapping[str, Callable[[Any], dict[str, Any]]] = {
    "date_parts": check_date_parts,
    "monotonic": check_monotonic,
    "search": check_search,
    "format": check_format,
    "classes": check_classes,
    "threshold": check_threshold,
    "intervals": check_intervals,
    "slices": check_slices,
    "retrain": check_retrain,
}


def _label_text(value: Any) -> str:
    """Write a label as a CSV file does: true as `true`, 1 as `1`."""
    if not isinstance(value, (str, int, float)):
        raise SettingsError(f"positive_label must be a text, a number, true or false, not {value!r}.")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_types(values: Mapping[str, Any]) -> None:
    checks: list[tuple[str, type | tuple[type, ...], str]] = [(name, str, "a text") for name in _TEXTS]
    checks += [("seed", int, "a whole number"), ("test_fraction", (int, float), "a number")]
    checks += [("contract", int, "a whole number"), ("hyperparameters", Mapping, "a table")]
    checks += [("choose_date_parts", bool, "true or false")]
    for name, kind, description in checks:
        is_bool = isinstance(values.get(name), bool)
        if name in values and not (isinstance(values[name], kind) and is_bool == (kind is bool)):
            raise SettingsError(f"{name} must be {description}, not {values[name]!r}.")
    for name, choices in _CHOICES.items():
        if values.get(name) not in (None, *choices):
            expected = f"{', '.join(choices[:-1])} or {choices[-1]}"
            raise SettingsError(f"{name} must be {expected}, not {values[name]!r}.")


def _from_json_string(key: str, value: Any) -> Any:
    """Read a value that SageMaker passed as text; a name that happens to look like a number stays a name."""
    if not isinstance(value, str):
        return value
    try:
        decoded = json.loads(value)
    except json.JSONDecodeError:
        return value
    is_name = key in (*_TEXTS, *_COLUMN_LISTS, *_ALIASES)
    return value if is_name and not isinstance(decoded, (str, list)) else decoded

"""The points that an approver weighs first, found in what is registered about a candidate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mlops.dataset.privacy import names_a_person, names_a_protected_trait, shown
from mlops.models.concern import POSSIBLE_LEAK, SUSPICIOUS_SCORE, Concern
from mlops.models.metrics import describe_metric, metric_difference, metric_interval
from mlops.models.registry import ModelMetadata
from mlops.models.settings.differences import differing_settings
from mlops.models.training import MetricComparison
from mlops.pages.number_format import listing, percent

LEAK_RULE, PERSONAL_RULE = "leakage", "pii"
DOMINANT_SHARE = 0.8
_NEAR_ONE = frozenset({"roc_auc", "roc_auc_ovr", "average_precision", "accuracy", "balanced_accuracy", "r2"})


def find_concerns(model: ModelMetadata, champion: ModelMetadata | None) -> tuple[Concern, ...]:
    """Return what an approver weighs about a candidate that passes its gate, the worst first.

    Columns that the champion uses as well are not named again for what they are called.
    """
    return (
        *_leaks(model),
        *(concern for concern in model.concerns if concern.label != POSSIBLE_LEAK),
        *_near_one(model),
        *_dominant_column(model),
        *_worse(model),
        *_changed_inputs(model),
        *_changed_rules(model, champion),
        *_personal_columns(model, champion),
        *_protected_traits(model, champion),
    )


def is_finding_covered(
    finding: Mapping[str, Any], model: ModelMetadata, champion: ModelMetadata | None
) -> bool:
    """Return whether a finding of validation is one of the concerns."""
    if finding.get("rule_id") == PERSONAL_RULE:
        return finding.get("column") in personal_columns(model, champion)
    return finding.get("rule_id") == LEAK_RULE


def leaking_columns(model: ModelMetadata) -> tuple[str, ...]:
    """Return the columns that alone predict the target, as validation or training found."""
    of_training = (concern.column for concern in model.concerns if concern.label == POSSIBLE_LEAK)
    columns = (*_columns_of_rule(model, LEAK_RULE), *of_training)
    used = (name for name in columns if name and name not in model.settings.exclude_columns)
    return tuple(dict.fromkeys(used))


def _columns_of_rule(model: ModelMetadata, rule_id: str) -> list[str | None]:
    """Return the columns in which validation found what the rule is about."""
    return [entry.get("column") for entry in model.data.findings if entry.get("rule_id") == rule_id]


def _leaks(model: ModelMetadata) -> Iterator[Concern]:
    columns = leaking_columns(model)
    if columns:
        names = listing([shown(name) for name in columns])
        verb = "gives" if len(columns) == 1 else "give"
        each = "It alone predicts" if len(columns) == 1 else "Each of them alone predicts"
        yield Concern(
            POSSIBLE_LEAK,
            f"{names} {verb} the answer away",
            f"{names} {verb} the answer away. {each} the target almost perfectly. Unless that is known "
            "before the outcome, reject, name it in exclude_columns of model.toml and train again.",
        )


def _near_one(model: ModelMetadata) -> Iterator[Concern]:
    name, score = model.metrics.primary_score or ("", 0.0)
    if name in _NEAR_ONE and score > SUSPICIOUS_SCORE:
        said = describe_metric(name, score)
        yield Concern(
            "score near 1",
            f"{said} is too good to be usual",
            f"{said} is rarely real. Ask whether a column is filled in only after the outcome, or whether "
            "rows of one person are on both sides of the split (group_columns).",
        )


def _dominant_column(model: ModelMetadata) -> Iterator[Concern]:
    values = {name: max(value, 0.0) for name, value in model.feature_importance.items()}
    total = sum(values.values())
    name = max(values, key=lambda each: values[each], default="")
    if (
        len(values) < 2
        or total <= 0.0
        or values[name] < DOMINANT_SHARE * total
        or name in leaking_columns(model)
    ):
        return
    share = percent(values[name] / total)
    yield Concern(
        "one column decides",
        f"{shown(name)} alone decides",
        f"{shown(name)} has {share} of the importance: without it the model knows little. Ask whether it is "
        "known, and right, when files are scored.",
    )


def _worse(model: ModelMetadata) -> Iterator[Concern]:
    pair, primary = compared(model), model.metrics.primary or ""
    if pair is not None and model.comparison is not None and pair.interval[1] < 0.0:
        version = model.comparison.champion_version
        yield Concern(
            "worse than the model in service",
            f"it is worse than {version}",
            f"It is worse than {version} on the same rows: {metric_difference(primary, pair.difference)} "
            f"({metric_interval(primary, pair.interval, is_difference=True)}).",
        )


def compared(model: ModelMetadata) -> MetricComparison | None:
    """Return the deciding score beside that of the champion; None when they were not compared."""
    comparison = model.comparison
    if comparison is None or not comparison.comparable:
        return None
    return comparison.metrics.get(model.metrics.primary or "")


def _changed_inputs(model: ModelMetadata) -> Iterator[Concern]:
    changes = model.data.changes
    if changes is not None and changes.verdict == "ALERT":
        before = changes.model_version or "the champion"
        yield Concern(
            "inputs changed",
            f"its data differ a lot from those of {before}",
            f"Its data differ a lot from those of {before}: read what changed, and whether it is meant.",
        )


def _changed_rules(model: ModelMetadata, champion: ModelMetadata | None) -> Iterator[Concern]:
    if champion is None:
        return
    changes = differing_settings(champion.settings, model.settings)
    keys = [change.key for change in changes if change.key.partition(".")[0] in ("gate", "approval")]
    if keys:
        yield Concern(
            "other rules",
            "its rules are not those of the model in service",
            f"model.toml changes the rules by which it is judged: {listing(keys)}. All who may drop data can "
            "change them.",
        )


def personal_columns(model: ModelMetadata, champion: ModelMetadata | None) -> list[str]:
    """Return the new features with personal data, as validation found or their names say."""
    stated = _columns_of_rule(model, PERSONAL_RULE)
    return [name for name in _new_features(model, champion) if name in stated or names_a_person(name)]


def _personal_columns(model: ModelMetadata, champion: ModelMetadata | None) -> Iterator[Concern]:
    columns = personal_columns(model, champion)
    if columns:
        names = listing([shown(name) for name in columns])
        clause = f"it learns from personal data ({names})"
        message = f"It learns from personal data: {names}. Name them in exclude_columns, or in id_columns."
        yield Concern("personal data", clause, message)


def _protected_traits(model: ModelMetadata, champion: ModelMetadata | None) -> Iterator[Concern]:
    columns = [name for name in _new_features(model, champion) if names_a_protected_trait(name)]
    if columns:
        names = listing([shown(name) for name in columns])
        yield Concern(
            "sensitive columns",
            f"it looks at {names}",
            f"It looks at {names}. Ask whether it may, and compare how it does on each of them: "
            "[slices] columns in model.toml.",
            is_warning=False,  # usual in medicine: to be asked about, and no reason to doubt the model
        )


def _new_features(model: ModelMetadata, champion: ModelMetadata | None) -> Iterator[str]:
    earlier = champion.features if champion else ()
    return (name for name in model.features if name not in earlier)

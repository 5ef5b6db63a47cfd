"""What a file of labels is held against: the ids, the target and the classes of a model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mlops.models.dataset import ColumnContract, ColumnKind, Contract
from mlops.models.settings.group import GroupSettings

LABEL_COLUMNS = ("label", "outcome")
TIME_COLUMN = "label_time"
ROW_COLUMN, BATCH_COLUMN = "row", "batch"


@dataclass(frozen=True, slots=True)
class NamedBatch:
    """A scored file: its id, how people may name it, and how many rows it has."""

    batch_id: str
    names: tuple[str, ...]
    n_rows: int


@dataclass(frozen=True, slots=True)
class LabelTerms:
    """What a file of labels is read by.

    `id_columns` make up the id of a row, none where rows have none. The outcome is in the first of
    `label_columns` that the file has, its time in the first of `time_columns`. `classes` are those of the
    target, none for a target of numbers. `batches` returns the scored files of a name.
    """

    settings: GroupSettings
    contract: Contract
    id_columns: tuple[str, ...]
    label_columns: tuple[str, ...]
    time_columns: tuple[str, ...]
    classes: tuple[str, ...]
    batches: Callable[[str], Sequence[NamedBatch]]


def label_terms(
    settings: GroupSettings,
    contract: Contract | None,
    target: str | None,
    classes: Sequence[str],
    batches: Callable[[str], Sequence[NamedBatch]],
) -> LabelTerms:
    """Return what a model expects of files of labels.

    Parameters
    ----------
    settings, contract, target
        Those that the model was trained with.
    classes
        The classes of the model, none of a regression. Rare ones that were pooled or left out are in the
        contract, and are known as well.
    """
    ids = settings.id_columns or tuple(
        c.name for c in (contract.columns if contract else ()) if c.role == "id"
    )
    labels = tuple(dict.fromkeys((*([target] if target else ()), *LABEL_COLUMNS)))
    times = tuple(dict.fromkeys((TIME_COLUMN, *([settings.time_column] if settings.time_column else ()))))
    learned = contract.column(target) if contract and target else None
    kind: ColumnKind = "text" if classes else "number"
    outcome = replace(
        learned or ColumnContract(labels[0], "text", "excluded"), kind=kind, role="excluded", levels=None
    )
    columns = [
        *(ColumnContract(name, "text", "id") for name in ids),
        *(replace(outcome, name=name) for name in labels),
        *(_of_time(name, contract) for name in times if name not in (*ids, *labels)),
        *(ColumnContract(name, "text", "excluded") for name in (ROW_COLUMN, BATCH_COLUMN) if name not in ids),
    ]
    others = tuple(column.name for column in columns if column.role != "id")
    stated = GroupSettings(target=target, id_columns=ids, exclude_columns=others, format=settings.format)
    all_classes = (
        tuple(dict.fromkeys((*classes, *((learned.levels if learned else None) or ())))) if classes else ()
    )
    return LabelTerms(stated, Contract(tuple(columns), target), ids, labels, times, all_classes, batches)


def _of_time(name: str, contract: Contract | None) -> ColumnContract:
    """Return the entry of a column of times: as it was learned, else as it looks."""
    learned = contract.column(name) if contract else None
    if learned is not None and learned.kind == "date":
        return replace(learned, role="excluded")
    return ColumnContract(name, "empty", "excluded", missing_share=1.0)

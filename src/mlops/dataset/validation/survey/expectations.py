"""What a file is held against: the learned contract, and over it what the group's settings state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops.models.dataset import ColumnContract, Contract
from mlops.models.settings.columns import ColumnSettings
from mlops.models.settings.group import GroupSettings


def expected_contract(contract: Contract | None, settings: GroupSettings, purpose: str) -> Contract | None:
    """Return what a file is held against; None when nothing is known. Applying it twice changes nothing.

    Without a contract, and for a training file that shall teach a new one, only what is stated counts. Where
    a file is only read, a contract that is given without settings counts with all that it states.
    """
    if contract is not None and purpose == "inference" and not settings.columns:
        return contract
    if contract is not None and not (purpose == "training" and is_outdated(contract, settings)):
        return overlaid(contract, settings.columns)
    stated = tuple(_stated_alone(name, column) for name, column in settings.columns.items())
    return Contract(stated, version=0) if stated else None


def next_contract(current: Contract | None, taught: Contract, settings: GroupSettings) -> Contract:
    """Return the contract of the group after a training file was accepted: the current one, or the next.

    Parameters
    ----------
    current
        The group's newest contract.
    taught
        What the accepted file teaches.
    """
    if current is None or is_outdated(current, settings):
        return replace(overlaid(taught, settings.columns), version=settings.contract or 1)
    added = tuple(
        column
        for column in taught.columns
        if column.name in settings.columns and column.name not in {c.name for c in _learned(current)}
    )
    contract = overlaid(replace(current, columns=(*_learned(current), *added), learned=()), settings.columns)
    return current if contract.columns == current.columns else replace(contract, version=current.version + 1)


def is_outdated(contract: Contract, settings: GroupSettings) -> bool:
    """Whether the settings ask for a contract that is newer than this one."""
    return contract.version < (settings.contract or 0)


def overlaid(contract: Contract, stated: Mapping[str, ColumnSettings]) -> Contract:
    """Return the contract as it was learned, with what is stated in its place."""
    learned = _learned(contract)
    names = {column.name for column in learned}
    columns = tuple(
        _overlaid(column, stated[column.name]) if column.name in stated else column for column in learned
    )
    new = tuple(_stated_alone(name, column) for name, column in stated.items() if name not in names)
    return replace(contract, columns=(*columns, *new), learned=learned if (*columns, *new) != learned else ())


def _learned(contract: Contract) -> tuple[ColumnContract, ...]:
    return contract.learned or contract.columns


def _stated_alone(name: str, stated: ColumnSettings) -> ColumnContract:
    """Return the entry of a column that no file has taught: nothing is expected but what is stated."""
    return _overlaid(ColumnContract(name, "empty", "feature", missing_share=1.0), stated)


def _overlaid(column: ColumnContract, stated: ColumnSettings) -> ColumnContract:
    kind = stated.kind or (column.kind if column.kind != "empty" else stated.implied_kind or "empty")
    is_number, was_number = kind in ("integer", "number"), column.kind in ("integer", "number")
    minimum = stated.minimum if stated.minimum is not None else column.minimum
    maximum = stated.maximum if stated.maximum is not None else column.maximum
    levels = stated.levels or (None if stated.open_levels else column.levels)
    keys = {name for name, value in stated.to_dict().items() if value is not None}
    return replace(
        column,
        kind=kind,
        minimum=minimum if is_number else None,
        maximum=maximum if is_number else None,
        levels=levels if kind == "category" and not (was_number and stated.levels is None) else None,
        missing_share=column.missing_share if stated.missing_share is None else stated.missing_share,
        is_required=column.is_required if stated.required is None else stated.required,
        stated=tuple(sorted(keys)),
        date_format=(stated.dateformat or column.date_format) if kind == "date" else None,
        decimal=column.decimal if is_number else None,
        thousands=column.thousands if is_number else None,
        unit=column.unit if is_number else None,
        signs=column.signs and is_number,
        missing=stated.missing or column.missing,
    )

"""A contract as text for people."""

from __future__ import annotations

from mlops.dataset.privacy import shown
from mlops.models.dataset import ColumnContract, Contract

_MAX_LEVELS = 8


def render_contract(contract: Contract, *, group: str) -> str:
    """Return the contract, one line per column, with `*` at what `model.toml` states."""
    origin = f", learned from {contract.learned_from[:12]}" if contract.learned_from else ""
    lines = [f"{group}: contract {contract.version}{origin}, target {shown(contract.target or 'unknown')}"]
    width = max((len(shown(name)) for name in contract.names), default=0)
    lines += [f"  {_line(column, width)}" for column in contract.columns]
    if any(column.stated for column in contract.columns):
        lines.append("* stated in model.toml")
    return "\n".join(lines)


def _line(column: ColumnContract, width: int) -> str:
    star = dict.fromkeys(column.stated, "*")
    message = [f"{column.kind}{star.get('kind', '')}"]
    if column.role != "feature":
        message.append(column.role)
    if column.minimum is not None or column.maximum is not None:
        low = "" if column.minimum is None else f"{column.minimum:g}{star.get('minimum', '')}"
        high = "" if column.maximum is None else f"{column.maximum:g}{star.get('maximum', '')}"
        message.append(f"{low} to {high}".strip())
    if column.levels is not None:
        message.append(f"{_levels(column.levels)}{star.get('levels', '')}")
    elif "open_levels" in star:
        message.append("any category*")
    if column.missing_share or "missing_share" in star:
        message.append(f"{column.missing_share:.1%} missing{star.get('missing_share', '')}")
    if not column.is_required:
        message.append("may be absent*")
    return f"{shown(column.name):<{width}}  {', '.join(message)}"


def _levels(levels: tuple[str, ...]) -> str:
    more = f" and {len(levels) - _MAX_LEVELS} more" if len(levels) > _MAX_LEVELS else ""
    return " | ".join(shown(level, 20) for level in levels[:_MAX_LEVELS]) + more

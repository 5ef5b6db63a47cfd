"""What the rollback page shows: both versions side by side with a form, or what became of the offer."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mlops.models.approval import RollbackOffer
from mlops.models.registry import ModelMetadata
from mlops.pages.rendering import render
from mlops.registry.comparison.comparison import compare


def render_offer(
    offer: RollbackOffer,
    approver: str,
    *,
    champion: ModelMetadata,
    previous: ModelMetadata,
    nonce: str,
    problem: str = "",
    filled_in: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return the page that asks whether the previous champion is to be put back.

    `problem` says what was wrong with the form that came in, of which `filled_in` are the fields.
    """
    form = {
        "nonce": nonce,
        "approver": approver,
        "problem": problem,
        "filled_in": filled_in,
        "versions": (
            (f"In service: {champion.version}", _describe(champion)),
            (f"Before: {previous.version}", _describe(previous)),
        ),
        "scores": compare(previous, champion).metrics,
    }
    return render("rollback", offer=offer, form=form, is_late=False)


def render_offer_outcome(offer: RollbackOffer, *, is_late: bool = False) -> str:
    """Return the page of an offer that was taken up; `is_late` says that this answer did not count."""
    return render("rollback", offer=offer, form=None, is_late=is_late)


def _describe(model: ModelMetadata) -> str:
    rows = f", {model.data.n_rows:,} rows" if model.data.n_rows is not None else ""
    reason = f" “{model.status_reason}”" if model.status_reason else ""
    changed = f"{model.status_changed_at:%d %b %Y, %H:%M} UTC" if model.status_changed_at else "?"
    return (
        f"{model.algorithm}, data {model.dataset_version[:12]}{rows}. {model.status.value} since {changed} "
        f"by {model.status_changed_by}.{reason}"
    )

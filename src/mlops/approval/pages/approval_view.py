"""What the approval page shows: the question with its form, or how it was answered."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence

from mlops.approval.attachments import Plot
from mlops.approval.evidence import (
    describe_changes,
    describe_cost,
    describe_task,
    describe_uploader,
    describe_ways,
    describe_worst_slices,
    settings_title,
)
from mlops.approval.quorum import (
    approvals_missing,
    approvals_of,
    describe_progress,
    is_uploader,
    recorded_by,
)
from mlops.models.approval import ApprovalRequest, Evidence
from mlops.models.metrics import metric_definition
from mlops.pages.rendering import render

_CAPTIONS = {
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "confusion": "Confusion matrix",
    "importance": "What the model looks at",
}


def render_request(
    request: ApprovalRequest,
    approver: str,
    *,
    nonce: str,
    problem: str = "",
    reason: str = "",
    plots: Sequence[Plot] = (),
    card: str = "",
) -> str:
    """Return the page that asks: the evidence, and a form on which nothing is selected.

    `problem` says what was wrong with the form that came in, and `reason` is kept from it.
    """
    form = {
        "nonce": nonce,
        "approver": approver,
        "problem": problem,
        "reason": reason,
        "conditions": tuple(_conditions(request, approver)),
        "ways": tuple(describe_ways(request.version, request.evidence.champion_version)),
    }
    return _render(request, plots, card, form=form)


def render_outcome(
    request: ApprovalRequest, *, is_late: bool = False, plots: Sequence[Plot] = (), card: str = ""
) -> str:
    """Return the page of a request that is decided, or that this approver has answered.

    `is_late` says that this answer did not count.
    """
    return _render(request, plots, card, is_late=is_late)


def _render(
    request: ApprovalRequest,
    plots: Sequence[Plot],
    card: str,
    *,
    form: Mapping[str, object] | None = None,
    is_late: bool = False,
) -> str:
    evidence = request.evidence
    return render(
        "approval",
        request=request,
        form=form,
        is_late=is_late,
        progress=describe_progress(request),
        approvals=[(recorded_by(answer), answer) for answer in approvals_of(request)],
        limits=_limits(evidence),
        settings_title=settings_title(evidence),
        changes=tuple(describe_changes(evidence)),
        slices=tuple(describe_worst_slices(evidence)),
        plots=[(_caption(plot.name), base64.b64encode(plot.svg).decode()) for plot in plots],
        origin=tuple(_origin(evidence)),
        card=card,
    )


def _conditions(request: ApprovalRequest, approver: str) -> Iterator[str]:
    """Say what it takes, beside this approver's yes, until the model is approved."""
    missing = approvals_missing(request)
    if missing > 1:
        yield f"{missing} approvals are still needed."
    if is_uploader(approver, request.evidence.uploader):
        yield (
            "The metadata of the upload say that you dropped the file, so your yes counts only together with "
            "another's."
        )
    elif request.evidence.uploader is not None:
        yield f"{request.evidence.uploader}, who dropped the file by its metadata, does not approve alone."


def _limits(evidence: Evidence) -> dict[str | None, float]:
    """Return, by unit, the value at the ends of the drawings of differences: they compare within a unit."""
    limits: dict[str | None, float] = {}
    for score in evidence.scores:
        unit = metric_definition(score.name).unit
        ends = (*(score.difference_interval or ()), score.difference or 0.0)
        limits[unit] = max(limits.get(unit, 1e-12), *map(abs, ends))
    return limits


def _caption(plot: str) -> str:
    return _CAPTIONS.get(plot, plot.replace("_", " ").capitalize())


def _origin(evidence: Evidence) -> Iterator[tuple[str, str]]:
    rows = "one file" if evidence.n_rows is None else f"{evidence.n_rows:,} rows"
    hyperparameters = ", ".join(f"{name} = {value}" for name, value in evidence.hyperparameters.items())
    yield "Predicts", describe_task(evidence)
    yield "Algorithm", evidence.algorithm + (f": {hyperparameters}" if hyperparameters else "")
    yield "Trained on", f"{rows}, {evidence.n_features} columns, data {evidence.dataset_version[:12]}"
    yield "Dropped by", describe_uploader(evidence)
    yield "Training cost", describe_cost(evidence) or "not known"

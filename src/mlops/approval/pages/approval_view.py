"""What the approval page shows: the question with its form, or how it was answered."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

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
from mlops.approval.recommendation import recommend
from mlops.links.link import LIFETIMES, Purpose
from mlops.models.approval import ApprovalRequest, Evidence
from mlops.pages.number_format import counted, listing
from mlops.pages.rendering import render

_CAPTIONS = {
    "roc": "ROC curve",
    "precision_recall": "Precision and recall",
    "confusion": "Confusion matrix",
    "predicted": "True against predicted",
}
_SAID_IN_WORDS = frozenset({"importance", "slices", "drift"})  # the page has the numbers themselves


def render_request(
    request: ApprovalRequest,
    approver: str,
    *,
    nonce: str,
    problem: str = "",
    filled_in: Mapping[str, str] = MappingProxyType({}),
    plots: Sequence[Plot] = (),
    card: str = "",
    shadow: Sequence[str] = (),
) -> str:
    """Return the page that asks: the evidence, and a form on which nothing is selected.

    `problem` says what was wrong with the form that came in, of which `filled_in` are the fields.
    """
    form = {
        "nonce": nonce,
        "approver": approver,
        "problem": problem,
        "filled_in": filled_in,
        "conditions": tuple(_conditions(request, approver)),
        "ways": tuple(describe_ways(request.version, request.evidence.champion_version)),
    }
    return _render(request, plots, card, shadow, form=form)


def render_outcome(
    request: ApprovalRequest,
    *,
    is_late: bool = False,
    plots: Sequence[Plot] = (),
    card: str = "",
    shadow: Sequence[str] = (),
) -> str:
    """Return the page of a request that is decided, or that this approver has answered.

    `is_late` says that this answer did not count.
    """
    return _render(request, plots, card, shadow, is_late=is_late)


def _render(
    request: ApprovalRequest,
    plots: Sequence[Plot],
    card: str,
    shadow: Sequence[str],
    *,
    form: Mapping[str, object] | None = None,
    is_late: bool = False,
) -> str:
    evidence = request.evidence
    data_summary, *changes = describe_changes(evidence) or ("",)
    return render(
        "approval",
        request=request,
        form=form,
        is_late=is_late,
        consequences=tuple(_consequences(request)),
        progress=describe_progress(request),
        approvals=[(recorded_by(answer), answer) for answer in approvals_of(request)],
        recommendation=recommend(evidence),
        other_scores=[score for score in evidence.scores if score.name != evidence.primary],
        settings_title=settings_title(evidence),
        changed_settings=_changed_settings(evidence),
        data_summary=data_summary,
        changes=changes,
        slices=tuple(describe_worst_slices(evidence)),
        plots=[
            (_caption(plot.name), base64.b64encode(plot.svg).decode())
            for plot in plots
            if plot.name not in _SAID_IN_WORDS
        ],
        origin=tuple(_origin(evidence)),
        card=card,
        shadow=tuple(shadow),
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


def _consequences(request: ApprovalRequest) -> Iterator[str]:
    """Say what follows from a decision, and the way back."""
    champion, version = request.evidence.champion_version, request.version
    match request.decision.decision if request.decision else None:
        case "approved":
            yield f"{version} goes into service within minutes, for the next scoring file; an email says so."
            if champion:
                days = LIFETIMES[Purpose.ROLLBACK].days
                yield f"That email has your personal link to put {champion} back, for {days} days."
                yield f"At any time: mlops rollback {request.group} --reason TEXT"
        case "rejected":
            yield f"{champion} stays in service." if champion else "No model is in service."
            yield f"{version} is closed permanently. Correct the data or model.toml, and drop them again."
        case "superseded":
            yield "A newer candidate has a request of its own, with a link in its email."


def _changed_settings(evidence: Evidence) -> str:
    """Say in one line which settings differ; the page has their values further down."""
    keys = [change.key for change in evidence.settings_changes]
    than = f"those of {evidence.champion_version}" if evidence.champion_version else "the defaults"
    if not keys:
        return f"The same as {than}."
    return f"{counted(len(keys), 'setting')} other than {than}: {listing(keys)}."


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

"""What the approval page says of a candidate that scored the champion's files in shadow."""

from __future__ import annotations

from collections.abc import Iterator

from mlops.ledger.shadow.archive import ShadowArchive
from mlops.models.approval import ApprovalRequest
from mlops.models.scoring.shadow import ShadowAgreement, ShadowPart, ShadowQuality
from mlops.pages.number_format import counted, number, percent, rows

MIN_ROWS_OF_A_PART = 20
_MAX_PARTS = 5
_MAX_CHANGES = 3
_MAX_REASONS = 3


def describe_shadow(request: ApprovalRequest, archive: ShadowArchive) -> tuple[str, ...]:
    """Say how the candidate agrees with the champion, and how good both are; nothing without a batch."""
    champion = request.evidence.champion_version
    agreement = archive.agreement(request.group, request.version, champion) if champion else None
    if champion is None or agreement is None:
        return ()
    quality = archive.quality(request.group, request.version)
    if quality is not None and quality.champion_version != champion:
        quality = None
    return tuple(_sentences(request.version, champion, agreement, quality))


def _sentences(
    version: str, champion: str, agreement: ShadowAgreement, quality: ShadowQuality | None
) -> Iterator[str]:
    total = agreement.total
    if total.n_rows:
        scored = f"{rows(total.n_rows)} of {counted(agreement.n_batches, 'file')}"
        yield f"{_agreement(total, agreement)} on {scored} that {champion} has scored since the request."
        yield from _changes(agreement, champion, version)
        yield from _parts(agreement)
    yield from _one_sided(agreement, champion, version)
    yield from _quality(quality)
    for reason, n_batches in list(agreement.skipped.items())[:_MAX_REASONS]:
        yield f"{counted(n_batches, 'file')} not scored by {version}: {reason}"


def _agreement(total: ShadowPart, agreement: ShadowAgreement) -> str:
    if agreement.is_number:
        return f"Mean absolute difference of the predictions {number(total.mean_difference)}"
    return f"The same prediction for {percent(1 - total.differing_share, decimals=1)}"


def _changes(agreement: ShadowAgreement, champion: str, version: str) -> Iterator[str]:
    changes = sorted(agreement.changes.items(), key=lambda entry: (-entry[1], entry[0]))[:_MAX_CHANGES]
    if changes:
        listed = ", ".join(f"{change} ({rows(n)})" for change, n in changes)
        yield f"Most frequent differences, {champion} -> {version}: {listed}."


def _parts(agreement: ShadowAgreement) -> Iterator[str]:
    """Say where the two differ most; parts that differ no more than all rows are left out."""

    def size(part: ShadowPart) -> float:
        return part.mean_difference if agreement.is_number else part.differing_share

    large = {name: part for name, part in agreement.parts.items() if part.n_rows >= MIN_ROWS_OF_A_PART}
    differing = sorted(large.items(), key=lambda entry: (-size(entry[1]), entry[0]))
    for name, part in differing[:_MAX_PARTS]:
        if size(part) > size(agreement.total):
            by = (
                f"mean difference {number(part.mean_difference)}"
                if agreement.is_number
                else f"{percent(part.differing_share, decimals=1)} differ"
            )
            yield f"Differs more where {name}: {by}, of {rows(part.n_rows)}."


def _one_sided(agreement: ShadowAgreement, champion: str, version: str) -> Iterator[str]:
    for n_rows, can, cannot in (
        (agreement.n_only_champion, champion, version),
        (agreement.n_only_candidate, version, champion),
    ):
        if n_rows:
            yield f"{rows(n_rows)} scored by {can} and not by {cannot}."


def _quality(quality: ShadowQuality | None) -> Iterator[str]:
    if quality is None:
        yield "No outcome of these rows is known yet."
        return
    on = f"on {rows(quality.n_labels)} with a label"
    ours, theirs = (
        (number(quality.champion), number(quality.candidate))
        if quality.is_number
        else (percent(quality.champion, decimals=1), percent(quality.candidate, decimals=1))
    )
    name = "Mean absolute error (lower is better)" if quality.is_number else "Right predictions"
    yield f"{name} {on}: {quality.version} {theirs}, {quality.champion_version} {ours}."

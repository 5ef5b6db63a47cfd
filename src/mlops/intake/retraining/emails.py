"""Emails about retrainings: proposed, started without a question, not possible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from mlops.approval.emails import part, text, wrap
from mlops.links.link import LIFETIMES, Purpose
from mlops.models.intake.retraining import Retraining
from mlops.pages.number_format import rows


def compose_proposal(retraining: Retraining, link: str, not_before: date) -> tuple[str, str]:
    """Return subject and body of the email that asks whether a group should be trained again."""
    group, champion = retraining.group, retraining.champion
    expires_at = retraining.created_at + LIFETIMES[Purpose.RETRAINING]
    lines = [
        *wrap(f"{group} may need to be trained again. Its model in service is {champion}."),
        *_facts(retraining),
        *part(
            "What happens when you start it",
            (
                "The rows are counted again, so that newer outcomes are used.",
                f"The result is compared with {champion}, and needs an approval as always.",
                retraining.cost,
            ),
        ),
        *part(
            "If nothing is done",
            (f"{champion} stays in service as it is. This is not proposed again before {not_before}.",),
        ),
        *(["", *wrap(retraining.note)] if retraining.note else []),
        "",
        "Start the retraining here, or with `mlops retrain`:",
        "",
        link,
        "",
        *wrap(f"The link works until {expires_at:%d %b %Y, %H:%M} UTC. Opening it starts nothing."),
    ]
    return f"[{group}] Train again?", text(lines)


def compose_start(retraining: Retraining) -> tuple[str, str]:
    """Return subject and body of the email about a retraining that started without a question."""
    lines = [
        *wrap(f"{retraining.group} is trained again: model.toml and the policy allow it without a question."),
        *_facts(retraining),
        "",
        *wrap(retraining.cost),
        *wrap(
            f"The result is compared with {retraining.champion}, and needs an approval where the policy of "
            "the group requires one. It comes by email."
        ),
        "",
        *wrap(f"To decide each time: mlops policy set {retraining.group} --retraining propose --reason TEXT"),
    ]
    return f"[{retraining.group}] Retraining was started", text(lines)


def compose_refusal(retraining: Retraining) -> tuple[str, str]:
    """Return subject and body of the email about a retraining that is not possible."""
    group = retraining.group
    lines = [
        *wrap(f"The retraining of {group} that {retraining.requested_by} requested was not started:"),
        "",
        *wrap(retraining.problem),
        *part("Left out", retraining.left_out),
        "",
        *wrap(
            f"{retraining.champion} stays in service. Drop a new training file, or correct model.toml and "
            f"use `mlops retrain {group}`; with --dry-run it shows the rows and starts nothing."
        ),
    ]
    return f"[{group}] Retraining was not started", text(lines)


def _facts(retraining: Retraining) -> Iterator[str]:
    yield from part("Why", retraining.reasons)
    if retraining.n_new_rows is not None:
        yield from part(
            "What it is trained on",
            (
                f"{rows(retraining.files_rows or 0)} of accepted files",
                f"{rows(retraining.ledger_rows or 0)} that were scored and whose outcome is known",
                f"{rows(retraining.n_new_rows)} of them are new to {retraining.champion}",
            ),
        )
        yield from part("Left out", retraining.left_out)

"""The mail about a new champion: to each approver with a personal way back, or to everybody without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mlops.approval.emails import link_lines, part, text, wrap
from mlops.approval.mailer import Mailer
from mlops.approval.rollbacks import RollbackService
from mlops.models.approval import RollbackOffer
from mlops.models.record import Record


@dataclass(frozen=True, slots=True)
class NewChampion(Record):
    """A version that has just gone into service; `summary` is one line about it."""

    group: str
    version: str
    decided_by: str
    summary: str = ""
    previous_champion: str | None = None


def mail_promotion(news: NewChampion, service: RollbackService, mailer: Mailer) -> int:
    """Tell that a version is in service, and return how many personal links went out.

    When there is a version to go back to, every confirmed approver gets a mail with a link to the rollback
    page; otherwise one mail without a link goes to whoever follows the notifications.
    """
    approvers = mailer.approvers() if news.previous_champion else []
    if news.previous_champion is None or not approvers:
        service.notifier.send_email(_subject(news), text(_news(news)), group=news.group)
        return 0
    opened = service.offer(news.group, news.version, news.previous_champion, approvers)

    def compose(offer: RollbackOffer, _: str, link: str) -> tuple[str, str]:
        return _subject(news), text((*_news(news), *_way_back(offer, link)))

    return mailer.send(opened.offer, opened.offer_id, approvers, compose, now=service.now())


def _subject(news: NewChampion) -> str:
    return f"{news.group} {news.version} is in service"


def _news(news: NewChampion) -> Iterator[str]:
    instead = f" in place of {news.previous_champion}" if news.previous_champion else ""
    yield from wrap(f"{news.group} {news.version} is now the model in service{instead}.")
    yield from wrap(news.summary)
    yield ""
    yield from wrap(f"Approved by: {news.decided_by}")
    yield ""
    yield from wrap(f"Drop scoring files into {news.group}/inference/ to get predictions.")


def _way_back(offer: RollbackOffer, link: str) -> Iterator[str]:
    sentences = (
        f"{offer.previous} answers scoring files again, from the next file on.",
        f"{offer.version} is archived; predictions that it made stay where they are.",
    )
    yield ""
    yield from wrap(f"Is something wrong with it? Put {offer.previous} back here:")
    yield from link_lines(link, f"{offer.expires_at:%d %b %Y, %H:%M}")
    yield from part("What a rollback does", sentences)

"""Rollback: the previous champion is back, people are notified, and a second call goes no further back."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mlops.infrastructure.event_names import CHAMPION_CHANGED
from mlops.models.errors import ArtifactError, RegistryError, TransitionNotAllowedError
from mlops.models.registry import Status
from mlops.models.training import EvaluationMetrics
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.rollback import roll_back

GROUP = "adherence"


@dataclass
class RecordingNotifier:
    """A notifier that records; it fails once in the call named `failing`."""

    emails: list = field(default_factory=list)
    events: list = field(default_factory=list)
    counted: list = field(default_factory=list)
    failing: str = ""

    def send_email(self, subject, body, *, group):
        self._fail_once("mail")
        self.emails.append((subject, body))

    def publish_event(self, detail_type, detail):
        self._fail_once("event")
        self.events.append((detail_type, dict(detail)))

    def publish_metrics(self, metrics, *, group):
        self._fail_once("metrics")
        self.counted += [(metric.name, metric.value, group) for metric in metrics]

    def _fail_once(self, what):
        if self.failing == what:
            self.failing = ""
            raise ConnectionError(what)


@pytest.fixture
def registry(tmp_path):
    """Three versions that were champions one after the other; each has a file of its own."""
    registry = ModelRegistry(root=tmp_path / "registry", actor="ada")
    for number in range(3):
        artifact = tmp_path / f"model-{number}"
        artifact.write_text(f"model {number}")
        model = registry.register_model(GROUP, artifact, EvaluationMetrics(), {}, f"d{number}", "Ridge")
        registry.approve_model(GROUP, model.version)
        registry.promote_model(GROUP, model.version)
    return registry


def test_the_previous_champion_is_back_and_everybody_hears_why(registry):
    sent = RecordingNotifier()
    promotion = roll_back(GROUP, registry=registry, notifier=sent, reason="wrong unit ", by="arn:ada")
    assert (promotion.model.version, promotion.previous_champion) == ("v1.0.1", "v1.0.2")
    assert registry.champion(GROUP).version == "v1.0.1"
    assert registry.get_model(GROUP, "v1.0.2").status is Status.ARCHIVED
    entry = registry.audit(GROUP)[-1]
    assert (entry.action, entry.by, entry.reason) == ("roll back to", "arn:ada", "wrong unit")
    ((name, detail),) = sent.events
    assert name == CHAMPION_CHANGED
    assert (detail["version"], detail["previous_champion"], detail["reason"]) == (
        "v1.0.1",
        "v1.0.2",
        "wrong unit",
    )
    assert sent.counted == [("ChampionsRolledBack", 1, GROUP)]
    ((subject, body),) = sent.emails
    assert subject == "Rolled back: adherence v1.0.1 is in service again"
    assert "instead of v1.0.2 by arn:ada" in body
    assert "wrong unit" in body


@pytest.mark.parametrize("failing", ["event", "mail", "metrics"])
def test_a_repeated_rollback_goes_no_further_back_and_says_what_was_not_said(registry, failing):
    sent = RecordingNotifier(failing=failing)
    with pytest.raises(ConnectionError):
        roll_back(GROUP, registry=registry, notifier=sent, reason="r", by="ada", only_from="v1.0.2")
    again = roll_back(GROUP, registry=registry, notifier=sent, reason="r", by="ada", only_from="v1.0.2")
    assert (again.model.version, again.previous_champion, again.is_new) == ("v1.0.1", "v1.0.2", False)
    assert sent.emails
    assert sent.events
    assert sent.counted
    assert [entry.action for entry in registry.audit(GROUP)].count("roll back to") == 1


def test_without_a_champion_named_each_rollback_goes_one_further_back(registry):
    for expected in ("v1.0.1", "v1.0.0"):
        promotion = roll_back(GROUP, registry=registry, notifier=RecordingNotifier(), reason="r", by="ada")
        assert promotion.model.version == expected
    with pytest.raises(RegistryError, match=r"v1\.0\.0 is the first champion"):
        roll_back(GROUP, registry=registry, notifier=RecordingNotifier(), reason="r", by="ada")


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"reason": "\u200b"}, RegistryError, "a reason is needed"),
        ({"reason": "  "}, RegistryError, "a reason is needed"),
        ({"only_from": "v1.0.1"}, TransitionNotAllowedError, r"v1\.0\.2 is the champion"),
        ({"only_from": "v7.0.0"}, RegistryError, "never the champion"),
        ({"to": "v9.0.0"}, RegistryError, "no version"),
    ],
)
def test_what_cannot_be_rolled_back_is_refused_in_silence(registry, more, error, message):
    sent = RecordingNotifier()
    with pytest.raises(error, match=message):
        roll_back(GROUP, **{"registry": registry, "notifier": sent, "reason": "r", "by": "ada"} | more)
    assert (sent.emails, sent.events, sent.counted) == ([], [], [])
    assert registry.champion(GROUP).version == "v1.0.2"


@pytest.mark.parametrize("harm", ["changed", "deleted"])
def test_a_model_whose_bytes_are_not_those_that_were_approved_stays_out(registry, tmp_path, harm):
    artifact = tmp_path / "model-1"
    if harm == "deleted":
        artifact.unlink()
    else:
        artifact.write_text("model !")
    with pytest.raises(ArtifactError):
        roll_back(GROUP, registry=registry, notifier=RecordingNotifier(), reason="r", by="ada")
    assert registry.champion(GROUP).version == "v1.0.2"

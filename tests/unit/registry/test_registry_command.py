"""The commands over the registry, as a person types them, on plain files."""

from __future__ import annotations

import csv
import getpass
import io
import json
from datetime import timedelta

import pytest

from mlops.cli.main import main
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.sqlite_table import SqliteTable
from mlops.infrastructure.table import Put
from mlops.models.registry import AuditEntry, Candidate, DataFindings, DatasetChanges, TrainingJob
from mlops.models.training import ChampionComparison, EvaluationMetrics, MetricComparison
from mlops.registry.audit import replay
from mlops.registry.model_registry import ModelRegistry

GROUP = "adherence"


def a_metric(value: float) -> EvaluationMetrics:
    return EvaluationMetrics(
        roc_auc=value, primary="roc_auc", intervals={"roc_auc": (value - 0.05, value + 0.05)}
    )


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """Two versions; the second was compared with the first on the same rows."""
    monkeypatch.delenv("MLOPS_STACK", raising=False)
    registry = ModelRegistry(root=tmp_path / "model-registry", actor="ada")
    artifact = tmp_path / "model.bin"
    artifact.write_text("model")
    plain = registry.register_model(GROUP, artifact, a_metric(0.7), {"depth": 3}, "d1", "RandomForest")
    paired = ChampionComparison(
        plain.version, True, None, 200, {"roc_auc": MetricComparison(0.75, 0.68, 0.07, (0.01, 0.13))}
    )
    registry.register(
        GROUP,
        Candidate(
            "RandomForest",
            {"depth": 9},
            a_metric(0.75),
            "d2",
            plain.artifact,
            comparison=paired,
            feature_importance={"age": 0.2, "visits": 0.1},
            data=DataFindings(
                "warn", 900, changes=DatasetChanges(plain.version, "d1", 600, 900, sentences=("rows: +300",))
            ),
            training_job=TrainingJob("job-2", "arn:job-2", "image:1"),
        ),
    )
    return registry


@pytest.fixture
def mlops(registry, tmp_path, capsys):
    """Type a command; returns what it prints, or the sentence with which it is refused."""

    def type_in(*words: str, refused: bool = False) -> str:
        code = main([*words, "--root", str(tmp_path)])
        printed = capsys.readouterr()
        assert (code, bool(printed.err)) == ((2, True) if refused else (0, False)), printed
        if refused:
            assert printed.err.startswith("mlops: ")
            assert printed.err.count("\n") == 1
        return printed.err if refused else printed.out

    return type_in


def serve_both(mlops) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        mlops("approve", GROUP, version, "--reason", "good")
        mlops("promote", GROUP, version, "--reason", "go")


def test_groups_and_versions_are_listed(mlops):
    assert mlops("groups").splitlines() == ["group      versions  champion", "adherence  2         none yet"]
    assert json.loads(mlops("groups", "--json")) == [GROUP]
    header, *rows = (line.split(maxsplit=5) for line in mlops("versions", GROUP).splitlines())
    assert header == ["version", "status", "created", "algorithm", "score"]
    assert [(row[0], row[1], row[4], row[5]) for row in rows] == [
        ("v1.0.0", "Registered", "RandomForest", "ROC AUC 0.7000"),
        ("v1.1.0", "Registered", "RandomForest", "ROC AUC 0.7500"),
    ]
    assert [m["version"] for m in json.loads(mlops("versions", GROUP, "--json"))] == ["v1.0.0", "v1.1.0"]


def test_a_version_is_shown_with_its_scores_lineage_and_history(mlops):
    serve_both(mlops)
    message = mlops("show", GROUP, "v1.1.0")
    assert message.startswith("adherence v1.1.0: Champion\n")
    for part in (
        "ROC AUC  0.7500  (0.7000 to 0.8000)",
        "dataset       d2",
        "training job  job-2",
        f"approved by   {getpass.getuser()}",
        "promote -> Champion by",
    ):
        assert part in message
    document = json.loads(mlops("show", GROUP, "--json"))
    assert document["version"] == "v1.1.0"
    assert [entry["action"] for entry in document["history"]] == ["register", "approve", "promote"]


def test_the_newest_is_compared_with_the_champion_when_nothing_is_said(mlops, tmp_path):
    mlops("approve", GROUP, "v1.0.0", "--reason", "good")
    mlops("promote", GROUP, "v1.0.0", "--reason", "go")
    message = mlops("compare", GROUP, "--html", str(tmp_path / "out.html"))
    assert message.startswith("adherence: v1.0.0 (Champion) -> v1.1.0 (Registered)")
    for part in (
        "ROC AUC  0.6800  0.7500 (0.7000 to 0.8000)  +0.0700     +0.0100 to +0.1300",
        "same 200 rows",
        "rows     -       900",
        "rows: +300",
        "depth  3       9",
        "age     -       0.2000",
    ):
        assert part in message
    page = (tmp_path / "out.html").read_text()
    for part in ("+0.0100 to +0.1300", "rows: +300", ">depth</th>", "Champion"):
        assert part in page
    assert "<script" not in page
    assert json.loads(mlops("compare", GROUP, "--json"))["metrics"]["roc_auc"]["difference"] == 0.07


def test_scores_on_rows_of_their_own_are_not_called_a_difference_without_saying_so(mlops):
    message = mlops("compare", GROUP, "v1.1.0", "v1.0.0")
    assert "0.7500 (0.7000 to 0.8000)  0.7000 (0.6500 to 0.7500)  -0.0500     not paired" in message
    assert "the differences do not prove anything" in message


def test_decisions_stand_in_the_audit_with_who_and_why(mlops):
    assert "v1.1.0  Registered  ROC AUC 0.7500" in mlops("pending")
    serve_both(mlops)
    assert mlops("pending") == "No version waits for a decision.\n"
    message = mlops("rollback", GROUP, "--reason", "alarm", "--from", "v1.1.0")
    assert message == "v1.0.0 is in service again; it replaces v1.1.0.\n"
    assert mlops("rollback", GROUP, "--reason", "alarm", "--from", "v1.1.0") == message
    assert "first champion" in mlops("rollback", GROUP, "--reason", "more", refused=True)
    last = json.loads(mlops("audit", GROUP, "--json"))[-1]
    assert (last["action"], last["by"], last["reason"]) == ("roll back to", getpass.getuser(), "alarm")


def test_the_audit_is_exported_as_json_lines_that_replay(mlops, registry, tmp_path):
    serve_both(mlops)
    mlops("tag", GROUP, "v1.1.0", "team=north")
    lines = mlops("audit", GROUP, "--format", "jsonl").splitlines()
    state = replay(AuditEntry.from_json(line) for line in lines)
    assert state.statuses == {m.version: m.status for m in registry.list_models(GROUP)}
    assert state.labels["v1.1.0"].tags == {"team": "north"}
    assert mlops("audit", GROUP, "--format", "jsonl", "--output", str(tmp_path / "log")) == ""
    assert (tmp_path / "log").read_text().splitlines() == lines


def test_the_audit_as_csv_has_a_row_per_step_and_no_formula(mlops, registry):
    serve_both(mlops)
    mlops("rollback", GROUP, "--reason", '=HYPERLINK("http://x")')
    rows = list(csv.DictReader(io.StringIO(mlops("audit", GROUP, "--format", "csv"), newline="")))
    assert [row["action"] for row in rows[-2:]] == ["roll back to", "archive"]
    assert (rows[-1]["version"], rows[-1]["status_before"], rows[-1]["status_after"]) == (
        "v1.1.0",
        "Champion",
        "Archived",
    )
    assert rows[-2]["reason"] == '\'=HYPERLINK("http://x")'
    assert rows[-2]["artifact_sha256"] == registry.champion(GROUP).artifact.sha256
    assert {row["revision"] for row in rows} == {str(n) for n in range(1, 8)}


def test_an_audit_that_does_not_lead_to_the_registry_is_refused(mlops, tmp_path):
    table = SqliteTable(tmp_path / "model-registry" / "registry.sqlite3")
    item = dict(table.get(f"GROUP#{GROUP}", "VERSION#00000001"))
    table.write(Put(item | {"document": item["document"].replace('"Registered"', '"Approved"')}))
    assert "The audit log leaves v1.0.0 Registered" in mlops("audit", GROUP, refused=True)


def test_a_snooze_is_stored_with_the_champion_and_audited(mlops, registry):
    serve_both(mlops)
    printed = mlops("snooze", GROUP, "--days", "3", "--reason", "new lab")
    until = utc_now().date() + timedelta(days=3)
    assert f"until the end of {until} (UTC), or until another version replaces v1.1.0" in printed
    assert registry.find_model(GROUP, "champion").drift_snoozed_until == until
    mlops("snooze", GROUP, "--days", "0")
    assert registry.find_model(GROUP, "champion").drift_snoozed_until is None
    entries = [(e.action, e.version, e.reason) for e in registry.check_audit(GROUP)][-2:]
    assert entries == [
        ("snooze", "v1.1.0", f"drift snoozed until {until}: new lab"),
        ("snooze", "v1.1.0", "snooze of drift ended"),
    ]


def test_the_next_champion_starts_without_a_snooze(mlops, registry):
    mlops("approve", GROUP, "v1.0.0", "--reason", "good")
    mlops("promote", GROUP, "v1.0.0", "--reason", "go")
    mlops("snooze", GROUP)
    mlops("approve", GROUP, "v1.1.0", "--reason", "good")
    mlops("promote", GROUP, "v1.1.0", "--reason", "go")
    assert registry.find_model(GROUP, "champion").drift_snoozed_until is None


def test_a_group_without_a_champion_cannot_be_snoozed(mlops):
    assert "no champion yet" in mlops("snooze", GROUP, refused=True)


def test_tags_and_notes_are_kept_and_audited(mlops):
    assert (
        mlops("tag", GROUP, "v1.0.0", "team=north", "use=pilot")
        == "v1.0.0 is tagged team=north, use=pilot.\n"
    )
    assert mlops("tag", GROUP, "v1.0.0", "use=") == "v1.0.0 is tagged team=north.\n"
    mlops("note", GROUP, "v1.0.0", "Looks different in spring.")
    assert (
        mlops("note", GROUP, "v1.0.0", "Asked the clinic.")
        == "Looks different in spring.\nAsked the clinic.\n"
    )
    assert mlops("audit", GROUP).count("annotate") == 4
    message = mlops("show", GROUP, "v1.0.0")
    assert "team  north" in message
    assert "Asked the clinic." in message


@pytest.mark.parametrize(
    "words", [("approve", GROUP, "v1.0.0"), ("promote", GROUP, "v1.0.0"), ("rollback", GROUP)]
)
def test_a_reason_says_something(mlops, capsys, words):
    for reason, message in (
        (" ", "a reason is needed"),
        ("\u200b", "a reason is needed"),
        ("x" * 1_001, "the reason is longer than 1000 characters"),
        ("fine\u202etup ton od", "the reason has control characters"),
    ):
        with pytest.raises(SystemExit, match="2"):
            mlops(*words, "--reason", reason)
        assert f"--reason: {message}" in capsys.readouterr().err


def test_a_second_decision_shows_the_first(mlops, registry):
    assert mlops("reject", GROUP, "v1.1.0", "--reason", "worse") == "v1.1.0 is rejected.\n"
    again = mlops("reject", GROUP, "v1.1.0", "--reason", "much worse")
    assert again.startswith("v1.1.0 was rejected before, by ")
    assert again.endswith(": worse.\n")
    assert registry.get_model(GROUP, "v1.1.0").status_reason == "worse"


def test_a_version_that_waits_for_its_approvers_is_left_to_them(mlops, registry):
    registry.request_approval(GROUP, "v1.0.0", "0" * 64)
    assert "decide through the link" in mlops("reject", GROUP, "v1.0.0", "--reason", "no", refused=True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("versions", "missing"), "has no version yet. Known: adherence."),
        (("audit", "missing"), "has no version yet. Known: adherence."),
        (("show", GROUP, "v9.0.0"), "has no version 'v9.0.0'"),
        (("show", GROUP, "champion"), "has no champion yet"),
        (("tag", GROUP, "v1.0.0", "team"), "NAME=VALUE"),
        (("tag", GROUP, "v1.0.0", "=x"), "cannot name a tag"),
        (("tag", GROUP, "v1.0.0", f"t={'x' * 257}"), "256 characters"),
        (("note", GROUP, "v1.0.0", " "), "The note is empty"),
        (
            ("drift", "missing", "file.csv"),
            "is not a file or a directory. The group 'missing' has no version yet. Known: adherence.",
        ),
        (("drift", GROUP), "--stack"),
        (
            ("compare", GROUP, "v1.0.0", "v1.1.0", "--html", "/nowhere/x.html"),
            "/nowhere/x.html: No such file",
        ),
    ],
)
def test_what_cannot_be_done_is_one_sentence(mlops, words, sentence):
    assert sentence in mlops(*words, refused=True)

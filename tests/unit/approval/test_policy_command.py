"""`mlops policy show` and `mlops policy set`, as a person types them: on plain files and on a stack."""

from __future__ import annotations

import getpass
import json
from types import SimpleNamespace

import pytest

from mlops.cli import command
from mlops.cli.main import main
from tests.policies import some_policies


@pytest.fixture
def mlops(monkeypatch, capsys):
    """Run the command on a stack with three approvers; return exit code, output and error."""
    monkeypatch.delenv("MLOPS_STACK", raising=False)
    policies = some_policies(automatic=True)
    context = SimpleNamespace(policies=policies, actor="arn:aws:sts::1:assumed-role/admin/grace")
    monkeypatch.setattr(command, "open_context", lambda *_: context)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(["policy", *words])
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, *capsys.readouterr()

    run.policies = policies
    return run


def test_a_group_without_a_record_shows_the_defaults(mlops):
    code, text, _ = mlops("show", "g")
    assert code == 0
    assert "Policy of g, revision 0" in text
    assert "ada@example.com, bob@example.com, eve@example.com" in text
    assert "never changed" in text


def test_set_changes_what_is_given_keeps_the_rest_and_show_says_who_and_why(mlops):
    mlops("set", "g", "--required-approvals", "2", "--reason", "four eyes")
    code, text, _ = mlops(
        "set", "g", "--approvers", "ada@example.com,bob@example.com", "--floor", "roc_auc.threshold=0.7",
        "--floor", "roc_auc.min_absolute_change=0", "--retraining", "never", "--reason", "a named pair",
    )  # fmt: skip
    assert code == 0
    assert "Requests that are open keep the rules that they were made with." in text
    record = mlops.policies.store.get("g")
    assert (record.required_approvals, record.revision, record.retraining) == (2, 2, "never")
    assert record.approvers == ("ada@example.com", "bob@example.com")
    floor = record.gate_floors["roc_auc"]
    assert (floor.threshold, floor.min_absolute_change) == (0.7, 0.0)
    _, shown, _ = mlops("show", "g")
    for words in ("roc_auc.threshold = 0.7", "four eyes", "a named pair", "assumed-role/admin/grace"):
        assert words in shown


def test_a_floor_without_a_value_and_all_approvers_take_a_change_back(mlops):
    mlops("set", "g", "--approvers", "ada@example.com", "--floor", "r2.threshold=0.5", "--reason", "a test")
    mlops("set", "g", "--approvers", "all", "--floor", "r2.threshold=", "--reason", "back")
    record = mlops.policies.store.get("g")
    assert (record.approvers, record.gate_floors) == ((), {})


def test_the_command_that_a_refusal_names_restores_automatic_approval(mlops):
    assert mlops("set", "g", "--automatic", "on", "--reason", "retrained every night")[0] == 0
    assert mlops.policies.store.get("g").automatic
    assert "where model.toml requests it" in mlops("show", "g")[1]


def test_limits_are_set_shown_and_removed_with_0(mlops):
    mlops("set", "g", "--max-trainings-per-day", "4", "--max-trials", "50", "--reason", "Costs.")
    shown = " ".join(mlops("show", "g")[1].split())
    assert "trainings per day 4 trials of a search 50" in shown
    mlops("set", "g", "--max-trainings-per-day", "0", "--reason", "Budget.")
    record = mlops.policies.store.get("g")
    assert (record.max_trainings_per_day, record.max_trials) == (0, 50)
    assert "trainings per day no limit" in " ".join(mlops("show", "g")[1].split())


def test_show_prints_json_with_stack_record_and_history(mlops):
    mlops("set", "g", "--required-approvals", "3", "--reason", "a test")
    document = json.loads(mlops("show", "g", "--json")[1])
    assert document["stack"]["allow_automatic_approval"] is True
    assert document["record"]["required_approvals"] == 3
    assert [revision["reason"] for revision in document["history"]] == ["a test"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["set", "g"], "--reason"),
        (["set", "g", "--required-approvals", "2", "--reason", "\u200b"], "a reason is needed"),
        (["set", "g", "--max-trainings-per-day", "-1", "--reason", "x"], "at least 1, or 0 for no limit"),
        (["set", "g", "--max-trials", "1", "--reason", "x"], "at least 2, or 0 for no limit"),
        (["set", "g", "--required-approvals", "9", "--reason", "x"], "g has 3 approvers"),
        (["set", "g", "--floor", "roc_auc", "--reason", "x"], "is not SCORE.FIELD=VALUE"),
        (["set", "g", "--floor", "roc_auc.threshold=high", "--reason", "x"], "'high' is not a number"),
        (["set", "g", "--floor", "roc_acu.threshold=0.7", "--reason", "x"], "Did you mean 'roc_auc'"),
        (["set", "g", "--approvers", ",", "--reason", "x"], "name addresses, separated by commas"),
        (
            ["set", "g", "--approvers", "mallory@example.com", "--reason", "x"],
            "is not an approver of the stack",
        ),
        (["set", "../g", "--automatic", "off", "--reason", "x"], "cannot name a model group"),
    ],
)
def test_a_change_that_is_not_possible_is_refused_in_a_sentence(mlops, words, sentence):
    code, _, error = mlops(*words)
    assert code == 2
    assert sentence in error
    assert mlops.policies.store.history("g") == []


def test_on_plain_files_the_user_is_the_only_approver(tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("MLOPS_STACK", raising=False)
    root = ["--root", str(tmp_path)]
    assert main(["policy", "set", "g", "--retraining", "never", "--reason", "a test", *root]) == 0
    assert main(["policy", "show", "g", *root]) == 0
    shown = capsys.readouterr().out
    assert getpass.getuser() in shown
    assert "revision 1" in shown
    assert main(["policy", "set", "g", "--required-approvals", "2", "--reason", "a test", *root]) == 2

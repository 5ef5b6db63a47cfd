"""The approval policy: what applies of stack, record and model.toml, which only makes it stricter."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops.approval.policy.changes import set_policy
from mlops.approval.policy.effective import EffectivePolicy, effective_policy, effective_retraining
from mlops.models.approval import PolicyRecord, StackPolicy
from mlops.models.errors import ApprovalError, RegistryError
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.retrain import RetrainSettings
from tests.policies import APPROVERS, some_policies

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_stack(**changes) -> StackPolicy:
    return replace(StackPolicy(APPROVERS), **changes)


def a_record(**changes) -> PolicyRecord:
    return PolicyRecord("g", **changes)


def applied(toml: str = "", *, stack: StackPolicy | None = None, **record) -> EffectivePolicy:
    return effective_policy(stack or a_stack(), a_record(**record), GroupSettings.from_toml(toml))


def test_without_a_record_one_approval_of_any_approver_is_enough():
    policy = applied()
    assert (policy.approvers, policy.required_approvals, policy.is_automatic) == (APPROVERS, 1, False)
    assert policy.problems == ()


@pytest.mark.parametrize(
    ("allowed", "permitted", "requested"), list(itertools.product([False, True], repeat=3))
)
def test_automatic_needs_the_stack_the_record_and_the_settings(allowed, permitted, requested):
    toml = f"[approval]\nautomatic = {str(requested).lower()}"
    policy = applied(toml, stack=a_stack(allows_automatic=allowed), automatic=permitted)
    assert policy.is_automatic is (allowed and permitted and requested)
    assert bool(policy.problems) is (requested and not policy.is_automatic)


@pytest.mark.parametrize(
    ("stack", "record", "words"),
    [
        (a_stack(), {}, ("AllowAutomaticApproval", "`mlops policy set g --automatic on --reason TEXT`")),
        (a_stack(allows_automatic=True), {}, ("`mlops policy set g --automatic on --reason TEXT`",)),
        (a_stack(allows_automatic=True, minimum_approvals=2), {"automatic": True}, ("MinimumApprovals",)),
    ],
)
def test_a_refused_automatic_names_what_restores_it(stack, record, words):
    (problem,) = applied("[approval]\nautomatic = true", stack=stack, **record).problems
    assert all(word in problem for word in words)
    assert "remove the line from model.toml" in problem


@pytest.mark.parametrize(
    ("minimum", "record", "settings", "required", "is_refused"),
    [
        (1, 1, 1, 1, False),
        (2, 1, 1, 2, False),  # 1 is the default of the settings, and counts as not stated
        (1, 3, 2, 3, True),
        (3, 1, 2, 3, True),
        (1, 2, 3, 3, False),
        (2, 2, 2, 2, False),
    ],
)
def test_the_most_approvals_of_all_three_are_required(minimum, record, settings, required, is_refused):
    policy = applied(
        f"[approval]\nrequired_approvals = {settings}",
        stack=a_stack(minimum_approvals=minimum),
        required_approvals=record,
    )
    assert policy.required_approvals == required
    assert bool(policy.problems) is is_refused


def test_too_few_approvals_name_their_source():
    toml = "[approval]\nrequired_approvals = 2"
    (by_stack,) = applied(toml, stack=a_stack(minimum_approvals=3)).problems
    (by_record,) = applied(toml, required_approvals=3).problems
    assert "the 3 of the parameter MinimumApprovals" in by_stack
    assert "`mlops policy set g --required-approvals`" in by_record


@pytest.mark.parametrize("required", [4, 20])
def test_more_approvals_than_approvers_are_refused(required):
    (problem,) = applied(f"[approval]\nrequired_approvals = {required}").problems
    assert problem.startswith(f"{required} approvals would be required, but g has 3 approvers.")


def test_a_record_restricts_the_approvers_whatever_the_case_of_letters():
    policy = applied(approvers=("ADA@example.com", "former@example.com"))
    assert policy.approvers == ("ada@example.com",)
    assert policy.may_approve("Ada@Example.com")
    assert not policy.may_approve("bob@example.com")


@pytest.mark.parametrize(
    ("rule", "floor", "names"),
    [
        ({"threshold": 0.5}, {"threshold": 0.7}, {"threshold"}),
        ({"threshold": 0.7}, {"threshold": 0.7}, set()),
        ({"threshold": -1.0, "min_absolute_change": -1.0}, {}, set()),
        ({"min_absolute_change": -1.0}, {"min_absolute_change": 0.0}, {"min_absolute_change"}),
        ({"min_absolute_change": -0.01}, {"min_absolute_change": -0.02}, set()),
        ({"min_relative_change": -0.5}, {"min_relative_change": -0.1}, {"min_relative_change"}),
        # a floor that permits no worse model does not permit it as a share either
        ({"min_relative_change": -0.5}, {"min_absolute_change": 0.0}, {"min_relative_change"}),
        ({"min_relative_change": -0.5}, {"min_absolute_change": -0.1}, set()),
    ],
)
def test_a_gate_rule_below_the_floor_is_refused_by_name(rule, floor, names):
    settings = replace(GroupSettings(), gate={"roc_auc": GateRule(**rule)})
    record = a_record(gate_floors={"roc_auc": GateRule(**floor)} if floor else {})
    problems = effective_policy(a_stack(), record, settings).problems
    assert len(problems) == len(names)
    assert all(f"gate.roc_auc.{name} = " in " ".join(problems) for name in names)


POLICY_VALUES = {
    "approvers": st.lists(st.sampled_from(APPROVERS), unique=True).map(tuple),
    "required_approvals": st.integers(1, 3),
    "automatic": st.booleans(),
    "gate_floors": st.dictionaries(
        st.sampled_from(["roc_auc", "accuracy"]),
        st.builds(GateRule, st.none() | st.floats(-1, 1)),
        max_size=2,
    ),
}
RULES = st.builds(
    GateRule,
    threshold=st.none() | st.floats(allow_nan=True),
    min_absolute_change=st.none() | st.floats(-2, 2),
    min_relative_change=st.none() | st.floats(-2, 2),
)


@pytest.mark.property
@given(
    record=st.fixed_dictionaries(POLICY_VALUES),
    allowed=st.booleans(),
    minimum=st.integers(1, 3),
    approvals=st.integers(1, 6),
    automatic=st.booleans(),
    gate=st.dictionaries(st.sampled_from(["roc_auc", "accuracy"]), RULES),
)
def test_no_settings_loosen_any_part_of_the_policy(record, allowed, minimum, approvals, automatic, gate):
    stack = a_stack(allows_automatic=allowed, minimum_approvals=minimum)
    base = GroupSettings()
    settings = replace(
        base,
        gate=gate,
        approval=replace(base.approval, required_approvals=approvals, automatic=automatic),
    )
    alone, policy = (effective_policy(stack, a_record(**record), s) for s in (base, settings))
    assert policy.approvers == alone.approvers
    assert policy.required_approvals >= alone.required_approvals >= minimum
    assert policy.gate_floors == alone.gate_floors == record["gate_floors"]
    assert not policy.is_automatic or (allowed and record["automatic"] and minimum == 1)


def test_a_change_is_stored_with_who_when_and_why_and_the_one_before_is_kept():
    policies = some_policies()
    first = set_policy(policies, a_record(required_approvals=2), by="grace", reason=" four eyes ", now=NOW)
    second = set_policy(policies, replace(first, required_approvals=3), by="alan", reason="six", now=NOW)
    assert policies.store.get("g") == second
    assert policies.store.history("g") == [first, second]
    assert (first.revision, first.changed_by, first.changed_at, first.reason) == (
        1,
        "grace",
        NOW,
        "four eyes",
    )
    assert policies.store.get("other") == PolicyRecord("other")


def test_of_two_changes_from_the_same_revision_the_second_is_refused():
    policies = some_policies()
    set_policy(policies, a_record(required_approvals=2), by="grace", reason="first", now=NOW)
    with pytest.raises(ApprovalError, match="was changed meanwhile; see `mlops policy show g`"):
        set_policy(policies, a_record(automatic=False), by="alan", reason="second", now=NOW)
    assert [record.reason for record in policies.store.history("g")] == ["first"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"approvers": ("mallory@example.com",)}, "mallory@example.com is not an approver of the stack"),
        ({"required_approvals": 0}, "At least 1 approval"),
        ({"required_approvals": 4}, "4 approvals would be required, but g has 3 approvers"),
        ({"approvers": APPROVERS[:1], "required_approvals": 2}, "but g has 1 approver"),
        ({"automatic": True}, "AllowAutomaticApproval of the stack is off"),
        ({"gate_floors": {"roc_acu": GateRule(0.7)}}, "There is no score 'roc_acu'. Did you mean 'roc_auc'"),
        ({"gate_floors": {"roc_auc": GateRule(float("nan"))}}, "must be a finite number"),
    ],
)
def test_a_record_that_the_stack_does_not_allow_is_refused(change, words):
    policies = some_policies()
    with pytest.raises(ApprovalError, match=words):
        set_policy(policies, a_record(**change), by="grace", reason="a test", now=NOW)
    assert policies.store.history("g") == []


@pytest.mark.parametrize(
    ("policies", "change", "words"),
    [
        (some_policies(minimum=3), {"required_approvals": 2}, "MinimumApprovals of the stack requires 3"),
        (
            some_policies(automatic=True),
            {"automatic": True, "required_approvals": 2},
            "2 approvals are required",
        ),
        (
            some_policies("ada@example.com", minimum=2),
            {},
            "2 approvals would be required, but g has 1 approver",
        ),
    ],
)
def test_a_record_is_refused_that_contradicts_the_parameters(policies, change, words):
    with pytest.raises(ApprovalError, match=words):
        set_policy(policies, a_record(**change), by="grace", reason="a test", now=NOW)


@pytest.mark.parametrize("reason", ["", "  ", "\u200b", "\u0301\u0301", "\u3164"])
def test_a_change_needs_a_reason_that_can_be_read(reason):
    with pytest.raises(ApprovalError, match="a reason is needed"):
        set_policy(some_policies(), a_record(), by="grace", reason=reason, now=NOW)


def test_a_policy_is_for_a_name_that_a_group_can_have():
    with pytest.raises(RegistryError, match="cannot name a model group"):
        set_policy(some_policies(), PolicyRecord("g#h"), by="grace", reason="a test", now=NOW)


def test_the_record_of_a_later_release_is_read():
    document = a_record(required_approvals=2).to_dict() | {"daily_trainings": 5}
    assert PolicyRecord.from_dict(document) == a_record(required_approvals=2)


@pytest.mark.parametrize("allowed", ["never", "propose", "auto"])
@pytest.mark.parametrize("stated", ["never", "propose", "auto"])
def test_a_retraining_does_the_less_of_what_record_and_settings_say(allowed: str, stated: str):
    order = ("never", "propose", "auto")
    policy, problem = effective_retraining(a_record(retraining=allowed), RetrainSettings(policy=stated))
    assert policy == min(allowed, stated, key=order.index)
    assert bool(problem) == (policy != stated)
    assert not applied(f'[retrain]\npolicy = "{stated}"\n', retraining=allowed).problems

"""The settings that differ between two versions, as approvers read them."""

from __future__ import annotations

from mlops.models.settings.differences import MAX_DIFFERENCES, SettingDifference, differing_settings
from mlops.models.settings.group import GroupSettings


def toml(text: str) -> GroupSettings:
    return GroupSettings.from_toml(text)


def test_equal_settings_have_no_difference():
    assert differing_settings(toml("seed = 3"), toml("seed = 3")) == ()


def test_every_setting_that_differs_is_there_with_both_values():
    before = toml('target = "y"\nexclude_columns = ["days"]\n[gate.roc_auc]\nthreshold = 0.7')
    after = toml('target = "y"\nseed = 1\n[gate.roc_auc]\nmin_absolute_change = -1.0')
    assert differing_settings(before, after) == (
        SettingDifference("gate.roc_auc.min_absolute_change", "not set", "-1.0"),
        SettingDifference("gate.roc_auc.threshold", "0.7", "not set"),
        SettingDifference("exclude_columns", '["days"]', "not set"),
        SettingDifference("seed", "0", "1"),
    )


def test_what_is_not_stated_of_a_table_is_no_difference():
    after = toml("[output]\nreasons = 2")
    assert differing_settings(GroupSettings(), after) == (
        SettingDifference("output.reasons", "not set", "2"),
    )


def test_gate_approval_columns_and_format_come_first():
    after = toml(
        'algorithm = "Ridge"\n[approval]\nautomatic = true\n[gate.r2]\nthreshold = 0.0\n'
        '[columns.zip]\nkind = "category"\n[format]\ndelim = ";"'
    )
    keys = [change.key.partition(".")[0] for change in differing_settings(GroupSettings(), after)]
    assert list(dict.fromkeys(keys)) == ["gate", "approval", "columns", "format", "algorithm"]


def test_many_settings_push_nothing_of_the_gate_away_and_are_counted():
    columns = "".join(f'[columns."{"a" * 300}{n}"]\nrequired = false\n' for n in range(250))
    differences = differing_settings(GroupSettings(), toml(f"{columns}[gate.roc_auc]\nthreshold = 0.0"))
    assert differences[0].key.startswith("gate.roc_auc")
    assert len(differences) == MAX_DIFFERENCES
    assert differences[-1].key.endswith("more settings")
    assert max(len(change.key) for change in differences) <= 200


def test_characters_that_hide_or_reorder_others_are_written_out():
    after = toml('target = "y\\u202Egnp"\n[columns."a\\u200Bb"]\nrequired = false')
    differences = {change.key: change.after for change in differing_settings(GroupSettings(), after)}
    assert "\\u202e" in differences["target"]
    assert "columns.a\\u200bb.required" in differences

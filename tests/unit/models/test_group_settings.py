"""What a team may say in model.toml, and how mistakes are answered."""

from __future__ import annotations

import pytest

from mlops.models.errors import SettingsError
from mlops.models.settings.gate import GateRule
from mlops.models.settings.group import GroupSettings


def test_an_empty_file_means_defaults() -> None:
    assert GroupSettings.from_toml("") == GroupSettings()


def test_every_key_of_the_contract_is_read() -> None:
    settings = GroupSettings.from_toml("""
        target = "offtrt"
        id_columns = ["patient_id"]
        time_column = "year"
        group_column = "site"
        exclude_columns = ["days"]
        algorithm = "XGBoost"
        seed = 7
        [hyperparameters]
        max_depth = 4
        [gate]
        roc_auc = 0.6
        [gate.average_precision]
        threshold = 0.4
        min_absolute_change = 0.01
        [drift]
        threshold = 0.15
        [approval]
        required_approvals = 2
    """)
    assert settings.group_columns == ("site",)
    assert settings.gate["roc_auc"] == GateRule(threshold=0.6)
    assert settings.gate["average_precision"].min_absolute_change == 0.01
    assert settings.drift.threshold == 0.15
    assert settings.approval.required_approvals == 2
    assert settings.hyperparameters == {"max_depth": 4}
    assert GroupSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('traget = "y"', "Unknown setting 'traget'. Did you mean 'target'?"),
        (
            "[drift]\nthreshhold = 1.0",
            "Unknown setting 'drift.threshhold'. Did you mean 'threshold' or 'alert_threshold'?",
        ),
        ("[gate.roc_auc]\nminimum = 1", "Unknown setting 'gate.roc_auc.minimum'"),
        ("[approval]\nrequired_approvals = 0", "from 1 to 20"),
        ("seed = 'x'", "seed must be a whole number, not 'x'"),
        ("seed = true", "seed must be a whole number"),
        ("task = 'clustering'", "task must be binary, multiclass or regression"),
        ("id_columns = 3", "id_columns must be a column name or a list"),
        ("test_fraction = 1.5", "from 0.001 to 0.9"),
        ("target = ", "model.toml is not valid TOML"),
        ("gate = 3", "gate must be a table"),
        ("[gate.roc_auc]\nhigher_is_better = false", "higher_is_better = false is against the direction"),
        ("[gate.neg_log_loss]\nhigher_is_better = false", "Remove the line from [gate.neg_log_loss]"),
        ("[gate.roc_auc]\nmax_age_days = 0", "gate.roc_auc.max_age_days must be above 0"),
        ("[gate.roc_auc]\nage_margin = -0.1", "gate.roc_auc.age_margin must be at least 0"),
        ("drift = 'high'", "drift must be a table"),
        ("[drift]\nthreshold = 'high'", "drift.threshold"),
    ],
)
def test_a_mistake_is_answered_in_one_sentence_that_helps(text: str, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        GroupSettings.from_toml(text)
    assert message in str(caught.value)


def test_a_flat_config_puts_what_is_no_setting_into_the_hyperparameters() -> None:
    settings = GroupSettings.from_config({"algorithm": "RandomForest", "n_estimators": 100, "max_depth": 10})
    assert settings.algorithm == "RandomForest"
    assert settings.hyperparameters == {"n_estimators": 100, "max_depth": 10}


def test_json_strings_read_like_the_values_they_hold() -> None:
    plain = {"target": "y", "n_estimators": 100, "gate": {"roc_auc": {"threshold": 0.6}}}
    as_sagemaker = {"target": '"y"', "n_estimators": "100", "gate": '{"roc_auc": {"threshold": 0.6}}'}
    assert GroupSettings.from_config(as_sagemaker) == GroupSettings.from_config(plain)


def test_a_column_that_is_named_like_a_number_stays_a_name() -> None:
    assert GroupSettings.from_config({"target": "2020"}).target == "2020"


def test_the_canonical_settings_travel_as_one_json_string() -> None:
    settings = GroupSettings.from_config({"target": "y", "n_estimators": 3})
    import json

    assert GroupSettings.from_config({"settings": json.dumps(settings.to_dict())}) == settings


def test_the_form_of_files_can_differ_by_purpose() -> None:
    settings = GroupSettings.from_toml(
        '[format]\ndelim = ";"\nnullstr = "-"\n[format.inference]\ndelim = ","\nskip = 2\n'
    )

    training, inference = settings.format.of("training"), settings.format.of("inference")

    assert (training.delim, training.skip, training.nullstr) == (";", None, ("-",))
    assert (inference.delim, inference.skip, inference.nullstr) == (",", 2, ("-",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[format]\ndelimiter = ";"', "Did you mean 'delim'"),
        ('[format]\ndelim = ";;"', "one character"),
        ('[format]\nencoding = "hex"', "not known"),
        ('[format]\nencoding = "utf-99"', "not known"),
        ("[format]\nskip = -1", "0 to 10000"),
        ('[format]\nnames = ["a", "a"]', "twice"),
        ('[format]\ndecimal_separator = ","\nthousands = ","', "same character"),
        ('[format.inference]\ndelimiter = ";"', "format.inference.delimiter"),
        ("[format]\ninference = 3", "must be a table"),
        ("[classes]\nmin_rows = 1", "at least 2"),
        ('[classes]\nrare = "others"', "Did you mean 'other'"),
        ('[scoring]\nengine = "gpu"', "Line 2: .*auto, job, lambda, map"),
        ('[columns.a]\nkind = "number"\ndateformat = "%d"', "for dates"),
    ],
)
def test_an_impossible_form_or_class_policy_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        GroupSettings.from_toml(text)


def test_settings_that_the_first_release_knew_are_written_as_it_wrote_them() -> None:
    settings = GroupSettings.from_toml('target = "y"\n[columns.zip]\nkind = "category"\n')

    document = settings.to_dict()

    assert not {"format", "classes"} & set(document)
    assert not {"missing", "dateformat"} & set(document["columns"]["zip"])


def test_retraining_is_off_until_it_is_stated_and_its_values_are_checked() -> None:
    assert GroupSettings().retrain.policy == "never"
    assert "retrain" not in GroupSettings().to_dict()
    assert "split" not in GroupSettings().to_dict()
    stated = GroupSettings.from_toml('split = "last_rows"\n[retrain]\npolicy = "propose"\non = "drift"\n')
    assert (stated.retrain.on, stated.split) == (("drift",), "last_rows")
    assert GroupSettings.from_dict(stated.to_dict()) == stated


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[retrain]\npolicy = "prpose"', "Unknown value 'prpose' of retrain.policy.*propose"),
        ('[retrain]\nweekdays = ["sunday", "mon"]', "'mon' of retrain.weekdays"),
        ("[retrain]\nmin_rows = 5", "Unknown setting 'retrain.min_rows'.*min_new_rows"),
        ('[retrain]\nledger_rows = "yes"', "retrain.ledger_rows must be true or false"),
        ("[retrain]\ncool_down_days = 400", "retrain.cool_down_days must be from 0 to 365"),
        ('split = "last"', "split must be identity or last_rows"),
    ],
)
def test_a_mistake_in_retraining_settings_is_named(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        GroupSettings.from_toml(text)

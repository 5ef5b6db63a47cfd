"""What `make demo` drops can be used: its settings, and an outcome for each row that it scores."""

import csv

from local.demo import EXAMPLE
from local.demo_retraining import ID, SETTINGS, TARGET
from mlops.models.settings.group import GroupSettings


def test_the_settings_of_the_demo_are_those_of_the_example_and_a_proposal_of_retraining() -> None:
    example = (EXAMPLE / "model.toml").read_bytes()
    settings = GroupSettings.from_toml((example + SETTINGS).decode())
    assert (settings.target, settings.id_columns) == (TARGET, (ID,))
    assert (settings.retrain.policy, settings.retrain.files) == ("propose", "none")
    assert (settings.output.keep_columns, settings.output.reasons) == (("*",), 3)


def test_each_scored_patient_has_one_outcome() -> None:
    def column(name: str, of: str) -> list[str]:
        with (EXAMPLE / name).open(newline="") as stream:
            return [row[of] for row in csv.DictReader(stream)]

    scored = column("score.csv", ID) + column("score_drifted.csv", ID)
    assert sorted(column("outcomes.csv", ID)) == sorted(scored)
    assert set(column("outcomes.csv", TARGET)) == {"0", "1"}

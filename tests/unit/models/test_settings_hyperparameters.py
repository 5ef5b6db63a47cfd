"""Settings as hyperparameters of a job: long ones are cut, and joined where they are read."""

from __future__ import annotations

import pytest

from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings
from mlops.models.settings.hyperparameter import settings_hyperparameters, with_whole_settings


def settings_of(n_names: int) -> GroupSettings:
    names = [f"column_{number}" for number in range(n_names)]
    return GroupSettings.from_config({"target": names[-1], "format": {"header": False, "names": names}})


@pytest.mark.parametrize("n_names", [3, 170, 1_201, 5_000])
def test_settings_of_any_table_reach_the_job_whole(n_names: int) -> None:
    hyperparameters = settings_hyperparameters(settings_of(n_names))
    assert all(len(value) <= 2_500 for value in hyperparameters.values())
    assert len(hyperparameters) <= 50
    config = with_whole_settings({**hyperparameters, "group": "g"})
    assert config.pop("group") == "g"
    assert GroupSettings.from_config(config) == settings_of(n_names)


def test_short_settings_are_one_hyperparameter_as_before() -> None:
    assert list(settings_hyperparameters(GroupSettings(target="y"))) == ["settings"]


def test_settings_beyond_every_job_are_refused() -> None:
    with pytest.raises(SettingsError, match="name fewer columns"):
        settings_hyperparameters(settings_of(12_000))

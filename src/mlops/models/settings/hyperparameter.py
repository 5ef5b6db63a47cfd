"""A group's settings as hyperparameters of a training job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings

_MAX_CHARACTERS = 2_500  # of one value, says SageMaker
_MAX_PARTS = 50  # of the 100 hyperparameters that a job may have
_FIRST = "settings"


def settings_hyperparameters(settings: GroupSettings) -> dict[str, str]:
    """Return what differs from the defaults as JSON in `settings`; a long text goes on in `settings_2`.

    Raises
    ------
    SettingsError
        If even that is too long for a training job.
    """
    defaults = GroupSettings().to_dict()
    changed = {name: value for name, value in settings.to_dict().items() if value != defaults.get(name)}
    text = json.dumps(changed, sort_keys=True)
    starts = range(0, len(text), _MAX_CHARACTERS)
    if len(starts) > _MAX_PARTS:
        raise SettingsError(
            f"The settings are {len(text)} characters long and a training job takes"
            f" {_MAX_CHARACTERS * _MAX_PARTS}: name fewer columns in model.toml, for example by leaving"
            " excluded columns out of the file."
        )
    return {_key(number): text[start : start + _MAX_CHARACTERS] for number, start in enumerate(starts, 1)}


def with_whole_settings(hyperparameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the hyperparameters of a job with the parts of its settings joined in `settings`."""
    keys = [key for key in map(_key, range(1, _MAX_PARTS + 1)) if key in hyperparameters]
    if len(keys) < 2:
        return dict(hyperparameters)
    rest = {key: value for key, value in hyperparameters.items() if key not in keys}
    return {_FIRST: "".join(hyperparameters[key] for key in keys), **rest}


def _key(number: int) -> str:
    return _FIRST if number == 1 else f"{_FIRST}_{number}"

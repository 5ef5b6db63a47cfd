"""A group's settings as one hyperparameter of a training job."""

from __future__ import annotations

import json

from mlops.models.errors import SettingsError
from mlops.models.settings.group import GroupSettings

_MAX_HYPERPARAMETER = 2_500


def settings_text(settings: GroupSettings) -> str:
    """Return what differs from the defaults as JSON: SageMaker takes values of at most 2,500 characters.

    Raises
    ------
    SettingsError
        If even that is longer.
    """
    defaults = GroupSettings().to_dict()
    changed = {name: value for name, value in settings.to_dict().items() if value != defaults[name]}
    text = json.dumps(changed, sort_keys=True)
    if len(text) > _MAX_HYPERPARAMETER:
        raise SettingsError(
            f"The settings are {len(text)} characters long and a training job takes {_MAX_HYPERPARAMETER}: "
            "name fewer columns in model.toml, for example by leaving excluded columns out of the file."
        )
    return text

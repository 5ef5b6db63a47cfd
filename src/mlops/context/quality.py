"""The settings of realised quality as they are now: they say nothing about the model."""

from __future__ import annotations

from collections.abc import Callable

from mlops.dataset.catalog.acceptance import DatasetStorage
from mlops.intake.answers.settings_file import read_group_settings
from mlops.models.errors import SettingsError
from mlops.models.registry import ModelMetadata
from mlops.models.settings.monitoring import QualitySettings


def current_settings(
    datasets: DatasetStorage, data_bucket: str
) -> Callable[[ModelMetadata], QualitySettings]:
    """Return what reads `[quality]` of a group; a mistake in `model.toml` leaves that of the training."""

    def settings_of(champion: ModelMetadata) -> QualitySettings:
        try:
            return read_group_settings(data_bucket, champion.model_group, datasets).quality
        except SettingsError:
            return champion.settings.quality

    return settings_of

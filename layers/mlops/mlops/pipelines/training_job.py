"""The settings of a SageMaker training job, as Step Functions passes them to `createTrainingJob`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from mlops.errors import SettingsError
from mlops.infrastructure.objects import ObjectRef
from mlops.models.group_settings import GroupSettings
from mlops.models.record import Record
from mlops.models.registry import ModelMetadata
from mlops.pipelines.training_source import Source

_MAX_HYPERPARAMETER = 2_500
_MAX_NAME = 63 - len("-999-999")
_TRAINING_ID_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class TrainingRequest(Record):
    """What is to be trained."""

    group: str
    dataset: ObjectRef
    dataset_id: str
    training_id: str
    settings: GroupSettings = field(default_factory=GroupSettings)


def prepare_training(
    request: TrainingRequest, source: Source, champion: ModelMetadata | None, artifact_bucket: str
) -> dict[str, Any]:
    """Return everything about the job that depends on the request.

    Parameters
    ----------
    request
        What is to be trained.
    source
        The published training code.
    champion
        The model in service, for the comparison on the same held-out rows.
    artifact_bucket
        Where SageMaker writes model and evidence.
    """
    name = job_name(request)
    channels = [_channel("code", source.uri), _channel("training", request.dataset.uri)]
    hyperparameters = {
        "settings": settings_text(request.settings),
        "group": request.group,
        "dataset_id": request.dataset_id,
    }
    if champion is not None and champion.artifact.uri.startswith("s3://"):
        channels.append(_channel("champion", champion.artifact.uri))
        hyperparameters["champion_version"] = champion.version
        hyperparameters["champion_sha256"] = champion.artifact.sha256
    return {
        "job_name": name,
        "source_uri": source.uri,
        "source_digest": source.digest,
        "hyperparameters": hyperparameters,
        "input_data_config": channels,
        "output_uri": f"s3://{artifact_bucket}/training/{request.group}/",
        "environment": {},
        "champion_version": hyperparameters.get("champion_version"),
    }


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


def job_name(request: TrainingRequest) -> str:
    """Return `<group>-<training id>`: letters, digits and hyphens, with room for the counts of attempts.

    The state machine appends `-<redrives>-<retries>`, so that every attempt has a name of its own; SageMaker
    takes 63 characters in all.
    """
    ending = f"-{_slug(request.training_id)[:_TRAINING_ID_CHARACTERS]}"
    return f"{_slug(request.group)[: _MAX_NAME - len(ending)].rstrip('-')}{ending}"


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-") or "model"


def _channel(name: str, uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "InputMode": "File",
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": uri,
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }

"""Models of a registry on plain files, loaded where they are."""

from __future__ import annotations

from pathlib import Path

from mlops.models.errors import ArtifactError
from mlops.models.objects import Artifact
from mlops.pipelines.inference_pipeline import InferencePipeline
from mlops.registry.artifacts import describe_artifact


def load_registered(artifact: Artifact, version: str) -> InferencePipeline:
    """Load a model from its directory.

    Raises
    ------
    ArtifactError
        If it is not a directory, or its content is not what was registered.
    """
    if not Path(artifact.uri).is_dir():
        raise ArtifactError(f"{artifact.uri} is not a model directory on this machine.")
    if describe_artifact(artifact.uri).sha256 != artifact.sha256:
        raise ArtifactError(f"{artifact.uri} is not the registered model: its digest differs.")
    return InferencePipeline(artifact.uri, model_version=version)

"""Whether the champions of a registry go on scoring with other versions of the libraries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.registry import ModelMetadata
from mlops.pipelines.artifact_files import MANIFEST
from mlops.pipelines.artifacts.compatibility import version_problems
from mlops.registry.model_registry import ModelRegistry
from mlops.registry.training_facts import ModelFiles


@dataclass(frozen=True, slots=True)
class StoppedChampion:
    """A champion that the libraries could not load, and why."""

    group: str
    version: str
    problem: str


def stopped_champions(
    registry: ModelRegistry, objects: ObjectStore, libraries: Mapping[str, str]
) -> Iterator[StoppedChampion]:
    """Yield the champions that would not score with these versions of the libraries.

    A compiled model is scored without scikit-learn, so it goes on with any.
    """
    for group in registry.groups():
        champion = registry.champion(group)
        if champion is None:
            continue
        needed = {name: version for name, version in champion.library_versions.items() if name in libraries}
        problems = version_problems(needed, libraries)
        if problems and not _is_compiled(champion, objects):
            yield StoppedChampion(group, champion.version, ", ".join(problems))


def parse_libraries(text: str) -> dict[str, str]:
    """Return the versions in a text such as `python==3.12 numpy==2.5.1`."""
    return dict(word.split("==", 1) for word in text.split())


def _is_compiled(model: ModelMetadata, objects: ObjectStore) -> bool:
    """Whether the version has a compiled form; of those of earlier releases their evidence says so."""
    if model.is_compiled:
        return True
    if model.evidence_uri is None or not model.evidence_uri.startswith("s3://"):
        return False
    try:
        content = objects.read(ObjectRef.from_uri(f"{model.evidence_uri.rstrip('/')}/{MANIFEST}"))
    except ObjectNotFoundError:
        return False
    return ModelFiles.from_json(content).is_compiled

"""One look at the endpoint of a group: which version it is to serve, and what is done next."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.infrastructure import event_names
from mlops.infrastructure.notifications import Notifier
from mlops.infrastructure.object_store import ObjectStore
from mlops.models.errors import ArtifactError, ObjectNotFoundError
from mlops.models.objects import Artifact, ObjectRef
from mlops.pipelines.artifacts.archive import pack, sha256_of, unpack
from mlops.pipelines.artifacts.serving_code import add_serving_code, has_serving_code
from mlops.use_cases.endpoints.plan import (
    Endpoints,
    Hosting,
    Plan,
    ServedVersion,
    endpoint_name,
    plan_endpoint,
)

if TYPE_CHECKING:  # it imports all that scores
    from mlops.models.registered import Champions

_ALL = "*"


@dataclass(frozen=True, slots=True)
class EndpointPlanner:
    """Plans the endpoints of a stack.

    Parameters
    ----------
    champions, objects, notifier, existing
        Where champions, archives and notifications are, and what exists in SageMaker.
    artifact_bucket
        Where the archives that endpoints load are written.
    source
        The training source, for archives of earlier releases, which have no serving code.
    prefix
        How the names of this stack begin.
    hosting
        How models are served.
    groups
        The groups that have an endpoint; `*` means all.
    """

    champions: Champions
    objects: ObjectStore
    notifier: Notifier
    existing: Endpoints
    artifact_bucket: str
    source: Path
    prefix: str
    hosting: Hosting
    groups: Collection[str]

    def next_step(self, group: str, before: Mapping[str, Any] | None, cause: str = "") -> dict[str, Any]:
        """Return the plan for a group, and the address of the archive when a model is to be created.

        The event `EndpointReady` is published when the endpoint serves the champion, and `EndpointFailed`
        when it cannot; both at least once. Afterwards the archive that the endpoint loaded before is deleted.

        Parameters
        ----------
        before
            What the last call returned; None for the first.
        cause
            Why SageMaker refused that step; empty when it did not.

        Raises
        ------
        ArtifactError
            If the archive of the champion is not the one that was registered.
        """
        name = endpoint_name(self.prefix, group)
        last = Plan.from_dict(before) if before else Plan(group, name, "wait")
        target_version = self._target(group)
        plan = plan_endpoint(last, target_version, self.existing, prefix=self.prefix, cause=cause)
        self._publish(plan)
        uri = ""
        if target_version and plan.step == "create model":
            uri = self._archive(target_version, plan.name)
        if plan.step == "done" and plan.previous:  # its model is deleted, and its endpoint serves another one
            self._delete(self._served(group, plan.previous))
        return {**plan.to_dict(), "model_data_uri": uri}

    def _target(self, group: str) -> ServedVersion | None:
        has_endpoint = group in self.groups or _ALL in self.groups
        champion = self.champions.champion(group) if has_endpoint else None
        if champion is None:
            return None
        return ServedVersion(group, champion.version, champion.artifact, self.hosting)

    def _publish(self, plan: Plan) -> None:
        detail = {"group": plan.group, "version": plan.version, "endpoint_name": plan.endpoint}
        if plan.step == "done" and plan.version:
            self.notifier.publish_event(event_names.ENDPOINT_READY, detail)
        if plan.step == "give up":
            self.notifier.publish_event(event_names.ENDPOINT_FAILED, {**detail, "reason": plan.reason})

    def _archive(self, target_version: ServedVersion, name: str) -> str:
        """Store the archive that the endpoint loads: SageMaker reads no version of an object by its id."""
        target = self._served(target_version.group, name)
        if not self.objects.exists(target):
            with tempfile.TemporaryDirectory() as scratch:
                archive = self._registered(target_version.artifact, Path(scratch))
                self.objects.upload(archive, target, "application/gzip")
        return target.uri

    def _delete(self, archive: ObjectRef) -> None:
        """Delete an archive; it does not exist any more when this is repeated."""
        try:
            self.objects.delete(self.objects.head(archive).ref)
        except ObjectNotFoundError:
            return

    def _served(self, group: str, name: str) -> ObjectRef:
        """Return the archive of a model of an endpoint."""
        return ObjectRef(self.artifact_bucket, f"serving/{group}/{name}/model.tar.gz")

    def _registered(self, artifact: Artifact, scratch: Path) -> Path:
        """Return the archive of a version, with serving code."""
        archive, directory = scratch / "registered.tar.gz", scratch / "model"
        self.objects.download(ObjectRef.from_uri(artifact.uri, artifact.version_id), archive)
        if sha256_of(archive) != artifact.sha256:
            raise ArtifactError(f"{artifact.uri} is not the registered model: its digest differs.")
        unpack(archive, directory)
        if has_serving_code(directory):
            return archive
        add_serving_code(self.source, directory)
        pack(directory, scratch / "served.tar.gz")
        return scratch / "served.tar.gz"

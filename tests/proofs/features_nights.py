"""Two days of a feature store, each function in a process of its own: values are stored and copied."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from mlops.feature_store.definitions import Entity, FeatureView, Field, ValueType
from mlops.feature_store.store import FeatureStore
from mlops.infrastructure.aws.dynamodb import DynamoDBTable
from mlops.infrastructure.aws.s3 import S3Objects
from tests.conftest import create_table
from tests.proofs.walk import Walk
from tests.proofs.world import Runner

HEADER = "patient_id,event_timestamp,bmi\n"
DAYS = (
    "A,2026-01-01T08:00:00Z,20.5\nB,2026-01-01T09:00:00Z,21.5\n",
    "A,2026-01-02T08:00:00Z,22.5\nB,2026-01-01T09:00:00Z,23.5\nC,2026-01-02T07:00:00Z,24.5\n",
)


class FeaturesNights(Walk):
    """One view with a store of its own; the second day brings later values and a correction."""

    def to_the_end(self) -> dict[str, Any]:
        """Store and copy the values of both days, and return the final state."""
        dynamodb = self.world.cloud.client("dynamodb")
        tables = {name: f"{name}-{self.group}" for name in ("registry", "features")}
        for table in tables.values():
            create_table(table, "pk", "sk", dynamodb=dynamodb)
        names = {"REGISTRY_TABLE_NAME": tables["registry"], "FEATURE_TABLE_NAME": tables["features"]}
        self.world = replace(self.world, variables={**self.world.variables, **names})
        self.runner = Runner(self.world)
        view = re.sub(r"\W", "_", self.group)
        registry, online = (DynamoDBTable(table, dynamodb=dynamodb) for table in tables.values())
        objects = S3Objects(self.world.cloud.client("s3"))
        store = FeatureStore(registry, online, objects, "artifacts", actor="proof")
        store.apply([FeatureView(view, (Entity("patient_id"),), (Field("bmi", ValueType.FLOAT64),))])
        for number, rows in enumerate(DAYS):
            received = self.step("receive_upload", self._dropped(view, f"{number}.csv", HEADER + rows))
            assert received["outcome"] == "accepted", received
            self.step("materialize_features", {})
        return {
            "stored": list(self._stored(store, view)),
            "state": store.offline.states.get(view).n_rows,
            "copied": store.offline.states.progress(view).revision,
            "online": self._online(store, view),
        }

    def _dropped(self, view: str, name: str, content: str) -> dict[str, Any]:
        """Drop a file into the folder of a view; return the event."""
        key = f"_features/{view}/{name}"
        stored = self.world.cloud.client("s3").put_object(Bucket="data", Key=key, Body=content.encode())
        entry = {"key": key, "version-id": stored["VersionId"], "size": len(content)}
        detail = {"bucket": {"name": "data"}, "object": entry | {"sequencer": "00", "etag": "e"}}
        return {"id": "e", "source": "aws.s3", "detail-type": "Object Created", "detail": detail, "time": "t"}

    def _stored(self, store: FeatureStore, view: str) -> Iterator[tuple[str, int]]:
        """Yield day and revision of each file that counts; one that a killed run left behind does not."""
        for file in store.offline.list(view):
            yield file.day.isoformat(), file.revision

    def _online(self, store: FeatureStore, view: str) -> dict[str, list[Any]]:
        """Return the newest values of the patients."""
        entities = [{"patient_id": patient} for patient in "ABC"]
        return store.get_online_features([f"{view}:bmi"], entities).to_dict()

"""A folder of parts, each function in a process of its own: listed, each part surveyed, merged, decided."""

from __future__ import annotations

import json
from typing import Any

from mlops.infrastructure.upload_events import Upload
from tests.proofs.walk import PATIENTS, Walk

N_PARTS = 2


class FolderOfParts(Walk):
    """One group's folder, from what closes it to a training or, when its last part is bad, to quarantine."""

    def to_the_end(self) -> dict[str, Any]:
        """List, survey, merge, and return the final state."""
        upload = self._drop()
        self.names |= {upload.upload_id: "UPLOAD"}
        event = {"group": self.group, "upload_id": upload.upload_id, "upload": upload.to_dict()}
        listed = self.step("list_parts", event)
        place = listed["parts"]
        body = self.world.cloud.client("s3").get_object(Bucket=place["bucket"], Key=place["key"])["Body"]
        for part in json.loads(body.read()):
            self.step("survey_part", {"request": listed["request"], "part": part})
        merged = self.step("merge_parts", {"request": listed["request"]})["received"]
        assert merged["outcome"] == ("accepted" if self.decision == "approved" else "rejected"), merged
        if merged.get("work_id"):
            self.names |= {merged["work_id"]: "TRAINING"}
        return self.state() | {"left": self._left()}

    def _drop(self) -> Upload:
        header, *rows = PATIENTS.splitlines()
        size = len(rows) // N_PARTS
        for number in range(N_PARTS):
            part = rows[number * size : (number + 1) * size]
            if self.decision != "approved" and number == N_PARTS - 1:
                part[4] = "P999,old,a,1"
            self._put(f"part-{number}.csv", "\n".join([header, *part]) + "\n")
        return self._put("_SUCCESS", "")

    def _put(self, name: str, text: str) -> Upload:
        key = f"{self.group}/training/2026-11/{name}"
        stored = self.world.cloud.client("s3").put_object(Bucket="data", Key=key, Body=text.encode())
        return Upload("data", key, stored["VersionId"], len(text.encode()))

    def _left(self) -> list[str]:
        """Return what is in the folder in the end, and which trainings were started for it."""
        client = self.world.cloud.client
        actual = client("s3").list_objects_v2(Bucket="data", Prefix=f"{self.group}/").get("Contents", [])
        return sorted(self._plain(entry["Key"]) for entry in actual)

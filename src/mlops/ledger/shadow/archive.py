"""What shadow scoring stores in the artifact bucket, below `shadow/`.

`agreement/<group>/<candidate>/<batch>.json` says how the predictions of a batch agree; `rows/` has its
predictions until they are columns of the ledger; `quality/<group>/<candidate>.json` compares both versions
with labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from itertools import islice
from operator import add
from urllib.parse import quote

from mlops.infrastructure.object_store import ObjectStore, read_all
from mlops.models.errors import ObjectNotFoundError
from mlops.models.objects import ObjectRef
from mlops.models.scoring.shadow import ShadowAgreement, ShadowBatch, ShadowQuality

PREFIX = "shadow/"
ROWS_PREFIX = f"{PREFIX}rows/"
# a page reads each batch; more than this would take longer than a page may take
MAX_BATCHES_READ = 200


@dataclass(frozen=True, slots=True)
class ShadowArchive:
    """The documents of shadow scoring."""

    objects: ObjectStore
    bucket: str

    def find(self, group: str, version: str, batch_id: str) -> ShadowBatch | None:
        """Return the agreement of a batch; None before it was scored in shadow."""
        try:
            return ShadowBatch.from_json(self.objects.read(self._batch_ref(group, version, batch_id)))
        except ObjectNotFoundError:
            return None

    def write(self, batch: ShadowBatch) -> None:
        """Store the agreement of a batch; the same batch gives the same document."""
        ref = self._batch_ref(batch.group, batch.version, batch.batch_id)
        self.objects.write(ref, batch.to_json().encode(), "application/json")

    def agreement(self, group: str, version: str, champion_version: str) -> ShadowAgreement | None:
        """Return the agreement in all batches of a candidate with one champion; None without a batch.

        Of more than `MAX_BATCHES_READ` batches, the ones that come last in the order of their ids are left
        out.
        """
        listed = self.objects.list(self.bucket, f"{PREFIX}agreement/{group}/{version}/")
        refs = [facts.ref for facts in islice(listed, MAX_BATCHES_READ)]
        batches = map(ShadowBatch.from_json, read_all(self.objects, refs))
        agreements = [batch.agreement for batch in batches if batch.champion_version == champion_version]
        return reduce(add, agreements) if agreements else None

    def quality(self, group: str, version: str) -> ShadowQuality | None:
        """Return both qualities as they were measured last; None before the first label."""
        try:
            return ShadowQuality.from_json(self.objects.read(self._quality_ref(group, version)))
        except ObjectNotFoundError:
            return None

    def write_quality(self, group: str, quality: ShadowQuality) -> None:
        """Store both qualities, over those of an earlier measurement."""
        ref = self._quality_ref(group, quality.version)
        self.objects.write(ref, quality.to_json().encode(), "application/json")

    def _batch_ref(self, group: str, version: str, batch_id: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{PREFIX}agreement/{group}/{version}/{quote(batch_id, safe='')}.json")

    def _quality_ref(self, group: str, version: str) -> ObjectRef:
        return ObjectRef(self.bucket, f"{PREFIX}quality/{group}/{version}.json")

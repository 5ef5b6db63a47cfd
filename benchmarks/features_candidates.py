"""One candidate of `benchmarks/features.py`: reads the features, writes them, and prints its cost."""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

VIEWS = ("vitals", "visits", "labs")
TTL = timedelta(days=30)
FEATURES = tuple(f"{view}_{letter}" for view in VIEWS for letter in "abc")


def ours(folder: Path, target: Path) -> None:
    from mlops.context.files import FilesContext  # noqa: PLC0415

    references = [f"{view}:{view}_{letter}" for view in VIEWS for letter in "abc"]
    job = FilesContext(folder).features.get_historical_features(folder / "entities.parquet", references)
    job.to_parquet(target)


def with_pandas(folder: Path, target: Path) -> None:
    import pandas as pd  # noqa: PLC0415

    frame = pd.read_parquet(folder / "entities.parquet").sort_values("event_timestamp", kind="stable")
    for view in VIEWS:
        keys = ["customer_id", "event_timestamp"]
        values = pd.read_parquet(folder / f"{view}.parquet").sort_values(["event_timestamp", "created"])
        values = values.drop_duplicates(keys, keep="last").drop(columns="created")
        frame = pd.merge_asof(frame, values, on="event_timestamp", by="customer_id", tolerance=TTL)
    frame.to_parquet(target)


def with_feast(folder: Path, target: Path) -> None:
    import pandas as pd  # noqa: PLC0415
    from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType  # noqa: PLC0415
    from feast.types import Float64, Int64  # noqa: PLC0415

    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=view,
            entities=[customer],
            ttl=TTL,
            schema=[
                Field(name=f"{view}_{letter}", dtype=Int64 if letter == "c" else Float64) for letter in "abc"
            ],
            source=FileSource(
                path=str(folder / f"{view}.parquet"),
                timestamp_field="event_timestamp",
                created_timestamp_column="created",
            ),
        )
        for view in VIEWS
    ]
    registry = folder / "feast-registry.db"
    registry.unlink(missing_ok=True)
    config = RepoConfig(
        project="benchmark",
        provider="local",
        registry=str(registry),
        online_store={"type": "sqlite", "path": str(folder / "feast-online.db")},
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    store.apply([customer, *views])
    entities = pd.read_parquet(folder / "entities.parquet")
    references = [f"{view}:{view}_{letter}" for view in VIEWS for letter in "abc"]
    store.get_historical_features(entity_df=entities, features=references).to_df().to_parquet(target)


CANDIDATES: dict[str, Callable[[Path, Path], None]] = {
    "ours": ours,
    "pandas merge_asof": with_pandas,
    "Feast, file store": with_feast,
}


def result_of(folder: Path, name: str) -> Path:
    """Return where a candidate writes its result."""
    return folder / f"result-{name.split(maxsplit=1)[0].strip(',').lower()}.parquet"


def main() -> None:
    name, folder = sys.argv[1], Path(sys.argv[2])
    CANDIDATES[name](folder, result_of(folder, name))
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = sum(each.ru_utime + each.ru_stime for each in (own, children))
    print(json.dumps({"cpu_seconds": seconds, "peak_mb": own.ru_maxrss / 1024}))


if __name__ == "__main__":
    main()

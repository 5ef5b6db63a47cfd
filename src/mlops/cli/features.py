"""`mlops features ...`: the feature store of a deployed stack, or of plain files."""

from __future__ import annotations

import argparse
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.cli.command import add_action, add_actions, columns
from mlops.context.context import Context
from mlops.context.stack import StackContext
from mlops.feature_store.registry.differences import differences
from mlops.infrastructure.clock import utc_now
from mlops.infrastructure.upload_events import FEATURES_FOLDER
from mlops.models.errors import FeatureStoreError
from mlops.models.objects import ObjectRef
from mlops.pages.spreadsheet import write_frame

if TYPE_CHECKING:  # imported on first use: the help needs none of them
    from mlops.feature_store.online.materialization import Materialization
    from mlops.feature_store.registry.versions import DefinitionVersion


def add_parser(subparsers: Any) -> None:
    """Add `features` with its actions."""
    actions = add_actions(subparsers, "features")
    add_action(actions, "list", "list the views and services, with their values", _list)
    add_action(
        actions,
        "show",
        "show a view or service, its versions, its files and the models trained with it",
        _show,
        "name",
    )
    apply = add_action(actions, "apply", "validate and store the definitions of a file", _apply, "file")
    apply.add_argument("--dry-run", action="store_true", help="only show what would change")
    apply.epilog = "A Python file runs as a program, with your rights; a TOML file is only read."
    ingest = add_action(actions, "ingest", "store the rows of a CSV or Parquet file", _ingest, "view", "file")
    ingest.epilog = "On a stack the file is dropped into the data bucket, and an email says what was stored."
    materialize = add_action(
        actions, "materialize", "copy the newest values to the online store", _materialize
    )
    materialize.add_argument("--start", type=_moment, metavar="TIME", help="copy again from this time on")
    materialize.add_argument("--end", type=_moment, metavar="TIME", help="default: now")
    materialize.add_argument("--view", action="append", default=[], help="default: all that are online")
    get = add_action(actions, "get", "read the newest values of entities", _get, "features")
    get.add_argument("entities", nargs="+", metavar="KEY=VALUE[,KEY=VALUE]", type=_entity)
    history = add_action(
        actions, "history", "read values as of the times of entity rows", _history, "features"
    )
    history.add_argument(
        "entity_rows", metavar="FILE|SELECT", help="CSV, Parquet, or a SELECT over the views"
    )
    history.add_argument("--output", type=Path, metavar="FILE", help="write Parquet instead of printing")
    history.add_argument("--timezone", metavar="NAME", help="of times without a UTC offset")
    history.add_argument(
        "--as-known", action="store_true", help="leave out rows created after the time of the entity row"
    )
    history.add_argument(
        "--engine", default="duckdb", metavar="NAME", help="duckdb (here; default), or athena (on a stack)"
    )
    for reading in (get, history):
        reading.add_argument("--full-feature-names", action="store_true", help="call columns view__feature")


def _list(_: argparse.Namespace, context: Context) -> tuple[Any, str]:
    store, definitions = context.features, context.features.definitions()
    rows, documents = [("name", "kind", "version", "rows", "newest value", "online until", "")], []
    for name, version in definitions.current.items():
        state, progress = store.offline.states.get(name), store.offline.states.progress(name)
        until = progress.end if progress else None
        has_values = version.kind == "feature view"
        n_rows = f"{state.n_rows:,}" if has_values else ""
        is_stale = has_values and state.is_stale(definitions.view(name), utc_now())
        times = (_shown(state.latest), _shown(until), "stale" if is_stale else "")
        rows.append((name, version.kind, str(version.version), n_rows, *times))
        documents.append(
            {"definition": version.to_dict(), "values": state.to_dict(), "is_stale": is_stale}
            | {"materialized_until": until.isoformat() if until else None}
        )
    return documents, columns(rows) if documents else "Nothing is defined: `mlops features apply FILE`."


def _show(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.feature_store.registry.lineage import versions_trained_with

    store = context.features
    definitions = store.definitions()
    current, history = definitions.find(parsed.name), definitions.history(parsed.name)
    ingestions = list(store.offline.states.ingestions(parsed.name))
    lines = [f"{current.kind} {current.name}, version {current.version}"]
    lines += [f"  {line.removeprefix('+ ')}" for line in differences({}, current.document)]
    lines += ["Versions", *(f"  {_version_line(version)}" for version in history)]
    lines += ["Files"] if ingestions else []
    lines += [f"  {each.at:%Y-%m-%d %H:%M}  {each.file}  {each.n_stored:,} new rows" for each in ingestions]
    trained = list(versions_trained_with(parsed.name, definitions, context.registry))
    lines += ["Models trained with it"] if trained else []
    lines += [
        f"  {each.group} {each.version}  {each.status}  by {each.service}, version {each.service_version}"
        for each in trained
    ]
    document = {
        "versions": [version.to_dict() for version in history],
        "ingestions": [ingestion.to_dict() for ingestion in ingestions],
        "trained_versions": [each.to_dict() for each in trained],
    }
    return document, "\n".join(lines)


def _apply(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    from mlops.feature_store.definitions.definition_file import read_definitions

    definitions = read_definitions(Path(parsed.file))
    store = context.features
    planned = store.plan(definitions) if parsed.dry_run else store.apply(definitions)
    document = {
        "applied": not parsed.dry_run,
        "versions": [version.to_dict() for version in planned.versions],
        "differences": list(planned.differences),
    }
    suffix = "\nNothing was stored: --dry-run." if parsed.dry_run else ""
    return document, planned.render() + suffix


def _ingest(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    if isinstance(context, StackContext):
        return _drop(parsed.view, Path(parsed.file), context)
    ingestion = context.features.ingest(parsed.view, Path(parsed.file))
    n_left = ingestion.n_rows - ingestion.n_stored
    left_out = f"; {n_left:,} were stored already or are repeated" if n_left else ""
    return ingestion.to_dict(), f"{parsed.view}: {ingestion.n_stored:,} rows stored{left_out}."


def _drop(view: str, path: Path, context: StackContext) -> tuple[Any, str]:
    """Put a file into the folder of a view, where intake takes it from."""
    context.features.definitions().view(view)
    if not path.is_file():
        raise FeatureStoreError(f"There is no file {path}.")
    target = ObjectRef(context.data_bucket, f"{FEATURES_FOLDER}/{view}/{path.name}")
    stored = context.objects.upload(path, target, "application/octet-stream")
    message = (
        f"{path.name} is in {stored.uri}. An email says what was stored; `mlops features show {view}` too."
    )
    return stored.to_dict(), message


def _materialize(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    store, end = context.features, parsed.end or utc_now()
    if parsed.start is None:
        done = store.materialize_incremental(end, parsed.view)
    else:
        done = store.materialize(parsed.start, end, parsed.view)
    lines = map(_materialization_line, done)
    return [each.to_dict() for each in done], "\n".join(lines) or "No view is online."


def _get(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    response = context.features.get_online_features(
        _selection(parsed.features), parsed.entities, full_feature_names=parsed.full_feature_names
    )
    rows = [("entity", "feature", "value", "status", "age")]
    for entity, values in zip(response.entity_rows, response.rows, strict=True):
        name = ",".join(map(str, entity.values()))
        for column, value in values.items():
            age = f"{(response.read_at - value.at).total_seconds():,.0f} s" if value.at else ""
            rows.append((name, column, _shown(value.value), value.status, age))
    document = {"values": response.to_dict(), "statuses": response.statuses()}
    return {**document, "ages_seconds": response.ages_seconds()}, columns(rows)


def _history(parsed: argparse.Namespace, context: Context) -> tuple[Any, str]:
    is_file = Path(parsed.entity_rows).suffix in (".csv", ".parquet")
    job = context.features.get_historical_features(
        Path(parsed.entity_rows) if is_file else parsed.entity_rows,
        _selection(parsed.features),
        full_feature_names=parsed.full_feature_names,
        timezone=parsed.timezone,
        as_known=parsed.as_known,
        engine=parsed.engine,
    )
    if parsed.output is not None:
        n_rows = job.to_parquet(parsed.output)
        return {"n_rows": n_rows, "output": str(parsed.output)}, f"{n_rows:,} rows are in {parsed.output}."
    frame = job.to_df()
    lines = io.StringIO(newline="")
    write_frame(frame, lines)
    # 15 digits, because 10 (the default) are not the value; times as JSON has them
    rows = json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))
    return rows, lines.getvalue()


def _selection(text: str) -> str | list[str]:
    """Return the name of a service or view, or the references of a list with commas."""
    return text if ":" not in text and "," not in text else text.split(",")


def _entity(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name and separator for name, separator, _ in pairs):
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE, such as patient_id=P17")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 2026-11-01T00:00:00Z") from error
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r} has no UTC offset; write {text}Z for UTC")
    return moment


def _version_line(version: DefinitionVersion) -> str:
    return f"{version.version}  {version.applied_at:%Y-%m-%d %H:%M}  by {version.applied_by}"


def _materialization_line(done: Materialization) -> str:
    until = f"{done.end.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"{done.view}: {done.n_written:,} of {done.n_entities:,} entities have newer values, until {until}."
    )


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return "" if value is None else str(value)

"""What a stack stores and what its work cost this month: from metrics that it publishes anyway."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from mlops.infrastructure.aws.cloudwatch import MetricQuery, count_of_values, largest_value, sum_of_values
from mlops.infrastructure.metric_names import ROWS_SCORED, TRAINING_COST_USD
from mlops.infrastructure.object_store import ObjectStore
from mlops.pages.number_format import usd
from mlops.pipelines.jobs.prices import LIST_PRICES, STORAGE_USD_PER_GB, lambda_cost_usd
from mlops.use_cases.doctor.checks import Diagnosis, unless_refused

# About 220 GB: more than the files and models of most stacks in a year
STORAGE_WARNING_USD = 5.0
# A request lists 1,000 versions and costs 0.000005 dollars.
LISTED_VERSIONS = 50_000
_GB = 1e9
_LARGEST = 3
_RETENTION = "UploadRetentionDays, PredictionRetentionDays or LedgerRetentionDays"


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What the usage is read from: buckets by their purpose, functions by their name in AWS.

    `scoring_gb` and `predict_gb` are the memory of the functions that score files and answer requests, in GB.
    `monthly_budget_usd` of 0 is no budget.
    """

    buckets: Mapping[str, str]
    objects: ObjectStore
    metrics_namespace: str
    scoring_gb: Mapping[str, float]
    predict_gb: Mapping[str, float]
    monthly_budget_usd: float
    now: datetime


def examine_usage(facts: UsageFacts) -> list[Diagnosis]:
    """Return what is stored, and the cost of the month; a fault where it is more than usual or budgeted."""
    return [diagnosis for name, check in _CHECKS.items() for diagnosis in unless_refused(name, check(facts))]


def _storage(facts: UsageFacts) -> Iterator[Diagnosis]:
    """Yield the size of each bucket, from the metrics that S3 publishes every day."""
    for purpose, bucket in facts.buckets.items():
        size_bytes = _stored(bucket, "BucketSizeBytes", facts)
        if size_bytes is None:
            message = f"S3 has not measured the {purpose} bucket yet."
            yield Diagnosis("storage", is_fault=False, message=message)
            continue
        n_objects = _stored(bucket, "NumberOfObjects", facts)
        cost = size_bytes / _GB * STORAGE_USD_PER_GB
        message = (
            f"The {purpose} bucket has {size_bytes / _GB:,.2f} GB in {n_objects or 0:,.0f} objects and "
            f"versions, about {usd(cost)} a month."
        )
        if cost <= STORAGE_WARNING_USD:
            yield Diagnosis("storage", is_fault=False, message=message)
        else:
            remedy = f"Most of it: {_largest_prefixes(bucket, facts.objects)}. Consider {_RETENTION}."
            yield Diagnosis("storage", is_fault=True, message=message, remedy=remedy)


def _stored(bucket: str, name: str, facts: UsageFacts) -> float | None:
    kind = "StandardStorage" if name == "BucketSizeBytes" else "AllStorageTypes"
    query = MetricQuery("AWS/S3", name, {"BucketName": bucket, "StorageType": kind})
    return largest_value(query, facts.now - timedelta(days=3), facts.now)


def _largest_prefixes(bucket: str, objects: ObjectStore) -> str:
    """Name the folders with the most bytes among the first versions, by key."""
    sizes: Counter[str] = Counter()
    for facts in islice(objects.list_versions(bucket), LISTED_VERSIONS):
        folder, slash, _ = facts.ref.key.partition("/")
        sizes[folder + slash] += facts.size_bytes
    largest = ", ".join(f"{name} {size / _GB:,.2f} GB" for name, size in sizes.most_common(_LARGEST))
    return f"{largest} (of the first {LISTED_VERSIONS:,} versions)"


def _cost(facts: UsageFacts) -> Iterator[Diagnosis]:
    """Yield the cost of trainings and of scoring functions since the first day of the month."""
    start = facts.now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    trainings, n_trainings = _published(TRAINING_COST_USD, facts, start)
    scoring, n_files = _functions(facts.scoring_gb, facts, start), _published(ROWS_SCORED, facts, start)[1]
    predicting = _functions(facts.predict_gb, facts, start)
    total = trainings + scoring + predicting
    message = (
        f"Since {start:%Y-%m-%d}: {n_trainings:,.0f} trainings {_each(trainings, n_trainings)}, "
        f"{n_files:,.0f} scored files {_each(scoring, n_files)}, requests to predict {usd(predicting)}; "
        f"by {LIST_PRICES}, without jobs that score and everything else."
    )
    budget = facts.monthly_budget_usd
    is_over = 0 < budget < total
    remedy = (
        f"That is more than MonthlyBudgetUsd ({usd(budget)}): `mlops policy set GROUP "
        "--max-trainings-per-day N --max-trials N`."
    )
    yield Diagnosis("cost of the month", is_over, message, remedy if is_over else "")


def _published(name: str, facts: UsageFacts, start: datetime) -> tuple[float, float]:
    """Return the sum of a metric of the stack, and how often it was published."""
    query = MetricQuery(facts.metrics_namespace, name)
    return sum_of_values(query, start, facts.now), count_of_values(query, start, facts.now)


def _functions(memory_gb: Mapping[str, float], facts: UsageFacts, start: datetime) -> float:
    """Return the cost of functions by how long they ran; the metric is in milliseconds."""
    queries = {name: MetricQuery("AWS/Lambda", "Duration", {"FunctionName": name}) for name in memory_gb}
    gb_ms = sum(sum_of_values(queries[name], start, facts.now) * memory_gb[name] for name in memory_gb)
    return lambda_cost_usd(gb_ms / 1000)


def _each(total_usd: float, count: float) -> str:
    return f"{usd(total_usd)} ({usd(total_usd / count)} each)" if count else usd(total_usd)


_CHECKS: Mapping[str, Callable[[UsageFacts], Iterator[Diagnosis]]] = {
    "storage": _storage,
    "cost of the month": _cost,
}

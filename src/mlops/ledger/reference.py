"""The page of the ledger's columns for the documentation.

python -m mlops.ledger.reference > docs/reference/ledger.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mlops.ledger.columns import COLUMNS, PARTITIONS, SCHEMA_VERSION, Column
from mlops.ledger.label_columns import LABELS
from mlops.ledger.label_columns import SCHEMA_VERSION as LABEL_SCHEMA_VERSION

_INTRODUCTION = f"""\
# Ledger of predictions

Every scored row becomes one row of the ledger: in Parquet files below `ledger/` of the artifact bucket,
or in the folder `ledger/` beside a registry of plain files. This page is generated from
`mlops.ledger.columns`; a test keeps it current. Schema version: {SCHEMA_VERSION}.

```bash
mlops predictions medication-adherence --stack NAME --since 2026-11-01
mlops predictions medication-adherence --stack NAME --id P-17 --csv
mlops predictions medication-adherence --stack NAME --sql "SELECT count(*) FROM predictions"
```

In Python, `mlops.connect("NAME").group("medication-adherence").predictions(since="2026-11-01")` returns
the same rows as a DataFrame. Without `--sql` there is a column for each id, and `probability_<class>` for
each class. With `--sql` the table `predictions` has the selected rows, each once, with the columns below.

SQL that runs in DuckDB (plain files) and in Athena (stack): `ids['patient_id']`; `TRY(ids['patient_id'])`
where not every row has this id; `CAST(prediction AS DOUBLE)`; `"row"` in quotes.

"""
_CONCLUSION = """
## How rows are recorded

The function RecordPredictions answers the event `PredictionsReady`, so a batch is in the ledger shortly
after its email. It is recorded once, also when the event comes twice. An event that failed after all
retries is in `LedgerDeadLetterQueue`; `mlops replay LedgerDeadLetterQueue` records its batch. Batches
that were scored before the ledger existed are not in it. Every night MergePredictions merges the files of
closed days. The parameter `LedgerRetentionDays` says how long rows are kept.

While a candidate waits for approval, it scores the files of the group in shadow, unless `[scoring]` has
`shadow = false`. ScoreShadow answers the same event, and MergePredictions writes its predictions into
`shadow_version` and `shadow_prediction` in the night after. Requests, and files larger than
`LambdaScoringLimitBytes`, are not scored in shadow. Its failure changes nothing about the batch.

Predictions of [requests](predict-api.md) come through `RequestQueue`: RecordRequests writes those of
about a minute into one file. `batch_id` is `request-` and the id of the request. Messages that failed five
times are in `RequestDeadLetterQueue`; `mlops replay RequestDeadLetterQueue` hands them in again.

`mlops score MODEL FILE --output OUT --root DIR --group GROUP` records what it scored in the folder
`DIR/ledger/`, if the registry in `DIR` has the group; `mlops score GROUP FILE` does so with its champion.

People who read the ledger need the policy of the output `LedgerReaderPolicyArn`. In the Athena console,
use the workgroup of the output `LedgerWorkgroupName` and state `model_group = '...'`; there a row may
come twice while the files of a day are merged. A query may read at most `LedgerQueryLimitBytes`. Its
result is deleted after 7 days.
"""
_LABELS = f"""
## Labels

What came true is dropped into `<group>/labels/`, in any format that is read, and becomes rows of Parquet
files below `labels/`, in the Glue table `label_rows`. A file has the id columns of the group and the
outcome, in a column with the name of the target, `label` or `outcome`. Without ids, `batch` and `row` of the
predictions say whose outcome it is, also of a [request](predict-api.md); `batch` may be left out when the
file is named as the folder of the predictions. The time of the outcome is in `label_time`, or in the column
that `time_column` names.

```text
patient_id,offtrt,label_time
10056,0,2026-11-20
10059,1,2026-11-21T08:30:00Z
```

A file with an unknown class, a time in the future or another fault is refused as a whole. A label belongs to
the latest prediction of its id before the outcome was known: at its time, else when it was dropped. Labels
that come before the prediction wait for it. Of several labels of a prediction the last one counts.

`mlops labels FILE --root DIR --group GROUP` records labels on plain files, and `mlops quality GROUP` shows
how good the predictions were. In `mlops predictions GROUP --sql` the table `labels` has all labels of the
group, each once. The table `[quality]` in `model.toml` says when that is judged:
`min_labels = 100`, `window_days = 90`, `label_delay_days` (derived from the labels when it is not stated:
then a day is judged when about as many of its predictions have a label as usual). It can only be stricter
than what was approved with the champion. Predictions that no outcome will follow are not recorded when the
request says so.
Schema version of the labels: {LABEL_SCHEMA_VERSION}.

"""


def render_reference() -> str:
    """Return the page in Markdown."""
    return "\n".join(
        [
            _INTRODUCTION + "## Columns",
            "",
            *_table(COLUMNS),
            "",
            "## Partitions",
            "",
            *_table(PARTITIONS),
            _CONCLUSION + _LABELS.rstrip("\n"),
            "",
            *_table((*LABELS.columns, *LABELS.partitions)),
            "",
        ]
    )


def _table(columns: Iterable[Column]) -> list[str]:
    lines = [f"| `{column.name}` | `{column.sql_type}` | {column.meaning} |" for column in columns]
    return ["| column | type | meaning |", "|---|---|---|", *lines]


if __name__ == "__main__":
    sys.stdout.write(render_reference())

"""The page of the ledger's columns for the documentation.

python -m mlops.ledger.reference > docs/ledger.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable

from mlops.ledger.columns import COLUMNS, PARTITIONS, SCHEMA_VERSION, Column

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

`mlops score MODEL FILE --output OUT --root DIR --group GROUP` records what it scored in the folder
`DIR/ledger/`, if the registry in `DIR` has the group.

People who read the ledger need the policy of the output `LedgerReaderPolicyArn`. In the Athena console,
use the workgroup of the output `LedgerWorkgroupName` and state `model_group = '...'`; there a row may
come twice while the files of a day are merged. A query may read at most `LedgerQueryLimitBytes`. Its
result is deleted after 7 days.
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
            _CONCLUSION,
        ]
    )


def _table(columns: Iterable[Column]) -> list[str]:
    lines = [f"| `{column.name}` | `{column.sql_type}` | {column.meaning} |" for column in columns]
    return ["| column | type | meaning |", "|---|---|---|", *lines]


if __name__ == "__main__":
    sys.stdout.write(render_reference())

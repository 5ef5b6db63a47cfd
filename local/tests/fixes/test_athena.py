"""Results of Athena are where AWS has them."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from local import LocalCloud


def test_the_result_of_a_query_is_at_the_location_that_it_names(
    cloud: LocalCloud, eventually: Callable[..., Any]
) -> None:
    athena, s3 = cloud.client("athena"), cloud.client("s3")
    s3.create_bucket(Bucket="results-of-queries")
    output = {"OutputLocation": "s3://results-of-queries/kept/"}
    query_id = athena.start_query_execution(QueryString="SELECT 7 AS n", ResultConfiguration=output)[
        "QueryExecutionId"
    ]

    def succeeded() -> dict[str, Any] | None:
        execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return execution if execution["Status"]["State"] == "SUCCEEDED" else None

    address = urlsplit(eventually(succeeded)["ResultConfiguration"]["OutputLocation"])
    assert address.path == f"/kept/{query_id}.csv"
    stored = s3.get_object(Bucket=address.netloc, Key=address.path.lstrip("/"))["Body"].read()
    assert stored.split() == [b"n", b"7"]

"""Tables in the AWS Glue Data Catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops.infrastructure.aws.clients import client, error_code


def put_table(database: str, table: Mapping[str, Any], *, glue: Any = None) -> None:
    """Create a table, or replace the definition of the one with its name.

    Parameters
    ----------
    table
        A `TableInput` of the API of Glue.
    """
    glue = glue or client("glue")
    try:
        glue.create_table(DatabaseName=database, TableInput=table)
    except ClientError as error:
        if error_code(error) != "AlreadyExistsException":
            raise
        glue.update_table(DatabaseName=database, TableInput=table, SkipArchive=True)

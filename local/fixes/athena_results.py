"""The result of a query is the file that the answer about the query names."""

from typing import Any

from ministack.services import athena

from local.emulator import wrap


def install() -> None:
    """Write each result where `GetQueryExecution` says that it is."""
    wrap("athena._save_query_results", _at_the_named_location)


def _at_the_named_location(original: Any) -> Any:
    async def save_query_results(query_id: str) -> None:
        configuration = athena._executions[query_id]["ResultConfiguration"]
        location = configuration["OutputLocation"]
        # MiniStack appends the name of the file to it once more; nothing else runs meanwhile
        configuration["OutputLocation"] = location.rpartition("/")[0]
        try:
            await original(query_id)
        finally:
            configuration["OutputLocation"] = location

    return save_query_results

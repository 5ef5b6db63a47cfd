"""Raises the requested error."""


class RowsMissingError(Exception):
    """An error class of our own."""


def handler(event, context):
    """Raise the named error."""
    if event.get("error") == "rows":
        raise RowsMissingError("7 rows are missing")
    raise ValueError("no such case")

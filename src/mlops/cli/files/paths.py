"""Paths on the command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def local_path(text: str) -> Path:
    """Return the path of a local file or directory, as the `type` of an argument.

    Raises
    ------
    ArgumentTypeError
        If it is the address of an object in S3, of which a path would silently drop a slash.
    """
    if text.startswith("s3://"):
        raise argparse.ArgumentTypeError(
            f"{text} is in S3, and this command reads local files: copy it first with `aws s3 cp {text} .`"
        )
    return Path(text)

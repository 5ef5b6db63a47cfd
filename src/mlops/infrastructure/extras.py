"""Libraries that only some uses need, and the extra of this package that installs each."""

from __future__ import annotations

from importlib.util import find_spec

from mlops.models.errors import MissingPackageError

DISTRIBUTION = "serverless-mlops"
EXTRA_OF = {
    "aws_lambda_powertools": "aws",
    "backports": "formats",
    "boto3": "aws",
    "botocore": "aws",
    "duckdb": "formats",
    "python_calamine": "formats",
    "xgboost": "train",
}


def is_installed(name: str) -> bool:
    """Return whether a library can be imported, without importing it."""
    return find_spec(name) is not None


def require_package(name: str) -> None:
    """Check that a library of an extra is installed, without importing it.

    Parameters
    ----------
    name
        The name by which the library is imported; one that is in no extra is installed with this package.

    Raises
    ------
    MissingPackageError
        If the library is not installed; the message names the extra to install.
    """
    if name in EXTRA_OF and not is_installed(name):
        raise MissingPackageError(missing_package_message(name))


def missing_package_message(name: str) -> str:
    """Return the sentence that says which extra installs the library."""
    extra = EXTRA_OF[name]
    return (
        f"{name} is not installed: install {DISTRIBUTION} with its extra {extra!r}, "
        f"for example by `pip install '.[{extra}]'` in its folder."
    )

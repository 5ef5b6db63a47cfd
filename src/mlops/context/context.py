"""The context of a command or a script: plain files below a directory, or a deployed stack."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops.context.files import FilesContext
from mlops.context.retraining import RetrainingContext

type Context = FilesContext | RetrainingContext

# an output of the stack that its functions know under another name
_VARIABLE_OF_OUTPUT = {
    "approval_url": "APPROVAL_BASE_URL",
    "platform_key_arn": "TASK_TOKEN_KEY_ARN",
    "rollback_url": "ROLLBACK_BASE_URL",
}


def open_context(root: Path, stack_name: str | None = None) -> Context:
    """Return the context of the deployed stack of that name; without a name, of plain files below `root`.

    Raises
    ------
    SettingsError
        If the stack does not exist, or was deployed from another version of the template.
    """
    return open_stack(stack_name) if stack_name else FilesContext(root)


def open_stack(stack_name: str, *, cloudformation: Any = None) -> RetrainingContext:
    """Return the context of the deployed stack of that name; the client is made when none is passed.

    Raises
    ------
    SettingsError
        If the stack does not exist, or was deployed from another version of the template.
    """
    from mlops.infrastructure.aws.account.cloudformation import read_stack

    outputs = asdict(read_stack(stack_name, cloudformation=cloudformation))
    return RetrainingContext(
        {_VARIABLE_OF_OUTPUT.get(name, name.upper()): value for name, value in outputs.items()}
    )

"""Script mode: how a container without an entry point of its own starts the program of its hyperparameters.

Done by a toolkit inside AWS's images: it reads `sagemaker_program` and `sagemaker_submit_directory`, decodes
the hyperparameters as JSON, and gives them to the program as arguments and in SM_* variables.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PROGRAM, _FOLDER = "sagemaker_program", "sagemaker_submit_directory"
_OF_THE_TOOLKIT = ("sagemaker_", "_tuning_objective_metric")


def is_requested(hyperparameters: Mapping[str, str]) -> bool:
    """Tell whether these hyperparameters name a program and a local folder that holds it."""
    folder = _decoded(hyperparameters.get(_FOLDER, ""))
    return _PROGRAM in hyperparameters and str(folder).startswith("/opt/ml/")


def command(hyperparameters: Mapping[str, str]) -> list[str]:
    """Return the program and its arguments, with paths of the container."""
    program = f"{_decoded(hyperparameters[_FOLDER])}/{_decoded(hyperparameters[_PROGRAM])}"
    words = ["python3", program]
    for name, value in sorted(_own(hyperparameters).items()):
        words += [f"--{name}", value if isinstance(value, str) else json.dumps(value)]
    return words


def variables(hyperparameters: Mapping[str, str], base: Path, channels: list[str]) -> dict[str, str]:
    """Return the variables that the toolkit sets for the program."""
    folders = {f"SM_CHANNEL_{name.upper()}": str(base / "input" / "data" / name) for name in channels}
    return {
        "SM_HPS": json.dumps(_own(hyperparameters)),
        "SM_MODEL_DIR": str(base / "model"),
        "SM_OUTPUT_DATA_DIR": str(base / "output" / "data"),
        "SM_CHANNELS": json.dumps(channels),
        **folders,
    }


def _own(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    return {
        name: _decoded(value)
        for name, value in hyperparameters.items()
        if not name.startswith(_OF_THE_TOOLKIT)
    }


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text

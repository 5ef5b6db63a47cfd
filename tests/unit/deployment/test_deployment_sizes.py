"""A function that Lambda would refuse is refused before the upload."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deployment.errors import DeploymentError
from deployment.sizes import LIMIT_BYTES, check_sizes


def a_build(folder: Path, size_bytes: int) -> Path:
    """A built template with one function of one layer, together of this size."""
    for name in ("Score", "Shared", "Large"):
        (folder / name).mkdir()
    (folder / "Score" / "app.py").write_text("#")
    with (folder / "Large" / "large.so").open("wb") as file:
        file.truncate(size_bytes - 1)  # a sparse file
    resources = {
        "Score": {
            "Type": "AWS::Serverless::Function",
            "Properties": {"CodeUri": "Score", "Layers": [{"Ref": "Large"}]},
        },
        **{
            name: {"Type": "AWS::Serverless::LayerVersion", "Properties": {"ContentUri": name}}
            for name in ("Shared", "Large")
        },
    }
    template = folder / "template.yaml"
    shared = {"Function": {"Layers": [{"Ref": "Shared"}]}}
    template.write_text(json.dumps({"Globals": shared, "Resources": resources}))
    return template


def test_a_function_of_the_size_that_lambda_takes_is_accepted(tmp_path: Path) -> None:
    check_sizes(a_build(tmp_path, LIMIT_BYTES))


def test_a_larger_function_is_refused_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match=r"Score has 250 MiB.*install llvm-strip"):
        check_sizes(a_build(tmp_path, LIMIT_BYTES + 1))

"""One definition of the names of groups: uploads, runs and the registry take the same."""

from __future__ import annotations

import pytest

from mlops.experiment.names import require_group
from mlops.infrastructure.upload_events import Upload
from mlops.models.errors import ExperimentError, RegistryError
from mlops.registry.tags import check_group


def _group_of_upload(name: str) -> str | None:
    return Upload("bucket", f"{name}/training/rows.csv", None, 1).group


@pytest.mark.parametrize("name", ["a", "7", "drug-spend", "Drug.spend_2", "x" * 63])
def test_uploads_runs_and_the_registry_take_a_name(name: str) -> None:
    check_group(name)
    assert (require_group(name), _group_of_upload(name)) == (name, name)


@pytest.mark.parametrize("name", ["", "_features", ".hidden", "-a", "a b", "é", "x" * 64, "a\n"])
def test_uploads_runs_and_the_registry_refuse_a_name(name: str) -> None:
    assert _group_of_upload(name) is None
    with pytest.raises(ExperimentError, match="up to 63 letters") as of_a_run:
        require_group(name)
    with pytest.raises(RegistryError) as of_the_registry:
        check_group(name)
    assert str(of_a_run.value) == str(of_the_registry.value)

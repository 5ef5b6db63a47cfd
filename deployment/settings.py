"""The section of samconfig.toml that a deployment uses."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from samcli.cli.types import CfnParameterOverridesType, CfnTags

from deployment.errors import DeploymentError


@dataclass(frozen=True, slots=True)
class Settings:
    """What samconfig.toml says about one configuration, such as `prod`."""

    config: str
    stack_name: str
    region: str | None
    parameters: Mapping[str, str]


def read_settings(path: Path, config: str) -> Settings:
    """Return the settings of a configuration.

    Raises
    ------
    DeploymentError
        The file has no such section.
    """
    sections = tomllib.loads(path.read_text(encoding="utf-8"))
    names = sorted(name for name, section in sections.items() if isinstance(section, dict))
    if config not in names:
        raise DeploymentError(f"CONFIG={config} is not in {path.name}: choose one of {', '.join(names)}.")
    commands = sections[config]
    shared, deploy = (commands.get(name, {}).get("parameters", {}) for name in ("global", "deploy"))
    values = {**shared, **deploy}
    return Settings(
        config,
        values["stack_name"],
        values.get("region"),
        parse_parameters(values.get("parameter_overrides", "")),
    )


def parse_tags(text: str) -> dict[str, str]:
    """Return the tags in a text such as `team=risk cost-centre=42`.

    Raises
    ------
    DeploymentError
        `sam` would not understand the text either.
    """
    try:
        return dict(CfnTags().convert((text,), None, None)) if text.strip() else {}
    except Exception as error:
        raise DeploymentError(
            f"TAGS={text!r} cannot be read: write name=value, with a space between tags."
        ) from error


def parse_parameters(text: str) -> dict[str, str]:
    """Return the parameters in a text such as `MinRows=80 DriftCheckSchedule="cron(0 3 * * ? *)"`.

    Raises
    ------
    DeploymentError
        `sam` would not understand the text either.
    """
    try:
        return dict(CfnParameterOverridesType().convert((text,), None, None)) if text.strip() else {}
    except Exception as error:
        raise DeploymentError(
            f"PARAMETERS={text!r} cannot be read: write Name=value, with a space between parameters."
        ) from error

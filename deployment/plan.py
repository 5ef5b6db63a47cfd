"""The two commands of a deployment: what is checked before, and which parameters are passed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deployment.account import Deployed
from deployment.errors import DeploymentError
from deployment.settings import Settings
from deployment.template import TemplateFacts

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment: `sam build` for a processor, then `sam deploy`."""

    config: str
    stack_name: str
    region: str
    architecture: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]

    @property
    def build_command(self) -> list[str]:
        """`sam build`; the Makefile of the layers reads the processor from the environment."""
        return ["sam", "build", "--config-env", self.config]

    @property
    def deploy_command(self) -> list[str]:
        """`sam deploy`; a parameter that is not passed keeps its value, or has its default the first time."""
        command = ["sam", "deploy", "--config-env", self.config]
        command += ["--stack-name", self.stack_name, "--region", self.region, "--no-confirm-changeset"]
        for option, values in (("--parameter-overrides", self.parameters), ("--tags", self.tags)):
            if values:
                command += [option, *(f"{name}={_quoted(value)}" for name, value in values.items())]
        return command


def make_plan(
    settings: Settings,
    template: TemplateFacts,
    region: str,
    deployed: Deployed | None,
    requested: Mapping[str, str],
    tags: Mapping[str, str],
) -> Plan:
    """Return the plan of a deployment.

    Parameters
    ----------
    deployed
        The stack as it is deployed, or None when it does not exist.
    requested
        Parameters of this request; they win over those of samconfig.toml, and these over the deployed ones.
    tags
        Tags of this request; `sam` removes tags that it is not given, so the deployed ones are added.

    Raises
    ------
    DeploymentError
        The approver is missing or not an email address, or AWS has no training image in the region.
    """
    parameters = {**settings.parameters, **requested}
    effective = {**(deployed.parameters if deployed else {}), **parameters}
    _check_approver(effective.get("ApproverEmail", ""))
    _check_region(region, template.image_regions, effective.get("TrainingImageUri", ""))
    architecture = effective.get("Architecture", template.architecture)
    all_tags = {**(deployed.tags if deployed else {}), **tags}
    return Plan(settings.config, settings.stack_name, region, architecture, parameters, all_tags)


def _check_approver(address: str) -> None:
    if not address:
        raise DeploymentError(
            "The first deployment needs the address that approves models: add APPROVER=me@example.com."
        )
    if not _ADDRESS.fullmatch(address):
        raise DeploymentError(f"APPROVER={address} is not one email address.")


def _check_region(region: str, image_regions: frozenset[str], image: str) -> None:
    if region not in image_regions and not image:
        raise DeploymentError(
            f"AWS has no scikit-learn 1.9-0 training image in {region}: choose another REGION "
            f"({', '.join(sorted(image_regions))})."
        )


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'

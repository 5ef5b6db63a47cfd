"""`sam local invoke` and `sam local start-api` against the local cloud.

`sam` runs functions in Docker and knows neither the deployed stack nor this cloud. So `make up` writes a
template that `sam local` reads instead of the built one (`samconfig.toml` names it): the same functions, with
the variables of their deployed twins, the endpoint and the credentials of the local cloud. `down` removes the
file, and then `sam` says that it is missing.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from samcli.yamlhelper import yaml_parse

from local.cloud import LocalCloud
from local.environment import variables
from local.launcher import CONTAINER_TEMPLATE
from local.relay import Network, start_relay
from mlops.infrastructure.aws.account.cloudformation import stack_resources


def write_container_template(cloud: LocalCloud, built: Path, stack_name: str) -> Path:
    """Write the template for `sam local` into the directory of the cloud, and return its path.

    A function that is not deployed, because of its condition, is left out.

    Parameters
    ----------
    built
        The template that `sam build` made; code and layers are read from its folder.
    stack_name
        The deployed stack, which has the variables.
    """
    template = yaml_parse(built.read_text(encoding="utf-8"))
    settings = variables(container_endpoint(cloud))
    deployed = stack_resources(
        stack_name, "AWS::Lambda::Function", cloudformation=cloud.client("cloudformation")
    )
    functions = _of_type(template, "AWS::Serverless::Function")
    for logical_id in functions.keys() - deployed.keys():
        del template["Resources"][logical_id]
    for logical_id in functions.keys() & deployed.keys():
        of_twin = _variables_of(cloud, deployed[logical_id])
        functions[logical_id]["Environment"] = {"Variables": {**of_twin, **settings}}
    for properties in (functions | _of_type(template, "AWS::Serverless::LayerVersion")).values():
        for name in {"CodeUri", "ContentUri"} & set(properties):
            properties[name] = str((built.parent / properties[name]).resolve())
    path = cloud.directory / CONTAINER_TEMPLATE
    path.write_text(json.dumps(template, indent=1) + "\n", encoding="utf-8")
    return path


def container_endpoint(cloud: LocalCloud) -> str:
    """Return the address of the cloud for a container; on Linux a relay to 127.0.0.1 is started for it.

    Docker Desktop has a name for this machine that reaches 127.0.0.1. Docker on Linux has only the address
    of its bridge, where the cloud does not listen.
    """
    network = _bridge_network() if sys.platform == "linux" else None
    if network is None:
        return f"http://host.docker.internal:{cloud.port}"
    address = str(next(network.hosts()))  # the first is the gateway: this machine
    start_relay(cloud.directory, address, cloud.port, network)
    return f"http://{address}:{cloud.port}"


def _bridge_network() -> Network | None:
    """Return Docker's default network; None when no engine answers."""
    query = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10)
    except (OSError, subprocess.SubprocessError):
        return None
    return ip_network(done.stdout.strip())


def _of_type(template: Mapping[str, Any], resource_type: str) -> dict[str, dict[str, Any]]:
    """Return the properties of the resources of a type by their logical ids."""
    return {
        logical_id: resource["Properties"]
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == resource_type
    }


def _variables_of(cloud: LocalCloud, function_name: str) -> dict[str, Any]:
    configuration = cloud.client("lambda").get_function_configuration(FunctionName=function_name)
    variables: dict[str, Any] = configuration.get("Environment", {}).get("Variables", {})
    return variables

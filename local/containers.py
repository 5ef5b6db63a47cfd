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


def write_container_template(cloud: LocalCloud, built: Path, stack_name: str) -> Path:
    """Write the template for `sam local` into the directory of the cloud, and return its path.

    Parameters
    ----------
    built
        The template that `sam build` made; code and layers are read from its folder.
    stack_name
        The deployed stack, which has the variables.
    """
    template = yaml_parse(built.read_text(encoding="utf-8"))
    settings = variables(container_endpoint(cloud))
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        for name in {"CodeUri", "ContentUri"} & set(properties):
            properties[name] = str((built.parent / properties[name]).resolve())
        if resource["Type"] == "AWS::Serverless::Function":
            deployed = _deployed_variables(cloud, stack_name, logical_id)
            properties["Environment"] = {"Variables": {**deployed, **settings}}
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


def _deployed_variables(cloud: LocalCloud, stack_name: str, logical_id: str) -> Mapping[str, Any]:
    client = cloud.client("lambda")
    resource = cloud.client("cloudformation").describe_stack_resource(
        StackName=stack_name, LogicalResourceId=logical_id
    )["StackResourceDetail"]
    configuration = client.get_function_configuration(FunctionName=resource["PhysicalResourceId"])
    found: dict[str, Any] = configuration.get("Environment", {}).get("Variables", {})
    return found

"""`sam local invoke` of one function in Docker, against the stack that is deployed in the local cloud."""

import json
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_network
from pathlib import Path
from socket import create_connection, socket

from local.cloud import LocalCloud
from local.errors import LocalCloudError
from local.launcher import REPOSITORY_ROOT
from local.stack import STACK_NAME

# Bucket names in the event files, each a placeholder for a bucket of the deployed stack.
_PLACEHOLDERS = {
    "artifact-bucket": "ArtifactBucketName",
    "mlops-artifacts": "ArtifactBucketName",
    "data-bucket": "DataBucketName",
}


def invoke(cloud: LocalCloud, outputs: dict[str, str], function: str, case: str, *options: str) -> int:
    """Run one function with `events/<function>[.<case>].json` and return sam's exit code.

    The function sees the variables of its deployed twin. The cloud listens on 127.0.0.1 only, where no
    container reaches it: while the function runs, a port on Docker's own bridge is relayed there.

    Parameters
    ----------
    function
        Its folder, such as `receive_upload`.
    case
        Which of its events; empty for the plain one.
    options
        More options for `sam local invoke`, such as `--skip-pull-image`.
    """
    event = REPOSITORY_ROOT / "events" / f"{function}{f'.{case}' if case else ''}.json"
    if not event.is_file():
        raise LocalCloudError(f"{event.relative_to(REPOSITORY_ROOT)} does not exist.")
    logical_id = "".join(part.capitalize() for part in function.split("_")) + "Function"
    directory = cloud.directory / "tmp" / "invoke"
    directory.mkdir(exist_ok=True)
    with _relay(_bridge_address(), cloud.port) as endpoint:
        _write(directory / "event.json", rendered(event.read_text(encoding="utf-8"), outputs))
        variables = {**_variables(cloud, logical_id), "AWS_ENDPOINT_URL": endpoint}
        _write(directory / "variables.json", json.dumps({logical_id: variables}))
        command = ["sam", "local", "invoke", logical_id, *options]
        command += ["--template-file", str(REPOSITORY_ROOT / ".aws-sam" / "build" / "template.yaml")]
        command += ["--event", str(directory / "event.json")]
        command += ["--env-vars", str(directory / "variables.json")]
        # EndpointUrl makes the template declare AWS_ENDPOINT_URL: sam sets only what is declared
        command += ["--parameter-overrides", f"EndpointUrl={endpoint} ApproverEmail=approver@example.com"]
        return subprocess.run(command, cwd=directory, env=_environment(cloud), check=False).returncode


def rendered(event: str, outputs: dict[str, str]) -> str:
    """Return an event with the deployed bucket names instead of those in the file."""
    for placeholder, output in _PLACEHOLDERS.items():
        event = event.replace(placeholder, outputs[output])
    return event


def _variables(cloud: LocalCloud, logical_id: str) -> dict[str, str]:
    functions = cloud.client("lambda").list_functions()["Functions"]
    prefix = f"{STACK_NAME}-{logical_id}-"
    function = next(entry for entry in functions if entry["FunctionName"].startswith(prefix))
    return dict(function["Environment"]["Variables"])


def _environment(cloud: LocalCloud) -> dict[str, str]:
    environment = cloud.environment()
    environment.pop("AWS_ENDPOINT_URL")  # sam itself needs no AWS
    return environment


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _bridge_address() -> str:
    """Return the address of this machine on Docker's default network."""
    query = ["docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Subnet}}"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise LocalCloudError(
            "No Docker engine answers: install and start Docker, then try again."
        ) from error
    return str(next(ip_network(done.stdout.strip()).hosts()))  # the first is the gateway: this machine


@contextmanager
def _relay(address: str, port: int) -> Iterator[str]:
    """Pass connections to a free port at `address` on to 127.0.0.1; yields the endpoint for containers."""

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with create_connection(("127.0.0.1", port)) as cloud:
                answers = threading.Thread(target=_pump, args=(cloud, self.request), daemon=True)
                answers.start()
                _pump(self.request, cloud)
                answers.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((address, 0), Relay) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://{address}:{server.server_address[1]}"
        finally:
            server.shutdown()


def _pump(source: socket, target: socket) -> None:
    """Copy bytes until the source ends, then end the target as well."""
    while data := source.recv(65_536):
        target.sendall(data)
    target.shutdown(1)

"""Passes connections from Docker's bridge on to the cloud, which itself listens on 127.0.0.1 alone."""

import os
import socketserver
import subprocess
import sys
import threading
import time
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from socket import create_connection, socket

from local.environment import BIND_HOST
from local.errors import StartError
from local.processes import DIRECTORY_MARK

_START_TIMEOUT_SECONDS = 10.0
_started: list[subprocess.Popen[bytes]] = []  # they run on after this process, which does not wait for them


Network = IPv4Network | IPv6Network


def start_relay(directory: Path, address: str, port: int, network: Network) -> None:
    """Run a relay in the background until `down`, unless one runs already.

    Parameters
    ----------
    directory
        Of the cloud: its mark on the process is how `down` finds it.
    address, port
        Where to listen; the cloud has the same port on 127.0.0.1.
    network
        The addresses of the containers: any other sender is refused.

    Raises
    ------
    StartError
        It did not listen in time.
    """
    if _listens(address, port):
        return
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "local", "relay"),
            *("--address", address, "--port", str(port), "--network", str(network)),
        ],
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, DIRECTORY_MARK: str(directory)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    _started.append(process)
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while not _listens(address, port):
        if time.monotonic() > deadline:
            raise StartError(f"The relay for containers did not listen on {address}:{port} in time.")
        time.sleep(0.05)


def serve_relay(address: str, port: int, network: Network) -> None:
    """Listen at `address` and pass connections of `network` on to the same port of 127.0.0.1, until killed.

    Other machines may have a route to the bridge, so the address of the sender decides.
    """

    class Relay(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with create_connection((BIND_HOST, port)) as cloud:
                answers = threading.Thread(target=_pump, args=(cloud, self.request), daemon=True)
                answers.start()
                _pump(self.request, cloud)
                answers.join()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def verify_request(self, _request: object, client_address: tuple[str, int]) -> bool:
            return ip_address(client_address[0]) in network

    with Server((address, port), Relay) as server:
        server.serve_forever()


def _listens(address: str, port: int) -> bool:
    try:
        create_connection((address, port), timeout=2).close()
    except OSError:
        return False
    return True


def _pump(source: socket, target: socket) -> None:
    """Copy bytes until the source ends, then end the target as well."""
    while data := source.recv(65_536):
        target.sendall(data)
    target.shutdown(1)

"""A layer is unpacked once for all workers.

An environment variable of a function that names a path under /opt which a layer has (`/opt/training`) is
rewritten to where that layer is unpacked.
"""

import hashlib
import io
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from typing import Any

from ministack.services import lambda_svc

from local.emulator import wrap

_unpacking = threading.Lock()


def install() -> None:
    """Hand the workers folders instead of archives."""
    wrap("lambda_runtime.Worker._spawn", _with_unpacked_layers)


def unpacked(archive: bytes) -> Path:
    """Return the folder with the content of `archive`; it is unpacked the first time."""
    folder = Path(tempfile.gettempdir()) / "layers" / hashlib.sha256(archive).hexdigest()[:24]
    with _unpacking:
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                opened.extractall(unfinished)  # zipfile strips drive letters and `..` itself
            unfinished.rename(folder)
    return folder


def at_local_path(value: str, folders: list[Path]) -> str:
    """Return where `/opt/...` is on this machine; a value that no layer explains stays as it is."""
    if value.startswith("/opt/"):
        for folder in reversed(folders):  # a later layer wins, as on AWS
            candidate = folder / value.removeprefix("/opt/")
            if candidate.exists():
                return str(candidate)
    return value


def _with_unpacked_layers(original: Any) -> Any:
    def spawn(self: Any) -> None:
        config = self.config
        layers = config.get("Layers") or []
        archives = [lambda_svc._resolve_layer_zip(layer) for layer in layers]
        if not layers or not all(archives):
            original(self)
            return
        folders = [unpacked(archive) for archive in archives]
        variables = config.get("Environment", {}).get("Variables", {})
        local = {name: at_local_path(str(value), folders) for name, value in variables.items()}
        local["_LAMBDA_LAYERS_DIRS"] = os.pathsep.join(map(str, folders))
        self.config = {**config, "Layers": [], "Environment": {"Variables": local}}
        try:
            original(self)
        finally:
            self.config = config

    return spawn

"""Measures a burst of uploads: `python -m local.tests.burst [--groups 20]`; it is not part of the tests.

Question: how many processes, and how much memory, does the local cloud need when many files are dropped at
once, and does each of them get its answer? Three files per group are dropped: one that cannot be read as a
table, one to score without a model, and an empty one. Memory is the sum of the proportional set sizes (PSS)
of the emulator and all that it started, measured twice a second; it needs /proc, so Linux.
"""

import argparse
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from local.cloud import LocalCloud, local_cloud
from local.launcher import read_state
from local.processes import session_members
from local.stack import DeployedStack, deploy_application, wait

TABLE = "id,age,price\n" + "".join(f"{row},{20 + row % 50},{100 + row * 3}\n" for row in range(300))


class Observer(threading.Thread):
    """Follows the processes of a cloud and keeps the peaks."""

    def __init__(self, cloud: LocalCloud) -> None:
        super().__init__(daemon=True)
        state = read_state(cloud.directory)
        assert state is not None
        self._emulator = state.pid
        self._ended = threading.Event()
        self.processes = 0
        self.memory_bytes = 0

    def run(self) -> None:
        while not self._ended.wait(0.5):
            members = session_members(self._emulator)
            self.processes = max(self.processes, len(members) + 1)
            self.memory_bytes = max(self.memory_bytes, sum(map(pss_bytes, [self._emulator, *members])))

    def end(self) -> None:
        self._ended.set()
        self.join()


def pss_bytes(pid: int) -> int:
    """Return the proportional set size of a process; 0 once it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def files(groups: int) -> dict[str, bytes]:
    """Return the content of each file by its key."""
    dropped = {}
    for number in range(groups):
        group = f"burst-{number:02d}"
        dropped[f"{group}/training/{group}-unreadable.csv"] = b"\xff\xfe" + TABLE.encode()
        dropped[f"{group}/inference/{group}-score.csv"] = TABLE.encode()
        dropped[f"{group}/training/{group}-empty.csv"] = b""
    return dropped


def drop_all(stack: DeployedStack, dropped: dict[str, bytes], timeout_seconds: float) -> float:
    """Drop all files at once and return after how many seconds each of them had its email."""
    started = time.monotonic()
    names = {key.rpartition("/")[2] for key in dropped}

    def all_answered() -> bool | None:
        subjects = " ".join(str(email["subject"]) for email in stack.cloud.emails())
        return True if all(name in subjects for name in names) else None

    with ThreadPoolExecutor(len(dropped)) as pool:
        list(pool.map(lambda item: stack.drop(item[1], item[0]), dropped.items()))
    wait(all_answered, "an email about each file", timeout_seconds)
    return time.monotonic() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--groups", type=int, default=20, help="three files each (default: 20)")
    groups = parser.parse_args().groups
    with (
        tempfile.TemporaryDirectory() as directory,
        local_cloud(directory=Path(directory) / "cloud") as cloud,
    ):
        stack, dropped = deploy_application(cloud), files(groups)
        observer = Observer(cloud)
        observer.start()
        seconds = drop_all(stack, dropped, timeout_seconds=900)
        observer.end()
    peak = f"{observer.processes} processes, {observer.memory_bytes / 2**20:.0f} MiB"
    print(f"{len(dropped)} files answered in {seconds:.0f} s; peak: {peak}")


if __name__ == "__main__":
    main()

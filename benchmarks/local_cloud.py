"""The local cloud: how long people wait for it, beside the work that they asked for.

Question: how long does a training on the local cloud take from the drop to the email, beside its job?

    python -m benchmarks local_cloud

A cloud is started, the application deployed, and the example trained twice: the first training finds nothing
published and no process, the second one finds both. Seconds of the clock, since a person waits for them;
other work on the machine adds to all of them. The table goes to benchmarks/results/local_cloud.md.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from pathlib import Path

from benchmarks.pages import write_page
from local.cloud import local_cloud
from local.stack import DeployedStack, deploy_application

EXAMPLE = Path(__file__).resolve().parents[1] / "examples" / "medication-adherence"
GROUP = "medication-adherence"
JOB = "Train model"
MACHINE = "TrainModel"


def main() -> None:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args()
    with tempfile.TemporaryDirectory() as folder:
        started = time.monotonic()
        with local_cloud(directory=Path(folder)) as cloud:
            up = time.monotonic()
            stack = deploy_application(cloud)
            deployed = time.monotonic()
            stack.drop(EXAMPLE / "model.toml", f"{GROUP}/model.toml")
            table = (EXAMPLE / "train.csv").read_bytes()
            first, second = train(stack, table), train(stack, table.rstrip().rpartition(b"\n")[0])
    page = render(up - started, deployed - up, first, second)
    print(page)
    write_page("local_cloud", page)


def train(stack: DeployedStack, table: bytes) -> tuple[float, float]:
    """Drop a table; return the seconds until its email, and those of its job among them."""
    emails, earlier = stack.cloud.emails(), stack.executions(MACHINE)
    after = max((email["id"] for email in emails), default=0)
    dropped = time.monotonic()
    stack.drop(table, f"{GROUP}/training/train.csv")
    stack.wait_for_approval_link(GROUP, after=after, timeout_seconds=300)
    seconds = time.monotonic() - dropped
    return seconds, seconds_of_job(stack, stack.wait_for_execution(MACHINE, earlier))


def seconds_of_job(stack: DeployedStack, execution: str) -> float:
    """Return how long the state with the training job took."""
    pages = stack.cloud.client("stepfunctions").get_paginator("get_execution_history")
    events = [event for page in pages.paginate(executionArn=execution) for event in page["events"]]
    (entered,) = (e["timestamp"] for e in events if e.get("stateEnteredEventDetails", {}).get("name") == JOB)
    (left,) = (e["timestamp"] for e in events if e.get("stateExitedEventDetails", {}).get("name") == JOB)
    seconds: float = (left - entered).total_seconds()
    return seconds


def render(up: float, deployed: float, first: tuple[float, float], second: tuple[float, float]) -> str:
    lines = [
        "# Local cloud: what people wait for",
        "",
        f"One run, seconds of the clock. {platform.machine()}, Python {platform.python_version()}.",
        "",
        "| | seconds | of them the training job |",
        "|---|---|---|",
        f"| start of the cloud | {up:.1f} | |",
        f"| `sam build`, when the sources changed, and `sam deploy` | {deployed:.1f} | |",
        f"| first training, from the drop to the email | {first[0]:.1f} | {first[1]:.1f} |",
        f"| second training | {second[0]:.1f} | {second[1]:.1f} |",
        "",
        "Decision: jobs get the library as one wheel instead of 730 files, which the first training "
        "published one by one and each job downloaded.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()

"""The commands of a plan, run one after the other."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from deployment.plan import Plan
from deployment.sizes import check_sizes

REPOSITORY = Path(__file__).resolve().parent.parent


def deploy(plan: Plan, *, prepare: Callable[[], None] = lambda: None) -> None:
    """Build and deploy, without anything to read answers from; `prepare` is called between the two.

    Raises
    ------
    subprocess.CalledProcessError
        A command failed; it has printed why.
    """
    _run(plan.build_command, os.environ | {"ARCHITECTURE": plan.architecture})
    check_sizes(REPOSITORY / ".aws-sam" / "build" / "template.yaml")
    prepare()
    _run(plan.deploy_command, dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> None:
    subprocess.run(command, cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, check=True)

"""The emulator process: MiniStack with our corrections, SageMaker and pages, in one asyncio server."""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ministack import app as ministack_app

from local import pages
from local.emulator import install_corrections
from local.fixes.functions.worker_limit import has_waiting_caller
from local.processes import EMULATOR_MARK
from local.sagemaker import tuning
from local.sagemaker.endpoints.hosting import forget_all as stop_all_endpoints
from local.sagemaker.jobs.lifecycle import stop_all_jobs

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


def serve(instance: str) -> None:
    """Run until SIGTERM. The environment (port, directories, AUTH) comes from the launcher.

    Parameters
    ----------
    instance
        Random id by which the launcher recognises this very process.
    """
    os.environ[EMULATOR_MARK] = str(os.getpid())
    install_corrections()
    ministack_app.app = with_local_pages(ministack_app.app, instance)
    sys.argv = sys.argv[:1]  # MiniStack parses the command line itself
    try:
        ministack_app.main()
    finally:
        tuning.forget_all()  # first, or they would start more jobs
        stop_all_endpoints()
        stop_all_jobs()


def with_local_pages(
    application: Callable[..., Awaitable[None]], instance: str
) -> Callable[..., Awaitable[None]]:
    """Return the ASGI application that answers `/_local/...` itself and passes on everything else."""

    async def outer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/_local/"):
            await pages.answer(scope, receive, send, instance)
        else:
            has_waiting_caller.set(True)
            await application(scope, receive, send)

    return outer

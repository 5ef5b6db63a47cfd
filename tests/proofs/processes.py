"""Processes that start fast and alike: forked from one that has imported everything and nothing else."""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext

from tests.proofs.step import FUNCTIONS

_PRELOADED = ["tests.proofs.warm", *(f"functions.{name}.app" for name in FUNCTIONS)]


def fresh_processes() -> ForkServerContext:
    """Return the context whose processes import from where this one does."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # the server itself is started without `sys.path`
    try:
        forkserver.ensure_running()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    return context

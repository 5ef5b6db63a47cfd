"""Requests are stored one revision after the other, each by one writer."""

from __future__ import annotations

from dataclasses import replace

from mlops.approval.store import RequestStore
from mlops.models.approval import RequestStatus
from tests.memory_table import MemoryTable
from tests.unit.approval.test_links import a_request


def test_of_two_writers_of_a_revision_the_second_one_is_refused():
    store, request = RequestStore(MemoryTable()), a_request()
    assert store.put(request)
    assert not store.put(replace(request, version="v9.9.9"))
    decided = replace(request, status=RequestStatus.DECIDED, revision=request.revision + 1)
    assert store.put(decided)
    assert not store.put(replace(decided, status=RequestStatus.EXPIRED))
    assert store.get(request.id_hash) == decided

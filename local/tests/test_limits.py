"""The queue in front of Lambda workers and SageMaker jobs."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from local.errors import SettingError
from local.limits import (
    Limit,
    check_settings,
    max_lambda_processes,
    max_lambda_workers,
    max_sagemaker_jobs,
)


def in_threads(number: int, work: Callable[[int], None]) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(index,), daemon=True) for index in range(number)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)  # in this order
    return threads


def joined(threads: list[threading.Thread]) -> bool:
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_never_more_than_the_limit_run_and_all_have_their_turn_in_order() -> None:
    limit, running, peak, order = Limit(3), 0, 0, []
    lock = threading.Lock()

    def work(index: int) -> None:
        nonlocal running, peak
        limit.enter()
        with lock:
            running += 1
            peak = max(peak, running)
            order.append(index)
        time.sleep(0.05)
        with lock:
            running -= 1
        limit.leave()

    assert joined(in_threads(12, work))
    assert peak == 3
    assert order == list(range(12))


def test_urgent_ones_go_before_the_others() -> None:
    limit, order = Limit(1), []
    limit.enter()

    def work(index: int) -> None:
        limit.enter(is_urgent=index >= 2)
        order.append(index)
        limit.leave()

    threads = in_threads(4, work)
    limit.leave()
    assert joined(threads)
    assert order == [2, 3, 0, 1]


def test_a_nested_one_never_waits() -> None:
    limit = Limit(1)
    assert limit.enter()
    assert limit.enter(is_nested=True)
    assert limit.holders == 2


def test_one_that_is_cancelled_while_it_waits_takes_no_place() -> None:
    limit, cancelled, answers = Limit(1), threading.Event(), []
    limit.enter()
    threads = in_threads(1, lambda _: answers.append(limit.enter(is_cancelled=cancelled.is_set)))
    cancelled.set()
    assert joined(threads)
    assert answers == [False]
    assert limit.holders == 1
    limit.leave()
    assert limit.enter()


@pytest.mark.parametrize(("used_per_second", "admitted"), [(0.0, True), (0.5, False)])
def test_holders_that_use_no_cpu_time_do_not_block_the_queue(
    used_per_second: float, admitted: bool, eventually: Callable[..., Any]
) -> None:
    limit = Limit(1, lambda: time.monotonic() * used_per_second, stall_seconds=0.2)
    limit.enter()
    cancelled = threading.Event()
    answers: list[bool] = []
    threads = in_threads(1, lambda _: answers.append(limit.enter(is_cancelled=cancelled.is_set)))
    threads[0].join(1.5)
    cancelled.set()
    assert joined(threads)
    assert answers == [admitted]


def test_the_settings_are_whole_numbers_of_at_least_one() -> None:
    assert max_lambda_workers({"LOCAL_MAX_LAMBDA_WORKERS": "3"}) == 3
    assert max_sagemaker_jobs({"LOCAL_MAX_SAGEMAKER_JOBS": "1"}) == 1
    assert 4 <= max_lambda_workers({}) <= 16
    assert max_lambda_processes({}) >= max_lambda_workers({})
    assert max_lambda_processes({"LOCAL_MAX_LAMBDA_WORKERS": "3", "LOCAL_MAX_LAMBDA_PROCESSES": "7"}) == 7
    assert max_lambda_processes({"LOCAL_MAX_LAMBDA_WORKERS": "3", "LOCAL_MAX_LAMBDA_PROCESSES": "1"}) == 3
    assert 2 <= max_sagemaker_jobs({}) <= 8
    for text in ("0", "-1", "two", "", "1.5"):
        with pytest.raises(SettingError, match="LOCAL_MAX_SAGEMAKER_JOBS must be a whole number"):
            check_settings({"LOCAL_MAX_SAGEMAKER_JOBS": text})

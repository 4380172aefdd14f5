"""Tasks in several processes; the tasks are of the standard library, so that processes start in a moment."""

import math
import multiprocessing
import operator
import os
import time

import pytest

from physolve.errors import NumericalError
from physolve.mesh.data.channel._workers import each_done


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_done(workers):
    assert sorted(each_done(operator.neg, [1, 2, 3], workers)) == [-3, -2, -1]


def test_an_interruption_ends_the_processes_at_once():
    began = time.perf_counter()
    results = each_done(time.sleep, [0, 600, 600], 2)
    next(results)
    with pytest.raises(KeyboardInterrupt):
        results.throw(KeyboardInterrupt)
    assert time.perf_counter() - began < 60
    assert not multiprocessing.active_children()


def test_a_process_that_dies_is_said():
    with pytest.raises(NumericalError, match="a worker process died"):
        list(each_done(os._exit, [1, 1], 2))


def test_an_error_in_a_task_is_raised():
    with pytest.raises(ValueError, match=r"math domain error|nonnegative"):
        list(each_done(math.sqrt, [4, -1], 2))


def test_the_environment_is_left_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    list(each_done(operator.neg, [1, 2], 2))
    assert os.environ["OMP_NUM_THREADS"] == "3"
    assert "MKL_NUM_THREADS" not in os.environ

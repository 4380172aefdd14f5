"""Parts worked on by several threads: order, errors, and what threads inherit and leave behind."""

import threading
from collections.abc import Iterator

import pytest
import torch

from physolve.hypino._side_by_side import side_by_side


@pytest.fixture
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    """So many of torch's, two where a test does not say."""
    before, wanted = torch.get_num_threads(), getattr(request, "param", 2)
    torch.set_num_threads(wanted)
    yield wanted
    torch.set_num_threads(before)


@pytest.mark.parametrize("threads", [1, 2], indirect=True)
def test_results_are_in_the_order_of_the_parts(threads: int) -> None:
    late = threading.Event()

    def work(part: int) -> int:
        # The first part ends last, where there is a second thread.
        if part == 0 and threads > 1:
            assert late.wait(60)
        if part == 4:
            late.set()
        return part**2

    assert side_by_side(work, iter(range(5)), 5) == [0, 1, 4, 9, 16]


def test_every_thread_has_one_of_torch_and_the_gradients_of_the_caller(threads: int) -> None:
    both = threading.Barrier(2)

    def work(part: int) -> tuple[str, int, bool]:
        both.wait(60)
        return threading.current_thread().name, torch.get_num_threads(), torch.is_grad_enabled()

    with torch.no_grad():
        found = side_by_side(work, range(2), 2)
    assert {name for name, _, _ in found} == {"physolve_0", "physolve_1"}
    assert [rest for _, *rest in found] == [[1, False]] * 2
    assert torch.get_num_threads() == 2
    assert [grad for _, _, grad in side_by_side(work, range(2), 2)] == [True, True]


def test_one_part_is_worked_on_here(threads: int) -> None:
    assert side_by_side(lambda part: (threading.current_thread(), torch.get_num_threads()), [7], 1) == [
        (threading.main_thread(), 2)
    ]


@pytest.mark.parametrize("where", ["work", "parts"])
def test_an_error_ends_it(threads: int, where: str) -> None:
    started: list[int] = []

    def parts() -> Iterator[int]:
        for part in range(1000):
            if where == "parts" and part == 3:
                raise ValueError("the fourth")
            yield part

    def work(part: int) -> int:
        started.append(part)
        if where == "work" and part == 3:
            raise ValueError("the fourth")
        return part

    with pytest.raises(ValueError, match="the fourth"):
        side_by_side(work, parts(), 1000)
    assert torch.get_num_threads() == 2
    assert where == "work" or len(started) == 3

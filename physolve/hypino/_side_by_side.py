"""Pieces of work beside one another: as many threads as torch has, and one of torch's in each.

The matrices of a few small problems are too small to be shared among cores. And while one thread is in Python, where
only one can be, the others compute.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Event, Lock
from typing import TypeVar

import torch

Part = TypeVar("Part")
Made = TypeVar("Made")


def side_by_side(work: Callable[[Part], Made], parts: Iterable[Part], count: int) -> list[Made]:
    """What `work` makes of each of `count` parts, in their order. A part is made, if they are made one by one, by the
    thread that works on it. Raises what `work`, or making a part, raises first."""
    torch_threads = torch.get_num_threads()
    threads = min(torch_threads, count)
    if threads < 2:
        return list(map(work, parts))
    numbered, one_at_a_time, stopped = enumerate(parts), Lock(), Event()
    gradients = torch.is_grad_enabled()

    def run() -> list[tuple[int, Made]]:
        torch.set_num_threads(1)  # of this thread
        torch.set_grad_enabled(gradients)
        made: list[tuple[int, Made]] = []
        while not stopped.is_set():
            with one_at_a_time:
                number, part = next(numbered, (None, None))
            if number is None or part is None:
                break
            made.append((number, work(part)))
        return made

    with ThreadPoolExecutor(threads, "physolve") as pool:
        try:
            runs = [pool.submit(run) for _ in range(threads)]
            done = dict(pair for ended in as_completed(runs) for pair in ended.result())
        finally:
            stopped.set()
            torch.set_num_threads(torch_threads)  # what threads that begin later have
    return [done[number] for number in range(len(done))]

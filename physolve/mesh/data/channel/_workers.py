"""Independent tasks in several processes."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager

from physolve.errors import NumericalError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def each_done(task: Callable[[int], int], numbers: Sequence[int], workers: int) -> Generator[int, None, None]:
    """`task` of every number, as they end: in this process for one worker, else in that many new ones.

    An interruption, or the generator's end by `close`, ends the processes at once; what they have not finished is lost.

    Raises NumericalError where a process dies, and whatever a task raises.
    """
    if workers == 1 or len(numbers) < 2:
        yield from map(task, numbers)
        return
    before = set(multiprocessing.active_children())
    with _one_thread_each():
        pool = ProcessPoolExecutor(
            min(workers, len(numbers)),
            mp_context=multiprocessing.get_context("spawn"),
            # Ctrl-C reaches all processes of a terminal; the first one ends the others
            initializer=signal.signal,
            initargs=(signal.SIGINT, signal.SIG_IGN),
        )
        futures: list[Future[int]] = [pool.submit(task, number) for number in numbers]
    try:
        for future in as_completed(futures):
            yield future.result()
    except BrokenProcessPool as error:
        raise NumericalError(
            "a worker process died, of too little memory perhaps; the same command goes on, take fewer workers"
        ) from error
    finally:
        for future in futures:
            future.cancel()
        if not all(future.done() for future in futures):
            for child in set(multiprocessing.active_children()) - before:
                child.terminate()
        pool.shutdown(wait=True)


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """What processes started inside find in their environment: libraries that make threads would take the cores from
    one another."""
    saved = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

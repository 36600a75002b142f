"""Spreading work over processes with joblib, results in the order of the tasks, memory bounded, crashes survived."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from itertools import chain, islice
from typing import TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# joblib starts tasks as workers become free and keeps what they return until it is asked for. Waves bound that: at most
# this many tasks per worker are begun before all their results have been taken. At the end of a wave a worker waits for
# half a task on average, about 1.5 % of its time.
_WAVE = 32

# Workers of a run that was killed would hold their memory for minutes: those at work look for their parent this
# often, and those that never had work go after so long without any.
_WATCH_SECONDS, _IDLE_SECONDS = 1.0, 30


class WorkerDied:
    """Takes the place of a result when the worker process died on that very task, twice."""


def in_order(
    tasks: Iterable[Task], work: Callable[[Task], Result], jobs: int
) -> Iterator[tuple[Task, Result | WorkerDied]]:
    """Do ``work`` on each task, on ``jobs`` processes; yield tasks with their results in the order of the tasks.

    A worker that is killed (out of memory, a crash in a C library) takes its pool with it. The tasks that were under
    way are then done again one by one, so that only the one at fault is lost.
    """
    if jobs == 1:
        for task in tasks:
            yield task, work(task)
        return
    from joblib import Parallel, delayed

    source = iter(tasks)
    more = True
    while more:
        pending: deque[Task] = deque()
        trouble: list[BaseException] = []
        try:
            with Parallel(
                n_jobs=jobs,
                backend="loky",
                idle_worker_timeout=_IDLE_SECONDS,
                return_as="generator",
                pre_dispatch="2*n_jobs",
                batch_size=1,
                max_nbytes=None,  # never through memory-mapped files: blocks are bytes, and results go away at once
            ) as parallel:
                for first in source:
                    wave = chain([first], islice(source, _WAVE * jobs - 1))
                    for result in parallel(
                        delayed(_in_worker)(work, task, os.getpid()) for task in _noting(wave, pending, trouble)
                    ):
                        yield pending.popleft(), result
                    if trouble:
                        raise trouble[0]
                more = False
        except BrokenProcessPool:
            while pending:
                task = pending.popleft()
                yield task, _isolated(task, work)


def _noting(tasks: Iterable[Task], pending: deque[Task], trouble: list[BaseException]) -> Iterator[Task]:
    """Pass tasks on, remembering those that are under way.

    joblib asks for tasks in a thread of its own. What is raised there it prints and then forgets, and the run would
    seem to be complete; so it is kept for the thread that takes the results.
    """
    try:
        for task in tasks:
            pending.append(task)
            yield task
    except BaseException as error:
        trouble.append(error)


def _isolated(task: Task, work: Callable[[Task], Result]) -> Result | WorkerDied:
    """Do one task in a process of its own kind: joblib works in this very process unless there are two workers."""
    from joblib import Parallel, delayed

    try:
        result: Result = Parallel(n_jobs=2, max_nbytes=None)([delayed(_in_worker)(work, task, os.getpid())])[0]
    except BrokenProcessPool:
        return WorkerDied()
    return result


def _in_worker(work: Callable[[Task], Result], task: Task, parent: int) -> Result:
    """Do a task in a worker process, which ends when its parent does."""
    if parent != os.getpid():
        _follow(parent)
    return work(task)


@lru_cache(maxsize=1)
def _follow(parent: int) -> None:
    """End this process soon after its parent, even if that was killed; leave Ctrl-C to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_WATCH_SECONDS)
        os._exit(1)

    if os.name == "posix" and os.getppid() == parent:
        threading.Thread(target=watch, daemon=True).start()

"""Snakemake plans what is missing although a job above it runs whose files nobody's age depends on.

Its planner looks at no job that descends from one that has to run, taking for granted that it runs for that. Where all
ways between the two lead through ``ancient`` inputs, nothing makes it run: a call does the upper job and ends in peace,
with its targets missing (SOURCE: snakemake 9.27, ``dag.py``, ``update_needrun``; its issue 4166).
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

MENDED = "looks_below_ancient"


def look_below_ancient(planner: Any) -> None:
    """Let a planner look at jobs that only ``ancient`` inputs connect with one that runs.

    Args:
        planner: Snakemake's class ``DAG``, before it plans; a second call changes nothing.
    """
    if getattr(planner, MENDED, False):
        return
    plan, walk = planner.update_needrun, planner.bfs

    async def update_needrun(self: Any, *args: Any, **kwargs: Any) -> None:
        self.bfs = lambda direction, *jobs, **named: (
            driven(direction, jobs) if direction is self.depending else walk(self, direction, *jobs, **named)
        )
        try:
            await plan(self, *args, **kwargs)
        finally:
            del self.bfs

    planner.update_needrun = update_needrun
    setattr(planner, MENDED, True)


def driven(depending: Any, jobs: tuple[Any, ...]) -> Iterator[Any]:
    """Jobs and all that runs because they do, breadth first.

    Args:
        depending: The jobs that need a job, with the files that they need of it.
        jobs: Where to begin.
    """
    queue, visited = deque(jobs), set(jobs)
    while queue:
        job = queue.popleft()
        yield job
        for below, files in depending[job].items():
            if below not in visited and not all(file.is_ancient for file in files):
                visited.add(below)
                queue.append(below)

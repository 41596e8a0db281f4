"""The log that Snakemake keeps of a call, read while it grows: jobs planned, begun, finished and failed.

Snakemake writes ``.snakemake/log/<time>.snakemake.log`` for every call that is not a dry run: a table of jobs per rule,
then for each job its time of start, rule and number, later its end. Times are local, in whole seconds.
"""

import os
import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

LOGS = Path(".snakemake/log")
HEAD_BYTES = 2**18  # the table of jobs and the first of them, which name the folder of results, fit well into it
TIME = re.compile(r"\[(\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4})\]$")
ROW = re.compile(r"(\S+)\s+(\d+)$")
BEGUN = re.compile(r"(?:local)?(?:rule|checkpoint) (\S+):$")
ERROR = re.compile(r"Error in rule (\S+):$")
JOB = re.compile(r" {4}jobid: (\d+)$")
FINISHED = re.compile(r"Finished jobid: (\d+) \(Rule: (\S+)\)$")
RESTARTED = re.compile(r"Trying to restart job (\d+)\.$")
TABLE, LAST_ROW, ENDED = "Job stats:", "total", "Complete log(s): "


@dataclass
class Call:
    """What is known of one call of Snakemake.

    Attributes:
        planned: Jobs of each rule.
        done: Finished jobs of each rule.
        seconds: Durations of finished jobs of each rule; on a cluster they include waiting in the queue.
        running: Rule and time of start (seconds since 1970) of each job that was begun and has not ended, by number.
        failed: Rule of each job that failed and was not begun again, by number.
        busy_seconds: Durations of all jobs that ended, of failed attempts, too.
        began: Time of the first job; ``None`` before it.
        last: Time of the latest entry with a time.
        ended: Whether Snakemake closed the log; it does so after a failure or Ctrl-C, too, but not when it is killed.
    """

    planned: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    seconds: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    running: dict[str, tuple[str, float]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    busy_seconds: float = 0.0
    began: float | None = None
    last: float | None = None
    ended: bool = False
    _table: dict[str, int] | None = None
    _named: tuple[re.Pattern[str], str] | None = None  # BEGUN or ERROR and the rule, until the job's number follows

    def feed(self, lines: Iterable[str]) -> None:
        """Take up further whole lines of the log."""
        for line in lines:
            if self._table is not None:
                self._feed_row(line)
            elif line.strip() == TABLE:
                self._table = {}
            elif found := TIME.match(line):
                self.last = time.mktime(time.strptime(found[1]))
                self.began = self.last if self.began is None else self.began
            elif line.startswith(ENDED):
                self.ended, self.running = True, {}
            else:
                self._feed_job(line)

    def _feed_row(self, line: str) -> None:
        row = ROW.match(line.strip())
        if row and row[1] != LAST_ROW:
            self._table[row[1]] = int(row[2])  # type: ignore[index]  # the caller has looked
        elif row or not line.strip():
            table, self._table = self._table or {}, None
            if table and table != self.planned:  # another plan: everything is counted anew
                vars(self).update(vars(Call(planned=table)))

    def _feed_job(self, line: str) -> None:
        for pattern in (BEGUN, ERROR):
            if found := pattern.match(line):
                self._named = (pattern, found[1])
                return
        if (found := JOB.match(line)) and self._named:
            (pattern, rule), self._named = self._named, None
            self._leave(found[1])
            if pattern is ERROR:
                self.failed[found[1]] = rule
            elif self.last is not None:
                self.running[found[1]] = (rule, self.last)
        elif found := FINISHED.match(line):
            took = self._leave(found[1])
            self.done[found[2]] += 1
            if took is not None:
                self.seconds[found[2]].append(took)
        elif found := RESTARTED.match(line):
            self._leave(found[1])

    def _leave(self, job: str) -> float | None:
        """Seconds that an attempt of a job took; ``None`` where its start is unknown."""
        self.failed.pop(job, None)
        _, start = self.running.pop(job, ("", None))
        if start is None or self.last is None:
            return None
        took = max(0.0, self.last - start)
        self.busy_seconds += took
        return took


class Follower:
    """The newest call for a folder of results, kept up to date by reading what was appended to its log."""

    def __init__(self, results: Path, works: Callable[[str], bool], since: float = 0.0) -> None:
        """Which call.

        Args:
            results: ``results/<scale>``; the log lies beside ``results``.
            works: Whether a rule is one that makes files; a call without such a rule is passed over.
            since: Logs last written before are passed over (seconds since 1970).
        """
        self.results = Path(os.path.abspath(results))  # noqa: PTH100 (a link is not followed)
        self.works, self.since = works, since
        self.path: Path | None = None
        self.call, self._read, self._rest = Call(), 0, b""

    @property
    def logs(self) -> Path:
        """The folder of Snakemake's logs of the project."""
        return self.results.parents[1] / LOGS if len(self.results.parents) > 1 else self.results / LOGS

    def look(self) -> Call | None:
        """The call as it stands; ``None`` where no log belongs to the folder of results."""
        try:
            return self._look()
        except FileNotFoundError:  # deleted meanwhile
            return None

    def _look(self) -> Call | None:
        newest = self._newest()
        if newest is None:
            return None
        if newest != self.path or newest.stat().st_size < self._read:
            self.path, self.call, self._read, self._rest = newest, Call(), 0, b""
        with newest.open("rb") as file:
            file.seek(self._read)
            added = file.read()
        self._read += len(added)
        *lines, self._rest = (self._rest + added).split(b"\n")  # the last line may be half written
        self.call.feed(line.decode(errors="replace") for line in lines)
        return self.call

    def _newest(self) -> Path | None:
        """The log written last among those that plan work and name the folder of results."""
        written = sorted(((path.stat().st_mtime, path) for path in self.logs.glob("*.snakemake.log")), reverse=True)
        return next((path for when, path in written if when >= self.since and self._belongs(path)), None)

    def _belongs(self, path: Path) -> bool:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES).decode(errors="replace")
        call = Call()
        call.feed(head.splitlines())
        return any(map(self.works, call.planned)) and f"{self.results.parent.name}/{self.results.name}/" in head

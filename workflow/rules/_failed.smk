# What a call does without where jobs failed, so that a failed one costs its cells and not the PDF.
#
# A driver that ends with an error notes every file that was not made for the sake of a failed job (`rlvr.core.failures`).
# A call of tier `finished` reads that: it does without these files, and the cells that lack them say "failed", with the
# log's name. Any other tier asks for everything again.

FAILED = failed_files(RESULTS) if config["tier"] == FINISHED else {}  # log of the failed job by file


def there(paths):
    """Those of these files that no failed job owes."""
    return [path for path in paths if path not in FAILED]


def failed_jobs():
    """Every job that was started and failed, those of groups one by one."""
    return {each for job in workflow.scheduler.failed for each in (job.jobs if job.is_group() else [job])}


def record_failures():
    """Note the files that were not made for the sake of a failed job; the logs of these jobs.

    Tables and documents are not among them: they are what is made without the others.
    """
    dag, failed = workflow.dag, failed_jobs()
    waiting = set(dag.needrun_jobs())
    culprits = blamed(waiting, failed, lambda job: dag.dependencies[job])
    logs = {
        str(path): str(next(iter(culprit.log), culprit.rule.name))
        for job, culprit in culprits.items()
        for path in job.output
        if not str(path).startswith(f"{RESULTS}/paper/")
    }
    or_print(note_failures, logs, RESULTS)
    return list(dict.fromkeys(logs.values()))


def failed_logs():
    """The log of every run of the selected studies that was started and is not finished, by run id.

    A run that is not the one that is asked for (`check_run`) is not finished either.
    """
    logs = {run_id: Path(RESULTS, "logs", "train_run", f"{run_id}.log") for run_id in PROGRAM.specs}
    unfinished = {name: str(log) for name, log in logs.items() if log.is_file() and not launch().is_trained(name)}
    checks = {run_id: FAILED.get(f"{RESULTS}/train/{run_id}/checked.json") for run_id in PROGRAM.specs}
    return {**{name: log for name, log in checks.items() if log}, **unfinished}


def tell_unfinished():
    """Print which runs were started and are not finished, and which other jobs failed; whether there are any.

    Where a failed job could not have written, that is said: on a full disk its log is empty.
    """
    or_print(check_places, written_by(failed_jobs()))
    unfinished = {run_id: log for run_id, log in failed_logs().items() if run_id in RUNS}
    others = [log for log in record_failures() if log not in unfinished.values()]
    for name, log in unfinished.items():
        print(f"not finished: {name} (log: {log})", file=sys.stderr)
    for log in others:
        print(f"failed: {log}", file=sys.stderr)
    return bool(unfinished or others)


def go_on_without_failed():
    """Behind a call that failed: the same one again, of what is finished, so that a failed job costs no PDF.

    Only where the configuration says so, everything that could be done is done (`keep-going`), and what is asked for
    names no run. The call fails all the same.
    """
    if not tell_unfinished():
        return
    again = [sys.executable, "-m", "snakemake", *with_config(sys.argv[1:], f"tier={FINISHED}"), "--nolock"]
    targets = set(workflow.dag_settings.targets) - {rule.name for rule in workflow.rules}
    if (
        config["without_failed"]
        and workflow.execution_settings.keep_going
        and config["tier"] != FINISHED
        and finished_runs(RESULTS)
        and not targets
    ):
        print("Tables, claims and PDF of all other runs:", shlex.join(again), file=sys.stderr, flush=True)
        subprocess.run(again, check=False)
    else:
        print(
            f"Tables, claims and PDF of all other runs: the same command with --config tier={FINISHED}", file=sys.stderr
        )

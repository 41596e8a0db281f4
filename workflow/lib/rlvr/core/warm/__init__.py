"""Jobs of a workflow on this machine as forks of one process that has loaded the libraries.

Importing torch, transformers and TRL costs more than a training run of a small scale. While a workflow runs, a server
(:mod:`server`) holds them loaded and forks itself once per job; the shell that Snakemake starts its jobs with is
replaced by a small program (:mod:`client`) that hands the job over, waits and ends as the job ends. Whatever the
client does not know, or no server answers, is run as always. :mod:`keeper` starts both.
"""

"""The command ``rlvr``: the tools of the workflow on files of anyone. Every command calls what a rule calls."""

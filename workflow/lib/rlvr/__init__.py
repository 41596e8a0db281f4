"""Adapters for reinforcement learning with verifiable rewards: the library behind the workflow.

Layers, lowest first; a module imports only from its own layer or from layers on its left::

    core  <-  prompts, data, rewards, models  <-  train, evaluate
    core  <-  models  <-  spectra
    core  <-  stats  <-  report

Nothing here imports snakemake or reads ``config.yaml``; ``stats`` and ``report`` never import torch.
"""

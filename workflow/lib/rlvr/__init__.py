"""Adapters for reinforcement learning with verifiable rewards: the library behind the workflow.

Layers, lowest first; a module imports only from its own layer or from layers on its left::

    core  <-  plan, prompts, synthetic, stats, weights, grading  <-  rewards, bases, adapters
          <-  data, train, evaluate, spectra, report  <-  cli

Nothing here imports snakemake or reads ``config.yaml``; ``plan``, ``stats`` and ``report`` never import torch.
"""

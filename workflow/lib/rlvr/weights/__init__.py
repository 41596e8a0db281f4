"""Tensors of checkpoints: reading, updates, decompositions, masks."""

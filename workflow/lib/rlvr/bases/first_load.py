"""Imported by the process that jobs are forked from: what transformers works out at its first load of a model."""

from transformers.conversion_mapping import get_checkpoint_conversion_mapping

get_checkpoint_conversion_mapping("llama")  # kept by transformers for all architectures

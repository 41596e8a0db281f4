"""Shared by every layer: errors, files, tables at the border, provenance, seeds, logs."""

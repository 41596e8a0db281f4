"""What every layer shares: errors, files, tables at the border, provenance, seeds, logs."""

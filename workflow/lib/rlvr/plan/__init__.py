"""Everything that the workflow reads before any rule runs: grid, recipe, methods, outputs, claims, labels, sources."""

"""From raw rows to curated problems: registry of sources, origins, readers, filters, cards."""

"""Base models: fetched, shipped, pre-trained or rotated; loading them."""

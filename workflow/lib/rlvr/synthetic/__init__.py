"""Synthetic problems in the released schemas of the real data sets."""

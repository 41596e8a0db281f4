"""Quantiles that are needed where NumPy and SciPy are not loaded."""

Z95 = 1.959963984540054  # SOURCE: 97.5 % quantile of the standard normal

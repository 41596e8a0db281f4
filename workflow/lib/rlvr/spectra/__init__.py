"""Spectra of weight updates and of frozen weights: tensors in, numbers out."""

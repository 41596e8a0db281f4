"""Evaluation in three separate steps: sampling (a GPU at full scale), grading (CPU), scoring (seconds)."""

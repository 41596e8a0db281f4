"""Verdicts on completions: mathematics, programs, puzzles. One grader for training and evaluation."""

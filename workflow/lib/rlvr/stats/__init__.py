"""Estimators, intervals and the arithmetic of printed numbers: numpy only, random generators passed in."""

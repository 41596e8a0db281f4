"""Imported by the process that workers are forked from: they start with computer algebra loaded and used once."""

from rlvr.grading.mathematics.math_answers import match_symbolic

for gold, answer in ((r"\sqrt{x}+2", r"2+\sqrt{y}"), ("[1,2)", "1<x<2"), (r"\{1,2\}", "1, 3"), ("3e^{2}", r"\sin 3")):
    match_symbolic(gold, answer)

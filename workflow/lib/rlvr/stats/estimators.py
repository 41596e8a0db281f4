"""Estimates of a model's ability from k samples of each problem: one value per problem, averaged by the caller."""

import numpy as np


def avg_at_k(correct_PK: np.ndarray) -> np.ndarray:
    """Share of right samples of each problem, shape (P,), from verdicts of shape (P, K)."""
    return np.asarray(correct_PK, dtype=float).mean(axis=1)


def pass_at_k(samples_P: np.ndarray, correct_P: np.ndarray, k: int) -> np.ndarray:
    """Unbiased estimate of the chance that one of k samples is right.

    SOURCE: Chen et al. 2021, equation 1: 1 - C(n - c, k) / C(n, k), as the product of (n - c - i) / (n - i) over
    i < k, which neither overflows nor cancels.

    Args:
        samples_P: n, samples of each problem, at least k.
        correct_P: c, right ones among them.
        k: Samples that a user would draw.

    Returns:
        Estimates of shape (P,), in [0, 1].

    Raises:
        ValueError: If a problem has fewer than k samples, or more right ones than samples.
    """
    samples, correct = np.asarray(samples_P), np.asarray(correct_P)
    if k < 1 or (samples < k).any() or (correct > samples).any() or (correct < 0).any():
        raise ValueError(f"pass@{k} needs 1 <= k <= n and 0 <= c <= n for every problem")
    drawn = np.arange(k)
    all_wrong_PK = np.clip(samples[:, None] - correct[:, None] - drawn, 0, None) / (samples[:, None] - drawn)
    return 1 - all_wrong_PK.prod(axis=1)


def maj_at_k(answers_PK: np.ndarray, correct_PK: np.ndarray) -> np.ndarray:
    """Whether the most frequent answer of each problem is right, shape (P,), 0 or 1.

    Samples without an answer (``None``) do not vote. Among equally frequent answers the one that was sampled first
    wins: no chance, and no look at the gold. A problem without a vote counts as wrong.

    Args:
        answers_PK: What each sample votes for, shape (P, K), in the order of sampling; equal answers are equal objects.
        correct_PK: Whether each is right, shape (P, K).
    """
    pairs = zip(answers_PK, correct_PK, strict=True)
    return np.array([_majority_is_correct(answers_K, correct_K) for answers_K, correct_K in pairs], dtype=float)


def _majority_is_correct(answers_K: np.ndarray, correct_K: np.ndarray) -> bool:
    votes: dict[object, int] = {}
    for answer in answers_K:
        if answer is not None:
            votes[answer] = votes.get(answer, 0) + 1
    if not votes:
        return False
    winner = max(votes, key=votes.__getitem__)  # the first of equals: dictionaries keep the order of insertion
    return any(correct for answer, correct in zip(answers_K, correct_K, strict=True) if answer == winner)

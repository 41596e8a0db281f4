"""Which reward a run is trained on. Read where runs are planned: imports nothing that only a running job has."""

from dataclasses import dataclass

from rlvr.core.errors import InputError

# What a verdict is worth: correct, otherwise.
KINDS: dict[str, tuple[float, float]] = {
    "shaped": (1.0, 0.0),
    "as-printed": (1.0, 0.0),
    "binary": (1.0, 0.0),
    "signed": (1.0, -1.0),
}
AS_PRINTED = "as-printed"
FORMATTED = ("shaped", AS_PRINTED)  # kinds to which the format reward is added


@dataclass(frozen=True, slots=True)
class RewardRule:
    """Which reward, and what it does with long completions.

    Attributes:
        kind: A key of ``KINDS``. ``as-printed`` takes "Structure Over Scale" at its word: the answer stands in the last
            box anywhere, and the format reward is added as it is; see ``rlvr.rewards.reward``.
        max_tokens: Longest completion that can be sampled.
        overlong_buffer: Tokens before that length over which the penalty grows from 0 to 1; 0 for no penalty.

    Raises:
        InputError: If there is no such kind, or if the buffer is longer than the longest completion: every completion
            would be punished.
    """

    kind: str = "shaped"
    max_tokens: int = 0
    overlong_buffer: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("reward", f"'{self.kind}' is unknown.", f"Choose one of {', '.join(KINDS)}.")
        if self.overlong_buffer > self.max_tokens:
            problem = f"{self.overlong_buffer} tokens are more than the {self.max_tokens} of the longest completion."
            raise InputError("overlong_buffer_tokens", problem, "Choose a smaller buffer or longer completions.")

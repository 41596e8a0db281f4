"""The one error type that is shown to a user without a traceback's help."""

from rlvr.core.escaping import visible


class InputError(ValueError):
    """Something that a user wrote or supplied is wrong.

    The message names the file, key or row, says what was expected and what to do about it. What it quotes
    moves no cursor: control characters are written out.
    """

    def __init__(self, where: object, problem: str, remedy: str) -> None:
        super().__init__(visible(f"{where}: {problem} {remedy}"))
        self.where = str(where)
        self.problem = problem
        self.remedy = remedy

    def __reduce__(self) -> tuple[type["InputError"], tuple[str, str, str]]:
        """Travel whole from a worker process: the message alone cannot rebuild the error."""
        return type(self), (self.where, self.problem, self.remedy)

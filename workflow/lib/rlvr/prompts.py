"""The only prompt templates: pre-training, training and evaluation all render from here."""

from dataclasses import dataclass

from rlvr.core.errors import InputError
from rlvr.core.turns import THINK_CLOSE, THINK_OPEN

__all__ = [
    "BOX_OPEN",
    "TEMPLATES",
    "THINK_CLOSE",
    "THINK_OPEN",
    "Template",
    "assistant_text",
    "find_template",
    "render_prompt",
]

BOX_OPEN = "\\boxed{"

_SLOT = "{question}"


@dataclass(frozen=True)
class Template:
    """A prompt with one slot, and the part of the assistant's turn that the prompt has already written.

    Attributes:
        name: The key under which scale files name the template.
        text: The prompt; ``{question}`` is replaced, every other brace is literal.
        opened: The prompt's tail that belongs to the assistant's turn; completions continue it.
    """

    name: str
    text: str
    opened: str = THINK_OPEN


_COMPACT = "User: {question}\nAssistant: <think>"

# ASSUME: "Structure Over Scale" prints no prompt; this follows the R1-Zero idea (reason inside tags, then answer) in
# our own words.
_R1_ZERO = """\
Below, a User asks one mathematics question and an Assistant answers it. Before answering, the Assistant works the \
problem out step by step between <think> and </think>. After </think> it gives a short answer and puts the final \
result, and nothing else, inside \\boxed{}.

User: {question}
Assistant: <think>"""

# What the chat template of SmolLM2-Instruct makes of a system message, one example and the question, up to the tag that
# opens the reasoning. ASSUME: the words and the example are ours; without an example one answer in a hundred is boxed.
_CHATML_EXAMPLE = """\
<|im_start|>system
Think, then box the result.<|im_end|>
<|im_start|>user
What is 4 - 1?<|im_end|>
<|im_start|>assistant
<think>4 - 1 = 3</think>\\boxed{3}<|im_end|>
<|im_start|>user
{question}<|im_end|>
<|im_start|>assistant
<think>"""

TEMPLATES = {
    template.name: template
    for template in (
        Template("compact", _COMPACT),
        Template("r1_zero", _R1_ZERO),
        Template("chatml_example", _CHATML_EXAMPLE),
    )
}


def find_template(name: str) -> Template:
    """The template called ``name``.

    Raises:
        InputError: If there is none; the message lists the names that exist.
    """
    if name not in TEMPLATES:
        raise InputError(f"template '{name}'", "no such prompt template.", f"Choose one of {', '.join(TEMPLATES)}.")
    return TEMPLATES[name]


def render_prompt(question: str, template: str) -> str:
    """The text that the model is asked to continue; braces inside the question stay as they are."""
    before, after = find_template(template).text.split(_SLOT)
    return before + question + after


def assistant_text(completion: str, template: str) -> str:
    """The assistant's whole turn: what the prompt opened (``<think>``), then the completion."""
    return find_template(template).opened + completion

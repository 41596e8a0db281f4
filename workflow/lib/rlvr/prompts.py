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
        chat: Whether the model was tuned to it: jobs compare it, token by token, with the template of its tokenizer.
        instruction: What a chat template asks for behind the question, inside the user's turn.
    """

    name: str
    text: str
    opened: str = THINK_OPEN
    chat: bool = False
    instruction: str = ""


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

# ASSUME: no paper prints its prompt; reasoning and a box are what the graders of all of them look for.
_ASKED = "\nReason step by step, and put the final answer into \\boxed{}."

# SOURCE: the chat templates in the tokenizers of the releases. The token that begins a text is the tokenizer's to add.
_DEEPSEEK_R1 = f"<\uff5cUser\uff5c>{_SLOT}{_ASKED}<\uff5cAssistant\uff5c><think>\n"
_QWEN2_5 = (
    "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
    f"<|im_start|>user\n{_SLOT}{_ASKED}<|im_end|>\n<|im_start|>assistant\n"
)
_LLAMA3_2 = (
    "<|start_header_id|>system<|end_header_id|>\n\nCutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n"
    f"<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n{_SLOT}{_ASKED}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)

TEMPLATES = {
    template.name: template
    for template in (
        Template("compact", _COMPACT),
        Template("r1_zero", _R1_ZERO),
        Template("chatml_example", _CHATML_EXAMPLE),
        Template("chat", "Q: {question}\nA: <think>", chat=True),  # of the small models that were tuned
        Template("deepseek_r1", _DEEPSEEK_R1, f"{THINK_OPEN}\n", chat=True, instruction=_ASKED),
        Template("qwen2.5_chat", _QWEN2_5, "", chat=True, instruction=_ASKED),
        Template("llama3.2_chat", _LLAMA3_2, "", chat=True, instruction=_ASKED),
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

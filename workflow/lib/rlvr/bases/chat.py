"""Chat templates: the text that ``rlvr.prompts`` renders is, token by token, what the model's own template makes."""

from typing import TYPE_CHECKING, Any

from rlvr.core.errors import InputError
from rlvr.prompts import find_template, render_prompt

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PROBE = "How much is {2 + 3}?\nExplain."
# The day that a template writes into its system prompt (Llama 3.2) unless another one is given: prompts must not change
# with the calendar. SOURCE: the default in the chat template of Llama-3.2-3B-Instruct.
DAY = "26 Jul 2024"


def set_chat_template(tokenizer: "PreTrainedTokenizerBase", template: str) -> None:
    """Give a tokenizer the chat template, in Jinja, that renders the prompts of a template of the workflow.

    Raises:
        InputError: If the template is not one for chats.
    """
    found = find_template(template)
    if not found.chat:
        raise InputError(f"template '{template}'", "is no chat template.", "Choose one that is, see rlvr.prompts.")
    before, after = found.text.split("{question}")
    tokenizer.chat_template = (
        "{% for message in messages %}{{ " + repr(before) + " + message['content'] + " + repr(after) + " }}{% endfor %}"
    )


def check_chat(tokenizer: "PreTrainedTokenizerBase", template: str, where: object) -> None:
    """Check a chat template against the one that the tokenizer carries; for other templates there is nothing to check.

    Raises:
        InputError: If the tokenizer carries none, or makes other tokens of a question; gives both texts.
    """
    found = find_template(template)
    if not found.chat:
        return
    if not tokenizer.chat_template:
        problem = f"its tokenizer has no chat template, but '{template}' is one."
        raise InputError(where, problem, "Name another `template` for this model in the scale file.")
    ours: Any = tokenizer(render_prompt(PROBE, template))["input_ids"]
    own: Any = tokenizer.apply_chat_template(
        [{"role": "user", "content": PROBE + found.instruction}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=False,
        date_string=DAY,
    )
    if list(ours) != list(own):
        texts = [repr(tokenizer.decode(ids)) for ids in (ours, own)]
        problem = f"template '{template}' gives {texts[0]}, its own chat template {texts[1]}."
        raise InputError(where, problem, "Correct the template in rlvr.prompts, or name another one for this model.")

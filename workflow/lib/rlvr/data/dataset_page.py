"""The data card as a page: card.json and checks.json in Markdown."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rlvr.core.escaping import markdown_cell, markdown_table

KNOWN = ("recipe", "sources", "counts", "difficulty", "topics", "answer_types", "splits", "unused", "taken_out")
COUNTS = ("before", "after", "read", "kept")  # the last columns of a table, in this order (JSON keeps none)
ADDRESS = re.compile(r"https?://[!-;=?-~]+")  # printable ASCII without angle brackets
MAX_LISTED = 20
HEADERS = {"training_problems": "problems here"}

PAGE = """\
# {{ dataset }}

{{ checks.problems.train }} problems to train on, {{ checks.problems.eval }} held out, {{ card.unused }} unused.
{% for deviation in card.deviations %}
**Differs from the registry or the published numbers:** {{ deviation }}.
{% endfor %}
## Sources

{% for source in card.sources -%}
* **{{ source.source }}** ({{ source.origin }}): {{ source.rows }} rows; licence: {{ source.licence }}; \
non-commercial only: {{ source.noncommercial }}{% if source.url %}; {{ link(source.url) }}{% endif %}
{% endfor %}
## Recipe

{{ settings(card.recipe) }}

## Filters

{{ table(card.counts) }}

{% if card.taken_out %}
Taken out, because nothing can be trained or evaluated on them:

{{ table(card.taken_out[:limit]) }}
{% if card.taken_out|length > limit %}
The first {{ limit }} of {{ card.taken_out|length }}; all of them are in card.json.
{% endif %}{% endif %}
## Difficulty

{{ table(card.difficulty.bins) }}
{% if card.difficulty.not_rated %}
{{ table(card.difficulty.not_rated) }}
{% endif %}
## Topics

{{ table(card.topics) }}

{% if card.strata %}
## Strata before the draw

{{ table(strata.supply) }}

## Strata as drawn

{{ table(strata.drawn) }}

{% endif %}
## Contamination

Problems of the benchmarks that stand in the {{ "training" if checks.contamination.split == "train" else "held-out" }} \
split with the same text, or that share {{ checks.contamination.ngram_words }} consecutive words with it.

{{ table(overlaps) }}

## Answers

{{ table(checks.answer_types) }}

The grader ({{ checks.golds.grader }}) can read {{ checks.golds.readable }} of {{ checks.golds.problems }} golds.
{% if checks.golds.unreadable %}
{{ table(checks.golds.unreadable[:limit]) }}
{% if checks.golds.unreadable|length > limit %}
The first {{ limit }} of {{ checks.golds.unreadable|length }}; all of them are in checks.json.
{% endif %}{% endif %}
## Prompt lengths

Tokens of the prompt (template {{ checks.tokens.template }}; tokenizer: {{ checks.tokens.tokenizer }}). \
{{ checks.tokens.longer }} prompts exceed the limit of {{ checks.tokens.limit }} tokens that a model is trained with; \
the longest has {{ checks.tokens.longest }}. (A set that nothing is trained on has no limit.)

{{ table(checks.tokens.bins) }}

## Repetitions

{{ settings(checks.duplicates) }}
* problems with control characters: {{ checks.odd_characters.control_characters }}; with marks that turn the direction \
of text: {{ checks.odd_characters.direction_marks }}
* passed the filters{{ ", before the draw" if card.strata }}, although an earlier problem asks the same: \
{{ card.repeats_kept }}
{% for name, rows in further.items() %}
## {{ name }}

{{ table(rows) }}
{% endfor %}"""


def render_page(dataset: str, card: Mapping[str, Any], checks: Mapping[str, Any]) -> str:
    """The readable data card.

    Args:
        dataset: Name of the data set.
        card: What ``cards.build_card`` made; tables that it has beyond the common ones are shown at the end.
        checks: What ``data.dataset_checks.check_dataset`` made.

    Returns:
        Markdown with one section for each part.
    """
    from jinja2 import Environment, StrictUndefined

    template = Environment(undefined=StrictUndefined, autoescape=False, finalize=_shown).from_string(PAGE)
    overlaps = [
        {HEADERS.get(key, key): value for key, value in line.items() if key != "examples"}
        for line in checks["contamination"]["benchmarks"]
    ]
    text = template.render(
        dataset=dataset, card=card, checks=checks, overlaps=overlaps, further=_further_tables(card), limit=MAX_LISTED,
        table=_table, settings=_settings, strata=_strata_tables(card), link=_link,
    )  # fmt: skip
    return text.rstrip() + "\n"


def _strata_tables(card: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Topic x level before and after a draw, levels in their own order (JSON keeps none); nothing without a draw."""
    strata = card.get("strata") or {}
    names = ("topic", *strata.get("levels", ()), "all")
    return {kind: [{name: row[name] for name in names} for row in strata.get(kind, ())] for kind in ("supply", "drawn")}


def _further_tables(card: Mapping[str, Any]) -> dict[str, Sequence[Mapping[str, Any]]]:
    """Tables of records that only some cards have, under readable names."""
    return {
        name.replace("_", " ").capitalize(): value
        for name, value in card.items()
        if name not in KNOWN and isinstance(value, list) and value and all(isinstance(line, dict) for line in value)
    }


class _Markdown(str):
    """Text that is Markdown already."""


def _shown(value: Any) -> Any:
    """What a place of the page shows: a text from data or configuration is no markup there."""
    return markdown_cell(value) if isinstance(value, str) and not isinstance(value, _Markdown) else value


def _link(address: str) -> str:
    """A web address to follow; any other text as it is."""
    return _Markdown(f"<{address}>") if ADDRESS.fullmatch(address) else address


def _table(records: Sequence[Mapping[str, Any]]) -> str:
    """Records as a Markdown table."""
    if not records:
        return _Markdown("None.")
    names = list(records[0])
    ordered = [name for name in names if name not in COUNTS] + [name for name in COUNTS if name in names]
    frame = pd.DataFrame(records, columns=ordered).rename(columns=lambda name: str(name).replace("_", " "))
    texts = [place for place, name in enumerate(frame) if frame[name].map(lambda cell: isinstance(cell, str)).any()]
    return _Markdown(markdown_table(frame, floatfmt=".4g", disable_numparse=texts))


def _settings(values: Mapping[str, Any]) -> str:
    """The settings that are set, one per line."""
    stated = {name: value for name, value in values.items() if value is not None and value not in ([], {})}
    lines = (f"* {name.replace('_', ' ')}: {markdown_cell(str(value))}" for name, value in stated.items())
    return _Markdown("\n".join(lines))

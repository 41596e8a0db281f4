r"""Transforms: from a source's own values to questions, gold answers and difficulties.

A value that is missing becomes an empty question or answer and is dropped, counted, by the curation; a value that is
wrong stops, with file, column and row.
"""

import json
import re
from collections.abc import Callable, Iterable
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

from rlvr.core.boxed import last_box
from rlvr.data.readers.declare import Transform, reject
from rlvr.prompts import THINK_CLOSE, THINK_OPEN

MATH_LEVEL = re.compile(r"^Level ([1-5])$")
MATH_LEVEL_UNKNOWN = "Level ?"  # SOURCE: two problems of MATH's train set carry it
FAILURES = 16  # SOURCE: card of Skywork-OR1-RL-Data: the difficulty counts failures out of 16 samples
DEGREES = re.compile(r"\s*\^\s*(\\circ|\{\s*\\circ\s*\})\s*$")
DECIMAL_ZEROS = re.compile(r"\.0+$")
LISTS = (list, np.ndarray)  # what a list is in a frame: of JSON, of Parquet
DECODER = json.JSONDecoder()  # one for all rows: json.loads looks for the right one each time
NESTED = (*LISTS, dict, tuple, set)
NESTED_TEXT = re.compile(
    r"\s*(?:\[\s*[\[{\"'].*\]|\{\s*[\"'].*:.*\})\s*", re.DOTALL
)  # a list or an object, as JSON or Python write it
# A control character where a command began: a backslash and its next letter were read as one character.
LOST_COMMAND = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
    r"|\t(?=(?:ext|imes|heta|an|au|frac|riangle|ilde|binom)\b)|\r(?=(?:ho|ight|angle|m|ceil|floor)\b)|\n(?=(?:eq|abla|otin)\b)"
)
LONE_BACKSLASH = re.compile(r'\\(?:(\\|"|/|u[0-9a-fA-F]{4})|)')
EXACT_FLOAT = 2**53  # whole numbers beyond it may have been rounded on the way
THOUSANDS = re.compile(r"[^\d,]*\d{1,3}(,\d{3})+(?![\d,])[^,]*|[^,]*")
GSM8K_GOLD = re.compile(r"####\s*(\S.*?)\s*$")
GSM8K_LAST_LINE = re.compile(r"(?:^|\n)####[^\n]*$")

# What copies of a problem set write around the problem; our own templates say how to answer.
INSTRUCTIONS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"\s*Please reason step by step, and put your final answer within \\boxed\{\}\.\s*$",
        r"\s*Let's think step by step and output the final answer within \\boxed\{\}\.\s*$",
        r"^Solve the following math problem step by step\.[^\n]*\n\n",  # SOURCE: prompts of DAPO-Math-17k, both ends
        r"\n\nRemember to put your answer on its own line after \"Answer:\"\.\s*$",
    )
)
INSTRUCTION_WORDS = ("step by step", "Remember to put your answer")  # one of them in every instruction above


def map_text(function: Callable[[str], str | None]) -> Transform:
    """A transform of text; missing values, and those that the function finds nothing in, become empty."""

    def transform(values: pd.Series, where: str) -> pd.Series:
        codes, distinct = pd.factorize(
            texts_of(values, where)
        )  # each distinct text once; missing ones have the code -1
        texts = np.array([*(function(text) or "" for text in distinct.tolist()), ""], dtype=object)
        return pd.Series(texts[codes], index=values.index)

    return transform


def texts_of(values: pd.Series, where: str) -> pd.Series:
    """A column as text, missing values missing; whole numbers stay whole beside missing ones.

    Raises:
        InputError: For a list or an object, which would become Python's text, and for a whole number so large that a
            column of floating-point numbers cannot hold it.
    """
    if pd.api.types.is_float_dtype(values):
        whole = values.notna() & (values % 1 == 0)
        reject(
            whole & (values.abs() >= EXACT_FLOAT), values, where, "a whole number that was rounded, store it as text"
        )
        return pd.Series(
            [str(int(value)) if is_whole else value for value, is_whole in zip(values, whole, strict=True)],
            index=values.index,
        ).astype("str")
    if values.dtype == object:
        nested = pd.Series([isinstance(value, NESTED) for value in values], index=values.index, dtype=bool)
        reject(nested, values, where, "a list or an object where one text or number is expected")
    return values.astype("str")


def golds(function: Callable[[str], str | None]) -> Transform:
    """A transform of gold answers: as ``map_text``, but text that cannot be the answer it was stops."""
    read = map_text(function)

    def transform(values: pd.Series, where: str) -> pd.Series:
        found = read(values, where)
        return check_golds(found, values, where)

    return transform


def check_golds(found: pd.Series, values: pd.Series, where: str) -> pd.Series:
    """The gold answers that were found in a column's values.

    Raises:
        InputError: For one that is a list or an object written down, or holds a control character in place of a
            backslash; names the row.
    """
    nested = found.map(lambda gold: NESTED_TEXT.fullmatch(gold) is not None).astype(bool)
    reject(nested, values, where, "a list or an object written as text, not one answer")
    lost = found.map(lambda gold: LOST_COMMAND.search(gold) is not None).astype(bool)
    shown = values.map(repr) if lost.any() else values
    reject(lost, shown, where, "a control character, where a backslash was lost")
    return found


def clean_gold(text: str) -> str:
    r"""A gold answer without surrounding blanks, ``$...$`` or ``\boxed{}``."""
    bare = text.strip()
    if len(bare) > 1 and bare[0] == bare[-1] == "$" and "$" not in bare[1:-1]:
        bare = bare[1:-1].strip()
    if not bare.startswith("\\boxed"):
        return bare
    content = last_box(bare)
    whole = content is not None and bare.removeprefix("\\boxed").strip() in (content, f"{{{content}}}")
    return content.strip() if content is not None and whole else bare


def strip_instruction(prompt: str) -> str:
    """A prompt without the known instructions around its problem."""
    if any(words in prompt for words in INSTRUCTION_WORDS):  # a plain search: patterns cost ten times as much
        for pattern in INSTRUCTIONS:
            prompt = pattern.sub("", prompt)
    return prompt.strip()


def boxed_gold(solution: str) -> str | None:
    """The last boxed answer of a worked solution."""
    content = last_box(solution)
    return None if content is None else clean_gold(content)


def strip(values: pd.Series, where: str) -> pd.Series:
    """Text without surrounding blanks, missing values as empty text; one pass of Arrow over the whole column."""
    return texts_of(values, where).str.strip().fillna("")


gold = golds(clean_gold)
solution_gold = golds(boxed_gold)
bare_prompt = map_text(strip_instruction)


def integer(values: pd.Series, where: str) -> pd.Series:
    r"""Integer answers in plain digits: 025, "25", 25.0 and 25^\circ are all 25; missing ones become empty."""

    def plain(value: Any) -> str | None:
        try:
            return "" if pd.isna(value) or value == "" else str(int(DECIMAL_ZEROS.sub("", DEGREES.sub("", str(value)))))
        except ValueError:
            return None

    answers = pd.Series([plain(value) for value in values], index=values.index, dtype=object)
    reject(answers.isna(), values, where, "no integer answer")
    return answers


def number(values: pd.Series, where: str) -> pd.Series:
    """Numbers stored as numbers; missing ones stay missing."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        odd = [isinstance(value, bool) or not isinstance(value, Number) for value in values]
        bad = pd.Series(odd, index=values.index) & values.notna()
        reject(bad, values, where, "not a number, as the source stores them")
    numbers = values.astype(float)
    reject(numbers.abs() == np.inf, values, where, "infinite")
    return numbers


def number_text(values: pd.Series, where: str) -> pd.Series:
    """Numbers stored as text; missing and empty ones become missing, other words stop."""
    numbers = pd.to_numeric(values.replace("", None), errors="coerce").astype(float)
    stated = values.notna() & (values.astype(str) != "")
    reject(stated & (numbers.isna() | (numbers.abs() == np.inf)), values, where, "no number")
    return numbers


def math_level(values: pd.Series, where: str) -> pd.Series:
    """``Level 3`` becomes 3.0, ``Level ?`` missing."""
    found = values.astype(str).str.extract(MATH_LEVEL)[0]
    known = found.notna() | values.isna() | (values == MATH_LEVEL_UNKNOWN)
    reject(~known, values, where, "no level from 'Level 1' to 'Level 5'")
    return found.astype(float)


def failures(values: pd.Series, where: str) -> pd.Series:
    """Failed samples out of 16, as whole numbers; missing ones stay missing."""
    counts = number(values, where)
    reject((counts < 0) | (counts > FAILURES) | (counts % 1 > 0), values, where, f"no count from 0 to {FAILURES}")
    return counts


def user_turn(values: pd.Series, where: str) -> pd.Series:
    """The one user turn of a conversation, a list of ``{content, role}``, without instructions around the problem."""

    def content(turns: Any) -> str | None:
        if not isinstance(turns, LISTS):
            return "" if pd.isna(turns) else None
        said = [turn.get("content") for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"]
        text = _joined(said[0]) if len(said) == 1 else None
        return None if text is None else strip_instruction(text)

    questions = pd.Series([content(turns) for turns in values], index=values.index, dtype=object)
    reject(questions.isna(), values, where, "not a conversation with one user turn of text")
    return questions


def _joined(content: Any) -> str | None:
    """Text of a turn, given as text or as parts that templates join; ``None`` for content of any other form."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, LISTS):
        return None
    parts = [_text_of(part) for part in content]
    return None if None in parts else "".join(map(str, parts))


def _text_of(part: Any) -> str | None:
    if isinstance(part, dict) and part.get("type", "text") == "text":
        part = part.get("text")
    return part if isinstance(part, str) else None


def json_list_gold(values: pd.Series, where: str) -> pd.Series:
    """The first answer of a JSON list inside a string: ``'["15625"]'`` gives 15625; an empty list gives nothing.

    ASSUME: of several answers the first is the gold, the readers keep the whole list as meta. The data set does not say
    whether further entries are other spellings or other answers.
    """

    def first(value: Any) -> str | None:
        if not isinstance(value, str):
            return "" if value is None or isinstance(value, float) else None
        answers = _decoded_list(value) if value else []
        return None if answers is None else _scalar_gold(answers[0]) if answers else ""

    found = pd.Series([first(value) for value in values], index=values.index, dtype=object)
    reject(found.isna(), values, where, "not a JSON list of answers")
    return check_golds(found, values, where)


def _decoded_list(text: str) -> list[Any] | None:
    r"""A JSON list; where backslashes were written once, ``["\frac{1}{2}"]``, they are read as they were meant."""
    for attempt in (text, LONE_BACKSLASH.sub(lambda found: found[0] if found[1] else r"\\", text)):
        try:
            answers = DECODER.decode(attempt)
        except json.JSONDecodeError:
            continue
        if not isinstance(answers, list):
            return None
        if not any(isinstance(answer, str) and LOST_COMMAND.search(answer) for answer in answers):
            return answers
    return None


def _scalar_gold(value: Any) -> str | None:
    """A gold answer from one value; nothing from a missing one, ``None`` from a list or an object."""
    if isinstance(value, NESTED):
        return None
    return "" if pd.isna(value) else clean_gold(str(value))


def only_answer(values: pd.Series, where: str) -> pd.Series:
    """The answer of a list that holds one; an empty or missing list gives nothing, a longer one stops."""

    def single(value: Any) -> str | None:
        if isinstance(value, LISTS):
            return _scalar_gold(value[0]) if len(value) == 1 else None if len(value) else ""
        return _scalar_gold(value)

    found = pd.Series([single(value) for value in values], index=values.index, dtype=object)
    reject(found.isna(), values, where, "not a list of one answer")
    return check_golds(found, values, where)


def gsm8k_gold(values: pd.Series, where: str) -> pd.Series:
    """Gold of a GSM8K answer: the text behind ``####`` on its last line, without commas between thousands.

    An answer without that line stops, and so does a comma elsewhere: of "1,5" nobody knows whether it is 15 or 1.5.
    """

    def final(value: Any) -> str | None:
        if pd.isna(value) or not str(value).strip():
            return ""
        found = GSM8K_GOLD.search(str(value))
        return found[1].replace(",", "") if found and THOUSANDS.fullmatch(found[1]) else None

    found = pd.Series([final(value) for value in values], index=values.index, dtype=object)
    reject(found.isna(), values, where, "no line '#### answer', or a comma in it that separates no thousands")
    return check_golds(found, values, where)


gsm8k_solution = map_text(lambda text: text.rpartition("####")[0].strip())


def worked(text: str) -> str:
    r"""Reasoning alone, of a worked solution or of what a reasoning model wrote.

    Between ``<think>`` and ``</think>`` only what was thought counts, and a last line with GSM8K's answer goes: the
    training writes its own marks around the reasoning, and the gold in a box behind it.

    >>> worked("<think>2 + 3 = 5</think> It is 5."), worked("2 + 3 = 5\n#### 5"), worked("So 5.")
    ('2 + 3 = 5', '2 + 3 = 5', 'So 5.')
    """
    thought = text.partition(THINK_CLOSE)[0].strip().removeprefix(THINK_OPEN)
    return GSM8K_LAST_LINE.sub("", thought).strip()


worked_solution = map_text(worked)


def asked(question: str) -> Transform:
    """A transform of a sentence into a question about it."""
    return map_text(lambda text: f"{question}\n{text.strip()}" if text.strip() else "")


def asked_pair(question: str) -> Transform:
    """A transform of two columns of sentences into a question about both; empty where one is."""

    def transform(frame: pd.DataFrame, where: str) -> pd.Series:
        first, second = (strip(frame[name], where) for name in frame.columns[:2])
        both = zip(first, second, strict=True)
        return pd.Series([f"{question}\n{a}\n{b}" if a and b else "" for a, b in both], index=frame.index, dtype=object)

    return transform


def yes_no(values: pd.Series, where: str) -> pd.Series:
    """Labels 1 and 0 as yes and no; missing ones become empty, others stop (-1 marks a split without labels)."""
    numbers = number(values, where)
    reject(numbers.notna() & ~numbers.isin([0, 1]), values, where, "no label 0 or 1")
    return numbers.map({1.0: "yes", 0.0: "no"}).fillna("").astype(object)


def tested_question(frame: pd.DataFrame, where: str) -> pd.Series:
    """A programming task with the tests that its solution must pass: only they name the function to write."""
    texts, tests = (frame[name] for name in frame.columns[:2])
    empty = pd.Series([not isinstance(rows, Iterable) or not len(list(rows)) for rows in tests], index=frame.index)
    reject(empty & texts.notna(), texts, where, "a task without tests")
    asked = zip(strip(texts, where), tests, strict=True)
    questions = ["\n".join([text, "It must pass these tests:", *rows]) if text else "" for text, rows in asked]
    return pd.Series(questions, index=frame.index, dtype=object)

"""Which part of a completion is the program: fences and labels as people and models write them."""

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlvr.grading.code.blocks import choose_program, find_blocks
from rlvr.grading.code.solutions import answer_blocks


def last_program(text, called=()):
    """The program that is chosen of a completion, or None."""
    return choose_program(answer_blocks(text), called)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("no block at all: def f(): pass", None),
        ("```python\na\n```", "a"),
        ("```python\na\n```\nbetter:\n```python\nb\n```", "b"),
        ("```python\na\n```\nwhich prints\n```\n3\n```", "a"),
        ("```\na\n```\nand\n```\nb\n```", "b"),
        ("```py\na\n```", "a"),
        ("```Python3 title\na\n```", "a"),
        ("```json\n{}\n```", None),
        ("```python\na\n```\n```text\nb\n```", "a"),
        ("```python\na\n```\n```python\nb", "a"),
        ("```python\nb", None),
        ("~~~python\na\n~~~", "a"),
        ("````python\na = '''\n```\n'''\n````", "a = '''\n```\n'''"),
        ("1. do\n   ```python\n   if x:\n       a\n   ```", "if x:\n    a"),
        ("```python\r\na\r\n```\r\n", "a\r"),
        ("inline ```python a``` is none", None),
        ("```python\n```", ""),
        ("<think>```python\na\n```</think>so", "a"),
        ("```python\na\n```</think>```python\nb\n```", "b"),
        ("```python\na</think>\n```", None),
        ("```python\na\n```\nUser: again\n```python\nb\n```", "a"),
        ("````markdown\n```python\na\n```\n````", "a"),
        ("Here: ```python\na\n```", "a"),
    ],
)
def test_which_block_is_the_program(text, program):
    assert last_program(text) == program


@pytest.mark.parametrize(
    "label",
    [
        "python:solution.py",
        "{.python}",
        "{python}",
        "py3",
        "python2",
        "ipython",
        "ipython3",
        "{.python .numberLines}",
        "language-python",
        "Python 3",
        "python-3",
        "solution.py",
        "python3.11",
        "{code-cell} ipython3",
        " python",
        "python, linenos",
        "PYTHON",
        'python title="a.py"',
        "python filename=a.py",
    ],
)
def test_labels_as_people_write_them(label):
    assert last_program(f"```text\nb\n```\n```{label}\na\n```\n```\nc\n```") == "a"


@pytest.mark.parametrize("label", ["pycon", "json", "bash", "pyret", "text", "cpp"])
def test_labels_of_something_else(label):
    assert last_program(f"```{label}\na\n```") is None


@pytest.mark.parametrize(
    "closing",
    [
        "\n```<|im_end|>",
        "\n```.",
        "\n```</answer>",
        "\n``` and that is all",
        "\n```**",
        "\n```\u200b",
        "```",
        "\n  ```  ",
        "\n````",
        "```<|im_end|>",
        "\n```)",
        "\n```。",
        "\r\n```\r",
    ],
)
@pytest.mark.parametrize("more", ["", "\nThat was it.", "\n```text\nx\n```"])
def test_closing_fences_as_models_write_them(closing, more):
    assert (last_program(f"```python\na = 1{closing}{more}") or "").strip() == "a = 1"


@pytest.mark.parametrize(
    "text",
    [
        "```python def f(x): return x\n```",
        "```python def f(x): return x```",
        "```def f(x): return x\n```",
        "> ```python\n> def f(x): return x\n> ```",
        "- ```python\n  def f(x): return x\n  ```",
    ],
)
def test_where_the_program_may_begin(text):
    assert last_program(f"Now:\n{text}\nDone.") == "def f(x): return x"


@pytest.mark.parametrize("quotes", ['"""', "'''"])
@pytest.mark.parametrize("label", ["", "python"])
def test_a_fence_within_a_docstring_is_no_end(quotes, label):
    program = f"def f():\n    {quotes}Say:\n    ```{label}\n    f()\n    ```\n    {quotes}\n    return 1"
    assert last_program(f"```python\n{program}\n```\nand\n```text\n1\n```") == program
    assert last_program(f"```python\nx = {quotes}\n```\nno\n```python\nb\n```") == "b"  # never closed: no string


def blocks_by_search(text: str) -> list[str]:
    """The slow obvious version for backticks: the first closing line after each opening one."""
    pattern = re.compile(r"^```([a-z]*)\n((?:(?!```$).*\n)*?)```$", re.MULTILINE)
    return [match[2].removesuffix("\n") for match in pattern.finditer(text)]


@given(st.lists(st.sampled_from(["```", "```python", "a", "b = 1", ""]), max_size=12).map("\n".join))
def test_blocks_are_those_of_the_obvious_search(text):
    assert [block.text for block in find_blocks(text)] == blocks_by_search(text)


@given(st.text(alphabet="`~pyt \n\r\tax", max_size=80))
@settings(max_examples=300)
def test_any_text_has_a_program_or_none(text):
    program = last_program(text)
    assert program is None or isinstance(program, str)


def test_finding_blocks_is_linear():
    assert len(find_blocks("```python\nx\n```\n" * 20_000)) == 20_000
    assert find_blocks("```" * 200_000) == [] == find_blocks("```a\n" * 200_000)
    for piece in ("```\n", "> ", "```python\n'''\n```\n", "a```\n", "<|", '"', "'\\", "````markdown\n"):
        start = time.process_time()
        find_blocks("```python\n" + piece * 50_000)
        assert time.process_time() - start < 3.0, piece

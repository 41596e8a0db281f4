"""The readers, by the names that ``data/sources.csv`` uses."""

from rlvr.data.readers import enigmata
from rlvr.data.readers import transforms as to
from rlvr.data.readers.declare import Field, Reader
from rlvr.data.readers.rules import contains, equals, first_of_each

# SOURCE: values that occur in DeepMath-103K beside its scale of 1 to 10; the names are ours.
DEEPMATH_RATINGS = (1.0, 10.0)
DEEPMATH_SENTINELS = {-1.0: "unrated", 0.0: "unset"}
MATH_RATINGS = (1.0, 5.0)  # SOURCE: "Level 1" to "Level 5" of the MATH release

SKYWORK_SUBSET = "train-math-deepscaler"  # SOURCE: paper "Structure Over Scale", appendix B.2
SKYWORK_JUDGE = "extra_info.model_difficulty.DeepSeek-R1-Distill-Qwen-32B"  # SOURCE: as for SKYWORK_SUBSET

_PROBLEM, _QUESTION, _PROMPT = Field("problem", to.strip), Field("question", to.strip), Field("prompt", to.bare_prompt)
_GOLD, _INTEGER = Field("answer", to.gold), Field("answer", to.integer)
_LABEL = Field("label", to.yes_no)

# verl's columns: what Skywork-OR1, DAPO and their copies share
_TURN, _VERL_GOLD = Field("prompt", to.user_turn), Field("reward_model.ground_truth", to.gold)


def _aimo(year: int) -> Reader:
    """One year of AI-MO's AIME 2022 to 2024, told by the page that a problem was taken from."""
    return Reader(_PROBLEM, _INTEGER, identity="id", meta=("url",), rules=(contains("url", f"/{year}_AIME_"),))


READERS = {
    "deepmath": Reader(
        question=_QUESTION,
        answer=Field("final_answer", to.gold),
        difficulty=Field("difficulty", to.number),
        topic=Field("topic", to.strip),
        ratings=DEEPMATH_RATINGS,
        sentinels=DEEPMATH_SENTINELS,
    ),
    "roll": Reader(
        question=Field("prompt", to.strip),
        answer=Field("ground_truth", to.gold),
        difficulty=Field("difficulty", to.number_text),
        identity="id",
        ratings=DEEPMATH_RATINGS,
        sentinels=DEEPMATH_SENTINELS,
    ),
    "skywork": Reader(  # rows are named by number: the index of the release is not promised to be unique
        question=_TURN,
        answer=Field("reward_model.ground_truth", to.json_list_gold),
        difficulty=Field(SKYWORK_JUDGE, to.failures),
        ratings=(0.0, float(to.FAILURES)),
        topic=Field("data_source", to.strip),
        meta=("reward_model.ground_truth",),
        rules=(equals("data_source", SKYWORK_SUBSET),),
    ),
    "dapo": Reader(  # ASSUME: the 100 copies of an index are the same problem; the first is read
        question=_TURN,
        answer=_VERL_GOLD,
        identity="extra_info.index",
        rules=(first_of_each("extra_info.index"),),
    ),
    "verl-index": Reader(_TURN, _VERL_GOLD, topic=Field("data_source", to.strip), identity="extra_info.index"),
    "verl-aime": Reader(_TURN, Field("reward_model.ground_truth", to.integer), identity="extra_info.id"),
    "deepscaler": Reader(_PROBLEM, _GOLD),
    "simplerl": Reader(  # ASSUME: columns as in the code that made the release; rows were not at hand
        question=_QUESTION,
        answer=Field("gt_answer", to.gold),
        difficulty=Field("level", to.number),
        topic=Field("subject", to.strip),
    ),
    "math": Reader(
        question=_PROBLEM,
        answer=Field("solution", to.solution_gold),
        difficulty=Field("level", to.math_level),
        ratings=MATH_RATINGS,
        topic=Field("type", to.strip),
        solution=Field("solution", to.strip),
    ),
    "math-500": Reader(
        question=_PROBLEM,
        answer=_GOLD,
        difficulty=Field("level", to.number),
        ratings=MATH_RATINGS,
        topic=Field("subject", to.strip),
        identity="unique_id",
    ),
    "aime": Reader(_PROBLEM, _INTEGER, identity="id", meta=("url",)),
    "aimo-2022": _aimo(2022),
    "aimo-2023": _aimo(2023),
    "matharena": Reader(_PROBLEM, _INTEGER, identity="problem_idx"),
    "matharena-latex": Reader(_PROBLEM, _GOLD, identity="problem_idx"),
    "aime-prompt": Reader(_PROMPT, _INTEGER),
    "prompt": Reader(_PROMPT, _GOLD),
    "amc": Reader(_QUESTION, _INTEGER, identity="id", meta=("url",)),
    "gsm8k": Reader(_QUESTION, Field("answer", to.gsm8k_gold), solution=Field("answer", to.gsm8k_solution)),
    "word-problems": Reader(
        question=_QUESTION,
        answer=Field("answer", to.gsm8k_gold),
        difficulty=Field("difficulty", to.number),
        ratings=(1.0, 5.0),
        topic=Field("topic", to.strip),
        solution=Field("answer", to.gsm8k_solution),
    ),
    "minerva": Reader(  # the gold stands only inside the solution's box
        _PROBLEM, Field("solution", to.solution_gold), topic=Field("type", to.strip), identity="idx"
    ),
    "question-answer": Reader(_QUESTION, _GOLD),
    # ASSUME: classifications are asked in words of ours; the paper that trains on them prints no prompt. What is
    # imitated is the label.
    "cola": Reader(
        Field("sentence", to.asked("Is this acceptable English, yes or no?")), _LABEL, identity="idx", solution=_LABEL
    ),
    "mrpc": Reader(
        Field("sentence1", to.asked_pair("Do these say the same, yes or no?"), further=("sentence2",)),
        _LABEL,
        identity="idx",
        solution=_LABEL,
    ),
    "olympiadbench": Reader(_QUESTION, Field("final_answer", to.only_answer), topic=Field("subfield", to.strip)),
    "enigmata": Reader(  # one task per file; rows have no id of their own
        question=Field("prompt", to.strip),
        answer=Field("answer", enigmata.stored_answers),
        difficulty=Field("level", to.number),
        ratings=(min(enigmata.LEVELS.values()), max(enigmata.LEVELS.values())),
        topic=Field("task", to.strip),
        meta=Field("record", to.strip),
        verifier=Field("task", enigmata.verifiers),
        json_columns=("answer", "meta", "task_name", "difficulty"),
        derived=enigmata.RECORDS,
    ),
    "mbpp": Reader(  # the answer is the reference program; what grades a completion are the tests, kept as meta
        question=Field("text", to.tested_question, further=("test_list",)),
        answer=Field("code", to.strip),
        identity="task_id",
        meta=("test_setup_code", "test_list", "challenge_test_list"),
        verifier="code",
    ),
}

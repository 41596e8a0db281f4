# ruff: noqa: RUF001  (the signs are the subject)
r"""The table of LaTeX commands and Unicode signs: what kind of token each one is, and its canonical text."""

import re

from rlvr.grading.mathematics.words import words_of

GREEK = words_of(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega nabla partial aleph hbar imath jmath wp Re Im beth "
    "angle triangle"
)
FUNCTIONS = words_of(
    "sin cos tan cot sec csc sinh cosh tanh coth arcsin arccos arctan arccot arcsec arccsc ln exp det gcd max min arg "
    "deg dim ker sup inf Pr hom tr cis lcm"
)


def _of(kind: str, names: str) -> dict[str, tuple[str, str]]:
    return {name: (kind, name) for name in names.split()}


def _as(kind: str, text: str, names: str) -> dict[str, tuple[str, str]]:
    return {name: (kind, text) for name in names.split()}


COMMANDS: dict[str, tuple[str, str]] = {
    **{name: ("name", f"\\{name}") for name in GREEK},
    **{name: ("function", name) for name in FUNCTIONS},
    **_as("name", "\\epsilon", "varepsilon"), **_as("name", "\\phi", "varphi"), **_as("name", "\\theta", "vartheta"),
    **_as("name", "\\rho", "varrho"), **_as("name", "\\sigma", "varsigma"), **_as("name", "l", "ell"),
    **_as("constant", "pi", "pi uppi"), **_as("constant", "inf", "infty"), **_as("emptyset", "emptyset",
    "emptyset varnothing"),
    **_as("function", "log10", "lg"), **_of("function", "log"),
    **_as("limit", "lim", "lim"), **_as("limit", "limsup", "limsup"), **_as("limit", "liminf", "liminf"),
    **_of("big", "sum prod int"),
    **_as("bigother", "oint", "oint"), **_as("bigother", "iint", "iint"), **_as("bigother", "iiint", "iiint"),
    **_as("frac", "frac", "frac dfrac tfrac cfrac"), **_as("sqrt", "sqrt", "sqrt"),
    **_as("binom", "binom", "binom dbinom tbinom"),
    **_as("op", "*", "cdot bullet ast"), **_as("op", "/", "div"), **_as("times", "times", "times"),
    **_as("pm", "+-", "pm"), **_as("pm", "-+", "mp"), **_as("degree", "deg", "circ degree"),
    **_as("prime", "'", "prime"), **_as("dots", "...", "ldots dots cdots dotsc dotsb dotsm vdots ddots"),
    **_as("top", "T", "top intercal"),
    **_as("relation", "<", "lt"), **_as("relation", ">", "gt"), **_as("relation", "<=", "le leq leqslant leqq"),
    **_as("relation", ">=", "ge geq geqslant geqq"), **_as("relation", "!=", "ne neq"), **_as("relation", "in", "in"),
    **_as("relation", "==", "equiv"), **_as("relation", "~~", "approx thickapprox"), **_as("relation", "not in",
    "notin"),
    **_of("relation", "sim simeq cong mid nmid parallel perp subset subseteq subsetneq supset supseteq ll gg prec succ "
          "propto implies iff Rightarrow Leftrightarrow Leftarrow mapsto ni asymp preceq succeq ncong doteq nleq ngeq "
          "nless ngtr nparallel trianglelefteq triangleleft models vdash"),
    **_as("relation", "to", "to rightarrow longrightarrow"),
    **_as("setop", "cup", "cup bigcup"), **_as("setop", "cap", "cap bigcap"), **_as("setop", "\\",
    "setminus backslash smallsetminus"),
    **_of("infix", "oplus otimes wedge star odot rtimes ltimes amalg dagger ddagger uparrow downarrow leftarrow gets"),
    **_as("or", "\\lor", "lor vee"), **_as("and", "\\land", "land"), **_as("quantifier", "for all", "forall"),
    **_of("other", "exists"), **_as("other", "neg", "neg lnot"),
    **_as("mod", "pmod", "pmod"), **_as("mod", "mod", "mod pod"), **_as("mod", "bmod", "bmod"),
    **_as("open", "(", "lparen"), **_as("close", ")", "rparen"), **_as("open", "[", "lbrack"), **_as("close", "]",
    "rbrack"),
    **_as("open", "\\{", "lbrace"), **_as("close", "\\}", "rbrace"), **_as("open", "<", "langle"), **_as("close",
    ">", "rangle"),
    **_as("open", "floor", "lfloor"), **_as("close", "floor", "rfloor"), **_as("open", "ceil", "lceil"),
    **_as("close", "ceil", "rceil"), **_as("bar", "|", "vert lvert rvert mid"), **_as("bar", "||", "Vert lVert rVert"),
    **_as("space", "", "quad qquad displaystyle textstyle scriptstyle limits nolimits hfill thinspace enspace space "
          "tiny scriptsize small footnotesize normalsize large Large LARGE huge Huge blacksquare Box checkmark qed "
          "therefore "
          "because bf it rm sf tt sl bfseries itshape boldmath noindent centering nonumber protect strut hline"),
    **_as("size", "", "left right big Big bigg Bigg bigl bigr Bigl Bigr biggl biggr Biggl Biggr middle"),
    **_as("ignored", "", "cancel bcancel xcancel sout label tag hspace vspace phantom hphantom vphantom"),
    **_as("coloured", "", "color textcolor colorbox bbox fbox"),
    **_as("style", "", "mathit mathnormal emph underline boxed framebox underbrace substack mathop mathbin mathrel "
    "ensuremath "
          "smash mathstrut boxed"),
    **_as("style", "bold", "mathbf boldsymbol bm pmb textbf"),
    **_as("text", "", "text textit textrm textsf texttt textnormal textup textsc mbox hbox mathrm operatorname "
    "mathsf mathtt textmd"),
    **_as("font", "bb", "mathbb Bbb"), **_as("font", "cal", "mathcal mathscr"), **_as("font", "frak", "mathfrak"),
    **_as("accent", "hat", "hat widehat"), **_as("accent", "bar", "bar overline"), **_as("accent", "vec",
    "vec overrightarrow"),
    **_of("accent", "dot ddot tilde check breve acute grave mathring overleftrightarrow overset overparen"),
    **_as("accent", "tilde", "tilde widetilde"), **_as("accent", "arc", "overarc wideparen"),
    **_as("name", "bb R", "R reals Reals"), **_as("name", "bb Z", "Z"), **_as("name", "bb N", "N"), **_as("name",
    "bb Q", "Q"),
    **_as("currency", "$", "euro pounds textdollar yen textsterling"), **_as("degree", "deg", "textdegree"),
    **_as("percent", "%", "percent textpercent"), **_as("other", "permil", "permil textperthousand"),
    "choose": ("choose", "choose"), "over": ("choose", "over"),
    "begin": ("begin", ""), "end": ("end", ""), "not": ("not", ""),
    "mid": ("relation", "mid"),
    "newline": ("row", "\\\\"), "cr": ("row", "\\\\"), "colon": ("colon", ":"), "exp": ("function", "exp"),
    "lbar": ("bar", "|"),
    "square": ("space", ""),
}  # fmt: skip
del COMMANDS["R"], COMMANDS["Z"], COMMANDS["N"], COMMANDS["Q"]
COMMANDS |= {name: ("name", f"bb {name}") for name in "RZNQC"}

ACCENTS = {"bar": "bar"}
_SIGNS = {
    "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-",
    "×": r"\times ", "✕": r"\times ", "·": r"\cdot ",
    "⋅": r"\cdot ", "∙": r"\cdot ", "•": r"\cdot ", "∗": "*", "÷": "/", "∕": "/", "⁄": "/", "√": r"\sqrt ",
    "∞": r"\infty ",
    "∪": r"\cup ", "∩": r"\cap ", "∖": r"\setminus ", "∅": r"\emptyset ", "∈": r"\in ", "∉": r"\notin ", "±": r"\pm ",
    "∓": r"\mp ", "≤": r"\leq ", "≦": r"\leq ", "⩽": r"\leq ", "≥": r"\geq ", "≧": r"\geq ", "⩾": r"\geq ",
    "≠": r"\neq ",
    "≈": r"\approx ", "≡": r"\equiv ", "∼": r"\sim ", "≅": r"\cong ", "→": r"\to ", "⇒": r"\implies ", "⇔": r"\iff ",
    "°": r"^\circ ", "º": r"^\circ ", "˚": r"^\circ ", "′": "'", "’": "'", "‘": "'", "ʹ": "'", "″": "''", "“": '"',
    "”": '"',
    "„": '"', "℃": r"^\circ C", "℉": r"^\circ F", "…": r"\ldots ", "⋯": r"\ldots ", "∧": r"\land ", "∨": r"\lor ",
    "∣": r"\mid ", "∂": r"\partial ", "∇": r"\nabla ", "∑": r"\sum ", "∏": r"\prod ", "∫": r"\int ", "ℓ": r"\ell ",
    "⊂": r"\subset ", "⊆": r"\subseteq ", "⊕": r"\oplus ", "⊗": r"\otimes ", "∠": r"\angle ", "△": r"\triangle ",
    "⊥": r"\perp ", "∥": r"\parallel ", "∝": r"\propto ", "∀": r"\forall ", "∃": r"\exists ", "¬": r"\neg ",
    "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ", "⌉": r"\rceil ", "⟨": r"\langle ", "⟩": r"\rangle ",
    "〈": r"\langle ", "〉": r"\rangle ", "∎": " ", "■": " ", "□": " ", "✓": " ", "✔": " ", "∴": " ",
    "ℝ": r"\mathbb{R}", "ℤ": r"\mathbb{Z}", "ℕ": r"\mathbb{N}", "ℚ": r"\mathbb{Q}", "ℂ": r"\mathbb{C}",
    "ℙ": r"\mathbb{P}",
    "𝔼": r"\mathbb{E}", "€": r"\$", "£": r"\$", "₹": r"\$", "¥": r"\$", "￥": r"\$", "₩": r"\$", "₽": r"\$",
    "，": ",", "、": ",", "；": ";", "：": ":", "。": ".", "．": ".",
    "（": "(", "）": ")", "【": "[", "】": "]", "［": "[",
    "］": "]", "｛": r"\{", "｝": r"\}", "＝": "=", "＋": "+", "－": "-",
    "＊": "*", "／": "/", "＜": "<", "＞": ">", "％": r"\%",
    "！": "!", "＾": "^", "＿": "_", "｜": "|", "￠": "", "～": " ", "或": r"\text{ or }", "和": r"\text{ and }",
    "\u200b": "", "\u200c": "", "\u200d": "", "\u2060": "", "\ufeff": "", "\u00ad": "", "\u200e": "", "\u200f": "",
    "\u2061": "", "\u2062": "", "\u2063": ",", "\ufe0f": "", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2007": " ",
    "\u2002": " ", "\u2003": " ", "\u2005": " ", "\u2006": " ", "\u2008": " ", "\u200a": " ", "\u3000": " ",
    "∛": r"\sqrt[3]",
    "∜": r"\sqrt[4]",
}  # fmt: skip
_FRACTIONS = {
    "½": "12", "⅓": "13", "⅔": "23", "¼": "14", "¾": "34", "⅕": "15", "⅖": "25", "⅗": "35", "⅘": "45", "⅙": "16",
    "⅚": "56", "⅐": "17", "⅛": "18", "⅜": "38", "⅝": "58", "⅞": "78", "⅑": "19",
}  # fmt: skip
_GREEK_LETTERS = dict(
    zip(
        "αβγδεζηθικλμνξρστυφχψωΓΔΘΛΞΠΣΦΨΩ",
        re.findall(
            r"\w+",
            "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi rho sigma tau upsilon phi "
            "chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Phi Psi Omega",
        ),
        strict=True,
    )
)
ASCII = str.maketrans(
    {
        **_SIGNS,
        **{sign: rf"\frac{{{digits[0]}}}{{{digits[1]}}}" for sign, digits in _FRACTIONS.items()},
        **{sign: f"\\{name} " for sign, name in _GREEK_LETTERS.items()},
        "π": r"\pi ", "ϕ": r"\phi ", "ϵ": r"\epsilon ", "µ": r"\mu ",
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **{chr(0xFF21 + place): chr(65 + place) for place in range(26)},
        **{chr(0xFF41 + place): chr(97 + place) for place in range(26)},
    }
)  # fmt: skip

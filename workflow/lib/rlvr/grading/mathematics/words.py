"""Words of answers: which may be dropped beside a value, which join, and which mean something by themselves.

The words that may be dropped are listed. A word that is on no list makes an answer text, which is compared as text.
"""

import re


def words_of(words: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(words.split())


FUNCTION_WORDS: dict[str, tuple[str, str]] = {
    **{name: ("function", name) for name in (
        "sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan", "ln", "log",
        "exp",
        "gcd", "lcm", "max", "min", "det", "cis", "arg", "tr",
    )},
    "pi": ("constant", "pi"), "sqrt": ("sqrt", "sqrt"), "infinity": ("constant", "inf"), "Infinity": ("constant",
    "inf"),
    "mod": ("mod", "mod"), "or": ("or", "or"), "and": ("and", "and"), "infty": ("constant", "inf"), "Re": ("name",
    "\\Re"),
    "GCD": ("function", "gcd"), "LCM": ("function", "lcm"), "lg": ("function", "log10"), "percent": ("percent", "%"),
    "degrees": ("degree", "deg"), "degree": ("degree", "deg"), "deg": ("degree", "deg"), "Or": ("or", "or"),
    "OR": ("or", "or"), "AND": ("and", "and"), "And": ("and", "and"), "sgn": ("function", "sgn"),
}  # fmt: skip

# Physical units: spelling -> canonical unit. Two different ones are two different answers.
_UNITS = {
    "m": "m meter meters metre metres", "cm": "cm centimeter centimeters centimetre centimetres",
    "mm": "mm millimeter millimeters",
    "km": "km kilometer kilometers kilometre kilometres", "in": "in inch inches", "ft": "ft foot feet",
    "yd": "yd yard yards",
    "mi": "mi mile miles", "g": "g gm gram grams", "kg": "kg kilogram kilograms", "mg": "mg milligram milligrams",
    "lb": "lb lbs pound pounds", "oz": "oz ounce ounces", "ton": "ton tons tonne tonnes",
    "L": "L l liter liters litre litres",
    "mL": "ml mL milliliter milliliters", "s": "s sec secs second seconds", "min": "min mins minute minutes",
    "h": "h hr hrs hour hours", "day": "day days", "week": "week weeks", "month": "month months",
    "year": "yr yrs year years",
    "cent": "cent cents", "dollar": "dollar dollars usd", "euro": "euro euros eur", "rupee": "rs rupee rupees inr",
    "rad": "rad rads radian radians", "N": "N newton newtons", "J": "J joule joules", "W": "W watt watts", "kW": "kW",
    "V": "volt volts", "A": "amp amps ampere amperes", "K": "K kelvin kelvins", "Hz": "Hz hertz",
    "Pa": "Pa pascal pascals",
    "kPa": "kPa", "ohm": "ohm ohms", "mph": "mph", "kmh": "kph", "C": "celsius", "F": "fahrenheit",
    "mol": "mol mole moles",
    "gal": "gal gallon gallons", "qt": "quart quarts", "pt": "pint pints", "cup": "cup cups", "acre": "acre acres",
    "kJ": "kJ", "MeV": "MeV", "eV": "eV", "nm": "nm nanometer nanometers", "ms": "ms millisecond milliseconds",
    "yen": "yen", "kWh": "kWh", "atm": "atm", "mmHg": "mmHg", "dB": "dB", "bit": "bit bits", "byte": "byte bytes",
    "decade": "decade decades", "century": "century centuries", "solar": "erg ergs", "cgs": "dyne dynes", "T": "tesla",
    "arcmin": "arcminute arcminutes", "arcsec": "arcsecond arcseconds", "ly": "ly pc parsec parsecs Mpc kpc",
    "AU": "AU",
}  # fmt: skip
UNITS = {spelling: unit for unit, spellings in _UNITS.items() for spelling in spellings.split()}
UNIT_WORDS = frozenset(UNITS) | frozenset(spelling.lower() for spelling in UNITS if len(spelling) > 2)
TEXT_UNITS = words_of("m s g h L l N J W K")

# Nouns of count and what may stand before them.
COUNT_NOUNS = words_of("""
    animal animals apple apples arrangement arrangements article articles baby babies bag bags ball balls balloon
    balloons banana bananas
    basket baskets bean beans bike bikes bird birds block blocks board boards boat boats book books bottle bottles
    box boxes boy boys
    bracelet bracelets brother brothers bus buses bushel bushels cake cakes candy candies candle candles car cars
    card cards cat cats
    chair chairs chicken chickens child children chocolate chocolates choice choices class classes coin coins color
    colors colour colours
    combination combinations cookie cookies couple couples cow cows crayon crayons cube cubes customer customers
    desk desks diagonal diagonals dime dimes dog dogs doll dolls donut donuts door doors duck ducks edge edges egg
    eggs element
    elements employee employees envelope envelopes eraser erasers error errors event events face faces fish fishes
    flower flowers
    friend friends frog frogs fruit fruits function functions game games gift gifts girl girls glass glasses goat
    goats goal goals group groups
    guest guests hand handshake handshakes hat hats helicopter helicopters horse horses house houses integer integers
    intersection intersections item items jar jars key keys kid kids letter letters light lights line lines
    lion lions marble marbles match matches meal meals member members men man minivan monkey monkeys muffin muffins
    nickel
    nickels note notes number numbers object objects orange oranges order orderings outcome outcomes page pages
    pair pairs paper papers
    part parts partition partitions path paths pattern patterns pear pears pebble pebbles pen pens pencil pencils
    pennies penny people permutation permutations
    person persons piece pieces pig pigs pizza pizzas plant plants plate plates player players point points polygon
    polygons possibilities
    possibility pound prime primes problem problems puppy puppies rabbit rabbits region regions rock rocks roll
    rolls room
    rooms root roots rope rose roses round rounds row rows run runs sandwich sandwiches school schools seat seats
    segment segments
    sequence sequences set sets sheep shelf shelves shirt shirts shoe shoes side sides sister sisters slice slices
    snack snacks sock socks
    solution solutions song songs stair stairs stamp stamps star stars step steps stick sticks sticker stickers
    stone stones
    store stores student students subset subsets subgroup subgroups table tables tablet tablets task tasks teacher
    teachers team teams
    term terms test tests ticket tickets tile tiles toy toys train trains tree trees trial trials triangle
    triangles trip trips truck trucks
    unit units value values vertex vertices visitor visitors vote votes wall walls way ways wheel wheels window
    windows woman women word words
    worker workers zebra zebras zero zeros zeroes bear bears tiger tigers turtle turtles snake snakes bee bees ant ants
    butterfly
    butterflies spider spiders
    digit digits multiples divisor divisors questions question homework lemons lemon potato potatoes carrot carrots
    tomato tomatoes
    gold packets packet packs pack graph graphs matrix matrices node nodes state states parameter
    turn turns move moves lap laps flight flights floor floors pet pets
""")  # fmt: skip
ADJECTIVES = words_of("""
    stuffed toy red blue green yellow white black small big little large distinct different possible total real complex
    positive such ordered altogether each full new old whole equal unordered unique extra additional remaining left
""") - {"full", "whole", "left", "negative"}  # fmt: skip
# What may stand before a value and only announces it, longest first.
ANNOUNCING = re.compile(
    r"(?:(?:so|thus|hence|therefore|then|finally|result|we get|we have|it is|that is|i\.e\.)[\s,:]+)*"
    r"(?:the\s+)?(?:final\s+|correct\s+|only\s+|desired\s+)?(?:(?:answer|result|solution|value|total|number|sum)s?)"
    r"\s*(?:is|are|:|=|equals)\s*:?|exactly\b|only\b|the number\b|the answer\b|just\b|equals\b|is\b",
    re.IGNORECASE,
)
LABEL_WORDS = words_of("""
    answer result value total sum area volume perimeter length width height radius diameter distance speed time
    cost price profit
    probability mean median mode range variance minimum maximum min max slope average product difference ratio quotient
    remainder gcd lcm number count score age weight mass force energy velocity acceleration final ans circumference
    midpoint vertex center
    focus determinant rank dimension degree limit derivative integral order
""")  # fmt: skip
SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "lakh": 5, "crore": 7, "dozen": None}
YES_NO = frozenset({"yes", "no", "true", "false"})
# Groups of texts that say the same.
SYNONYMS = (
    frozenset({"dne", "does not exist", "doesn't exist", "limit does not exist", "do not exist"}),
    frozenset({"no solution", "no solutions", "no real solutions", "no real solution", "emptyset", "empty set",
    "there is no solution",
               "there are no solutions", "no solution exists", "no solutions exist", "there are no real solutions",
               "null set"}),
    frozenset({"infinitely many", "infinitely many solutions", "infinite solutions", "there are infinitely many",
    "infinitely many such"}),
    frozenset({"all real numbers", "all reals", "all real values", "set of all real numbers", "all real x",
    "all real number",
               "set of real numbers", "every real number", "real numbers", "any real number"}),
    frozenset({"undefined", "not defined", "is undefined"}),
    frozenset({"infinity", "positive infinity", "plus infinity"}),
    frozenset({"negative infinity", "minus infinity"}),
    frozenset({"cannot be determined", "can not be determined", "not enough information"}),
    frozenset({"diverges", "divergent", "series diverges", "it diverges", "integral diverges"}),
    frozenset({"converges", "convergent", "series converges", "it converges", "integral converges"}),
)  # fmt: skip
DENYING = words_of("""
    not isn't wrong false incorrect or maybe possibly perhaps but also neither nor never no none except unlikely
    and cannot can't doesn't
    aren't either instead rather alternatively could might
""")  # fmt: skip
QUANTIFIED = words_of("""
    positive negative real integer integers number numbers natural nonnegative non rational rationals complex
    values value of reals all any every
    each nonzero prime even odd
""") - {"even", "odd", "prime", "negative"}  # fmt: skip
SHORT_UNITS = frozenset(unit for unit in UNITS if len(unit) == 2)
KNOWN_WORDS = (
    frozenset(unit for unit in UNIT_WORDS if len(unit) > 2)
    | COUNT_NOUNS
    | ADJECTIVES
    | LABEL_WORDS
    | DENYING
    | QUANTIFIED
    | YES_NO
    | frozenset(SCALES)
    | words_of(
        "the is are if for when where with otherwise to of than from between least most dne usd mod none multiples"
    )
    | words_of("odd even half twice plus minus times over squared cubed about is was has cis")
)

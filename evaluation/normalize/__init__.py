"""One versioned normaliser for Russian word error rates; both sides go through the same function.

Lives here: the profiles, and a rule or a table of words a file.
May import: nothing of this project.
Public: `normalize`, `normalize_each`, `PROFILES`, `RULES`, `NORMALIZER_VERSION`.

A recogniser may write "В 21:00, $300" and the reference "в двадцать один ноль ноль триста долларов". Both
are right, so both have to become one text before words are counted. That also forgives some real errors:
"What becomes equal though different" lists them, with measured shares.

**Profiles.** `verbatim` forgives case, `ё`, punctuation, hyphens. `numbers` (the default) also makes number
words and digits comparable. `numbers+latin` also compares Latin names with Cyrillic spellings. All are rows
of `RULES`, and `normalize_each` gives the text after every rule, so that a report can say what each of them
changed.

**What may be merged.** A function of one text at a time can make two spoken forms meet only if it maps both
to one output. We merge two spoken forms only where one written form stands for both ("10:30": "десять
тридцать", "десять часов тридцать минут") and no recogniser takes one for the other by ear. Hence "два три"
is not 23.

**Canonical numbers are words**: digits are written out, number words become nominative masculine cardinals
("третьего" -> "три", "двадцатью" -> "двадцать", "5" -> "пять"). Words and not digits, because WER counts
words: the reference keeps about the number of words that were spoken, and of a number with one wrong part
the other parts still count as right.

- *Ordinals are cardinals*: "3 мая" says neither. The price: "пятый" for "пять" is no error.
- *A number with a scale word* ("тысяча", "млн") keeps its words, so a wrong one costs about one error. So do
  digits: up to six ("1986", "12350"), grouped in thousands (12 350; 1 234 567), round, or before a unit. In
  Russian years and amounts are said with "тысяча", hence "тысяча девятьсот восемьдесят шесть".
- *Numbers side by side without a scale word* stay as they were said if they have at most three digits in all
  ("два три"), could be a time ("десять тридцать"), or a unit or month follows. Four to six digits said in
  pairs, one by one or with a zero are a code and are read as its digits are ("сорок восемь пятьдесят семь" =
  4857). Other runs of four to six stay as said, above all what a lost "тысяч" leaves: "двадцать пятьсот" is
  not 20 500. The price: a bare 123456 said "сто двадцать три четыреста пятьдесят шесть" is one error, a bare
  86666 said "восемьсот шестьдесят шесть шестьдесят шесть" about four, while 866 66 is none.
- *Seven digits and more without a scale word* are a telephone number, digit by digit: speakers group digits
  otherwise than writers do. Two years or two round amounts (1941-1945) are two numbers even so.
- *Decimals* keep their mark as the word "целая": 2,5 = "две целых пять десятых" = "два с половиной"; before
  a scale they are multiplied out (2,5 млн = 2 500 000). "2.5" is a decimal only before a unit, else two
  numbers.
- *Times*: 21:00 = "двадцать один ноль ноль" = "двадцать один час" = 21 ч; 10:30 = "десять (часов) тридцать
  (минут)"; 6:00 утра = "шесть (часов) утра". Not so "дня" and "ночи": "два дня" are two days.
- *Units, currencies, percent* after a number lose their inflection, since ₽ and "кг" have none; elsewhere
  they keep it.

**What becomes equal though different.** "один" or "одна" before тысяча, миллион, час; "миллион" and
"миллионы"; every case, gender and ordinal of a number ("пять", "пятый", "пяти") and every form of a unit
after one; "часов" and "минут" in a time; "точка" between numbers; "цельсия"; "целых две десятых" and "запятая
два"; a code and the cardinal of its digits ("сорок восемь пятьдесят семь", "четыре тысячи восемьсот пятьдесят
семь"). Of 1,000 random spoken cardinals per range (10^3-10^4, 10^4-10^5, 10^5-10^6), all equal their digits,
bare and grouped. With one word dropped 2.9, 0 and 0 % still do (all of them a lost "одна" before "тысяча"),
and the mean count is 0.97, 1.03 and 1.00 errors; with one word changed for another of its order, none do, at
1.00 error each. At most 3 errors, where a lost "тысяч" leaves a code: "двадцать пять тринадцать" for 25 013.
Where "тысяч" is misheard as a small number, or a digit of a telephone number is lost, more: the run changes
its reading.

**What stays different, on purpose or for want of knowledge.** "два три" and 23, "девять один один" and 911
(three digits); "восемьсот пять" said for 800, 5 is 805; 12.05 and "двенадцатое мая" (12.05.2020 does meet
it); 8:00 and "восемь" but for "утра" and "вечера"; 16:9 and "шестнадцать на девять"; "10 с" (seconds);
"$300" and "триста сингапурских долларов" (a word is missing); "двое", "тройка", "полчаса", "половина",
"дважды" are no numbers. "семью" is a number only inside one, after "с" and the like, or before a plural
instrumental; else it is a family. "три" (rub!), "сорока" (magpie) and "один" (alone) are always numbers;
that hides an error only if the two sides differ in just these. "4К" is read "четыре ка".

**Latin** (`latin`, `spelling`): names and frequent English words by table, letters by name, the rest by
letter groups; then the spellings that Cyrillic leaves open in foreign names are folded on both sides (э/е
after a consonant, doubled consonants but not нн, ью before a consonant, final иа, initial уи). Among the
115,000 most frequent Russian word forms that folding makes 540 groups meet, most of them names; some are
not (мэр/мер, балл/бал, труппы/трупы). A name that Russian inflects loses its ending only where it
stands in the table (в YouTube, в ютубе). Words written together stay wrong: "Sushi Time", "сушитайм".

**Why no library.** On 400 real pairs, 17.6 % verbatim: number-parser 11.3 %, num2words over the digits
11.0 %, rutextnorm 12.3 %, ru-normalizr 10.2 %, this 7.8 %. They miss ordinals, zeros, digit groups, signs;
text2num has no Russian, ru-word2number reads one number and no sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal, get_args

from evaluation.normalize.latin import cyrillize
from evaluation.normalize.letters import compose, drop_punctuation, fold_yo, lower, split_hyphens
from evaluation.normalize.numbers import unify_numbers
from evaluation.normalize.roman import read_roman
from evaluation.normalize.rule import Rule
from evaluation.normalize.signs import read_signs
from evaluation.normalize.spelling import fold_spelling
from evaluation.normalize.units import lemmatize_units

__all__ = [
    "DEFAULT_PROFILE",
    "NORMALIZER_VERSION",
    "PROFILES",
    "PROFILE_RULES",
    "RULES",
    "Profile",
    "Rule",
    "has_digit_or_latin",
    "normalize",
    "normalize_each",
    "normalize_with",
]

NORMALIZER_VERSION = "1"
"""Changes with every change that can change a rate; a report quotes it."""

Profile = Literal["verbatim", "numbers", "numbers+latin"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
DEFAULT_PROFILE: Profile = "numbers"

RULES: tuple[Rule, ...] = (
    Rule("case", "lower case", lower),
    Rule("unicode", "NFC, without stress marks and invisible characters", compose),
    Rule("yo", "ё written as е", fold_yo),
    Rule("signs", "%, ₽, №, 21:00, 2,5, 20-го: signs and marks around digits as words", read_signs),
    Rule("punctuation", "punctuation out", drop_punctuation),
    Rule("hyphen", "a hyphen is a space", split_hyphens),
    Rule("roman", "Roman numerals as digits", read_roman),
    Rule("numbers", "digits and number words as canonical number words", unify_numbers),
    Rule("units", "units after a number in their dictionary form", lemmatize_units),
    Rule("latin", "Latin words in Cyrillic, names and letters in one spelling", cyrillize),
    Rule("spelling", "open spellings of foreign names folded", fold_spelling),
)
"""All rules in the order in which they apply; signs go before the punctuation that they are made of."""

_VERBATIM = ("case", "unicode", "yo", "punctuation", "hyphen")
_LATIN_ONLY = ("latin", "spelling")
PROFILE_RULES: dict[Profile, tuple[Rule, ...]] = {
    "verbatim": tuple(rule for rule in RULES if rule.name in _VERBATIM),
    "numbers": tuple(rule for rule in RULES if rule.name not in _LATIN_ONLY),
    "numbers+latin": RULES,
}
"""Rules of each profile, in their order."""

_DIGIT_OR_LATIN = re.compile("[0-9A-Za-z]")


def normalize(text: str, profile: Profile = DEFAULT_PROFILE) -> str:
    """The text as it is compared: words joined by single spaces; "" where nothing is left.

    Normalising the result again gives the result.

    Args:
        text: Reference or hypothesis as it came.
        profile: One of `PROFILES`.

    Raises:
        ValueError: there is no such profile.

    >>> normalize("Найди «Ёлки-2», сезон №3!", "verbatim"), normalize("Эпизод 21-й в 10:30.")
    ('найди елки 2 сезон 3', 'эпизод двадцать один в десять тридцать')
    >>> normalize("Включи YouTube в 4K", "numbers+latin"), normalize("…")
    ('включи ютуб в четыре ка', '')
    """
    if profile not in PROFILE_RULES:
        raise ValueError(f"no profile {profile!r}; there are {', '.join(PROFILES)}")
    return normalize_with(text, PROFILE_RULES[profile])


def normalize_with(text: str, rules: Iterable[Rule]) -> str:
    """The text after the given rules, in the order given; without any, its words as split at white space.

    >>> normalize_with("Ещё  раз.", RULES[:1]), normalize_with("Ещё  раз.", ())
    ('ещё раз.', 'Ещё раз.')
    """
    for rule in rules:
        text = rule.apply(text)
    return " ".join(text.split())


def normalize_each(text: str) -> tuple[str, ...]:
    """The text after each rule of `RULES`, all earlier ones applied: what a report compares rule by rule.

    >>> normalize_each("Ещё 3 раза.")[:3], normalize_each("Ещё 3 раза.")[-1]
    (('ещё 3 раза.', 'ещё 3 раза.', 'еще 3 раза.'), 'еще три раза')
    """
    texts: list[str] = []
    for rule in RULES:
        text = rule.apply(text)
        texts.append(" ".join(text.split()))
    return tuple(texts)


def has_digit_or_latin(text: str) -> bool:
    """True if a raw text has a digit or a Latin letter; where neither side has one, writing plays no part.

    >>> has_digit_or_latin("канал 5"), has_digit_or_latin("HD"), has_digit_or_latin("Канал пять!")
    (True, True, False)
    """
    return _DIGIT_OR_LATIN.search(text) is not None

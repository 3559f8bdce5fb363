"""Rules of each version of the normaliser: what a version has is never changed once records quote it."""

from __future__ import annotations

from evaluation.normalize.abbreviations import expand_abbreviations
from evaluation.normalize.fractions import read_fractions
from evaluation.normalize.hesitations import drop_fillers, shorten_elongations
from evaluation.normalize.latin import SPELLINGS_1, cyrillize
from evaluation.normalize.letters import compose, drop_punctuation, fold_yo, lower, split_hyphens
from evaluation.normalize.numbers import READING_1, unify_numbers
from evaluation.normalize.roman import read_roman, read_roman_1
from evaluation.normalize.rule import Rule
from evaluation.normalize.signs import read_signs, read_signs_1
from evaluation.normalize.spelling import fold_spelling
from evaluation.normalize.spelt import write_spelt
from evaluation.normalize.units import UNITS_1, lemmatize_units
from evaluation.normalize.years import complete_years

_CASE = Rule("case", "lower case", lower)
_UNICODE = Rule("unicode", "NFC, without stress marks and invisible characters", compose)
_YO = Rule("yo", "ё written as е", fold_yo)
_PUNCTUATION = Rule("punctuation", "punctuation out", drop_punctuation)
_HYPHEN = Rule("hyphen", "a hyphen is a space", split_hyphens)
_ROMAN = "Roman numerals as digits"

_SIGNS = "%, ₽, №, 21:00, 2,5, 20-го: signs and marks around digits as words"
_NUMBERS = "digits and number words as canonical number words"
_UNITS = "units after a number in their dictionary form"
_LATIN = "Latin words in Cyrillic, names and letters in one spelling"
_SPELLING = "open spellings of foreign names folded"

RULES_1: tuple[Rule, ...] = (
    _CASE,
    _UNICODE,
    _YO,
    Rule("signs", _SIGNS, read_signs_1),
    _PUNCTUATION,
    _HYPHEN,
    Rule("roman", _ROMAN, read_roman_1),
    Rule("numbers", _NUMBERS, lambda text: unify_numbers(text, READING_1)),
    Rule("units", _UNITS, lambda text: lemmatize_units(text, UNITS_1)),
    Rule("latin", _LATIN, lambda text: cyrillize(text, SPELLINGS_1)),
    Rule("spelling", _SPELLING, lambda text: fold_spelling(text, SPELLINGS_1)),
)

RULES_2: tuple[Rule, ...] = (
    Rule("abbreviations", "и т. д., д. 5, 120 В: abbreviations in words", expand_abbreviations),
    _CASE,
    _UNICODE,
    _YO,
    Rule("signs", _SIGNS, read_signs),
    _PUNCTUATION,
    Rule("elongations", "о-о-о, дааа: drawn-out sounds short", shorten_elongations),
    _HYPHEN,
    Rule("fillers", "э, эм, мм: hesitations out", drop_fillers),
    Rule("spelt", "эфбээр, эсэмэска: abbreviations as they are written", write_spelt),
    Rule("roman", _ROMAN, read_roman),
    Rule("fractions", "две трети, пять десятых: fractions as they are written", read_fractions),
    Rule("years", "двадцатый год: years with their century", complete_years),
    Rule("numbers", _NUMBERS, unify_numbers),
    Rule("units", _UNITS, lemmatize_units),
    Rule("latin", _LATIN, cyrillize),
    Rule("spelling", _SPELLING, fold_spelling),
)

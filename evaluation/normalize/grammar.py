"""Grammar of numbers, without context: number words to numbers, and back to canonical words."""

from __future__ import annotations

from evaluation.normalize.number_words import LEMMAS, NUMBER_WORDS, SCALES, NumberWord

Atom = NumberWord | str  # a number word, or a string of digits

MAX_SPOKEN = 3  # digits; a run of numbers this short is compared word by word
MAX_CARDINAL = 6  # digits; a longer string may be a telephone number
MAX_COUNTED = 15  # digits; nobody counts further, and `int` refuses what is very long


def atom(word: str) -> Atom | None:
    """The word as a part of a number, or None."""
    if word.isascii() and word.isdigit():
        return word
    return NUMBER_WORDS.get(word)


def value_of(part: Atom) -> int:
    """Value of a part by itself."""
    return part.value if isinstance(part, NumberWord) else int(part)


def is_scale(part: Atom) -> bool:
    """True if the part multiplies what stands before it."""
    return isinstance(part, NumberWord) and part.value in SCALES


class _Builder:
    """Number words in their order, put together as far as the grammar goes."""

    def __init__(self) -> None:
        self.numbers: list[str] = []
        self._total = 0  # what scales have closed
        self._group = 0  # the current one, below 1000
        self._open = False
        self._room = 0  # the next part must be below this power of ten
        self._scale_room = 10**15

    def flush(self) -> None:
        """End the current number."""
        if self._open:
            self.numbers.append(str(self._total + self._group))
        self._total = self._group = 0
        self._open, self._room, self._scale_room = False, 0, 10**15

    def add(self, part: Atom, *, multiplied: bool) -> None:
        """Take the next part; `multiplied` tells that a scale follows it."""
        if isinstance(part, str):
            self._add_digits(part, multiplied=multiplied)
        elif part.value in SCALES:
            self._add_scale(part.value)
        else:
            self._add_small(part.value)
        if isinstance(part, NumberWord) and part.ordinal:
            self.flush()

    def _add_digits(self, digits: str, *, multiplied: bool) -> None:
        countable = digits[0] != "0" and len(digits) <= MAX_COUNTED
        fits = countable and self._open and self._room == 1000 and int(digits) < self._scale_room
        if not fits:
            self.flush()
        if fits or (multiplied and countable):
            self._group, self._open, self._room = int(digits), True, 0
        else:
            self.numbers.append(digits)

    def _add_scale(self, scale: int) -> None:
        if scale >= self._scale_room:
            # A larger scale than before: "тысяча миллион" are two numbers.
            self.flush()
        self._total += (self._group or 1) * scale
        self._group, self._open, self._room, self._scale_room = 0, True, 1000, scale

    def _add_small(self, value: int) -> None:
        if value == 0:
            self.flush()
            self.numbers.append("0")
            return
        size = 1000 if value >= 100 else 100 if value >= 10 else 10
        if not self._open or size > self._room:
            self.flush()
            self._open = True
        self._group += value
        # After 20 a unit fits, after 10-19 nothing does, after 100 all that is below it.
        self._room = 100 if value >= 100 else 10 if value >= 20 else 1


def group(parts: list[Atom]) -> list[str]:
    """The numbers in a row of parts, each as its digits.

    >>> group([NUMBER_WORDS[word] for word in "триста восемь ноль двадцать первого пять тысяч".split()])
    ['308', '0', '21', '5000']
    """
    builder = _Builder()
    for i, part in enumerate(parts):
        builder.add(part, multiplied=i + 1 < len(parts) and is_scale(parts[i + 1]))
    builder.flush()
    return builder.numbers


def cardinal(number: int) -> list[str]:
    """The canonical words of a number below 10^15; a lone thousand or million has no "один".

    >>> cardinal(2023), cardinal(1_000_000)
    (['два', 'тысяча', 'двадцать', 'три'], ['миллион'])
    """
    words: list[str] = []
    for scale in sorted(SCALES, reverse=True):
        count, number = divmod(number, scale)
        if count:
            words += ([] if count == 1 else cardinal(count)) + [SCALES[scale]]
    for size in (100, 10):
        if number >= 20 and number >= size:
            words.append(LEMMAS[number // size * size])
            number %= size
    return [*words, LEMMAS[number]] if number or not words else words


def read(digits: str) -> list[str]:
    """The fixed reading of a digit string of any length. It depends on nothing but the digits.

    Up to six digits and round ones are a cardinal; others, and what begins with zero, go digit by digit.

    >>> " ".join(read("007")), " ".join(read("1986")), " ".join(read("12350"))
    ('ноль ноль семь', 'тысяча девятьсот восемьдесят шесть', 'двенадцать тысяча триста пятьдесят')
    >>> " ".join(read("88005553535"))
    'восемь восемь ноль ноль пять пять пять три пять три пять'
    """
    size = len(digits)
    if digits[0] == "0":
        # Zeros are spoken one by one; what follows them is a number if the whole is short.
        bare = digits.lstrip("0")
        if size > MAX_SPOKEN or not bare:
            return [LEMMAS[int(digit)] for digit in digits]
        return [LEMMAS[0]] * (size - len(bare)) + cardinal(int(bare))
    round_zeros = "" if size <= MAX_CARDINAL else "000" if size <= 9 else "000000"
    if digits.endswith(round_zeros) and size <= MAX_COUNTED:
        return cardinal(int(digits))
    return [LEMMAS[int(digit)] for digit in digits]


def count(number: str) -> list[str]:
    """A number that is known to be counted and no code: a cardinal of any size."""
    return cardinal(int(number)) if number[0] != "0" and len(number) <= MAX_COUNTED else read(number)


def _is_time(numbers: list[str]) -> bool:
    """True if the numbers are said as hour and minutes: 10 30, 10 05, 10 0 5."""
    hour, minutes = numbers[0], "".join(numbers[1:])
    one_word = len(numbers) == 2 or (len(numbers) == 3 and numbers[1] == "0")
    return one_word and len(hour) == 2 and 10 <= int(hour) <= 24 and len(minutes) == 2 and int(minutes) < 60


def _is_code(numbers: list[str]) -> bool:
    """True if four to six digits are said in pairs, digit by digit, or with a zero among them.

    What a lost "тысяч" leaves behind ("двадцать пятьсот") is none: it must not become 20 500.
    """
    return _has_zero(numbers) or {*map(len, numbers)} in ({1}, {2})


def _has_zero(numbers: list[str]) -> bool:
    """True if a zero is said before other digits, as in nothing that is counted."""
    return any(number[0] == "0" for number in numbers)


def _is_range(numbers: list[str]) -> bool:
    """True if the numbers are years or round amounts: 1941-1945, 12 000 - 15 000."""
    return len(numbers) > 1 and all(
        MAX_SPOKEN < len(number) <= MAX_CARDINAL
        and number[0] != "0"
        and (number.endswith("00") or 1000 <= int(number) <= 2100)
        for number in numbers
    )


def say(
    numbers: list[str], *, counted: bool = False, measured: bool = False, coded: bool | None = None
) -> list[str]:
    """The canonical words of a run of adjacent numbers.

    Args:
        numbers: Numbers, each as its digits.
        counted: True if there was a scale word among them: no telephone number, no code.
        measured: True if a unit or a month follows: the last one is no part of a code.
        coded: True if a word before them says that they are a code, False if none does; None of version 1,
            which took them for one wherever they are said in pairs or digit by digit.

    >>> " ".join(say(["48", "57"], coded=True)), " ".join(say(["48", "57"], coded=False))
    ('четыре тысяча восемьсот пятьдесят семь', 'сорок восемь пятьдесят семь')
    """
    size = sum(map(len, numbers))
    several = _is_range(numbers) and (coded is not None or len(numbers) == 2)
    if counted or (measured and len(numbers) == 1) or several:
        return [word for number in numbers for word in count(number)]
    is_code = MAX_SPOKEN < size <= MAX_CARDINAL and not measured
    if coded is None:
        is_code = is_code and not _is_time(numbers) and _is_code(numbers)
    elif not coded:
        is_code = is_code and not _is_time(numbers) and _has_zero(numbers)
    joined = ["".join(numbers)] if is_code or size > MAX_CARDINAL else numbers
    return [word for number in joined for word in read(number)]


def numbers_in(parts: list[Atom]) -> list[str]:
    """Numbers as in `group`, but digits of up to three taken as they are said: "700 85" is said like "785".

    >>> numbers_in(["700", "85"]), numbers_in(["2", "20"]), numbers_in(["5", NUMBER_WORDS["тысяч"]])
    (['785'], ['2', '20'], ['5000'])
    """
    said: list[Atom] = []
    for part in parts:
        if isinstance(part, str) and len(part) <= MAX_SPOKEN and part[0] != "0":
            said += [NUMBER_WORDS[word] for word in cardinal(int(part))]
        else:
            said.append(part)
    return group(said)

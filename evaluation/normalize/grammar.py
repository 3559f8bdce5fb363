"""From number words to numbers and back to canonical words: the grammar, without context."""

from __future__ import annotations

from evaluation.normalize.number_words import LEMMAS, NUMBER_WORDS, SCALES, NumberWord

Atom = NumberWord | str  # a number word, or a string of digits

MAX_SPOKEN = 3  # digits; a run of numbers this short is compared word by word, a longer one by its digits
MAX_COUNTED = 15  # digits; nobody counts further, and `int` refuses what is very long


def atom(word: str) -> Atom | None:
    """The word as a part of a number, or None."""
    if word.isascii() and word.isdigit():
        return word
    return NUMBER_WORDS.get(word)


def value_of(part: Atom) -> int:
    """What a part is worth by itself."""
    return part.value if isinstance(part, NumberWord) else int(part)


def is_scale(part: Atom) -> bool:
    """Whether the part multiplies what stands before it."""
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

    >>> " ".join(read("007")), " ".join(read("1986")), " ".join(read("2005")), " ".join(read("12500"))
    ('ноль ноль семь', 'девятнадцать восемьдесят шесть', 'два тысяча пять', 'двенадцать тысяча пятьсот')
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
    if size <= MAX_SPOKEN:
        return cardinal(int(digits))
    if size == 4:
        return (
            cardinal(int(digits))
            if digits[2] == "0"
            else cardinal(int(digits[:2])) + cardinal(int(digits[2:]))
        )
    round_zeros = "00" if size <= 6 else "000" if size <= 9 else "000000"
    if digits.endswith(round_zeros) and size <= MAX_COUNTED:
        return cardinal(int(digits))
    return [LEMMAS[int(digit)] for digit in digits]


def say(numbers: list[str]) -> list[str]:
    """The canonical words of a run of adjacent numbers."""
    if sum(map(len, numbers)) <= MAX_SPOKEN:
        return [word for number in numbers for word in read(number)]
    return read("".join(numbers))


def numbers_in(parts: list[Atom]) -> list[str]:
    """As `group`, but digits of up to three are taken as they are said: "700 85" is said like "785".

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

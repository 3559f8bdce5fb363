"""Containers: which one a file is, from its bytes alone, and where its audio and its end are.

Lives here: detection (`sniffing`), and a module for each container whose bytes say something that decoding
alone does not: a length, an end, an index.
May import: `audio.samples`, `audio.sections`, `errors`.
Public: `sniffing.sniff`, `kinds.Container`, `kinds.CONTAINERS`.
"""

from gigastt_lab.audio.containers.kinds import Container as Container
from gigastt_lab.audio.containers.sniffing import sniff as sniff

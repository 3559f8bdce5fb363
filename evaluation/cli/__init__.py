"""The command line of `python -m gigastt_lab.eval`: a file a command, and the options that they share.

Lives here: parsers, what is printed, exit codes.
May import: every room of `evaluation` but `studies`.
Public: `main.main`.
"""

"""`python -m gigastt_lab.eval`: the evaluation's command line, which lives in the package `evaluation`."""

import sys


def main() -> int:
    """Hand the arguments on; says what to install where the evaluation's packages are missing."""
    try:
        from evaluation.cli.main import main as evaluate  # to say what its absence means
    except ModuleNotFoundError as error:
        sys.stderr.write(f"the evaluation needs {error.name}: pip install 'gigastt-lab[eval]'\n")
        return 2
    return evaluate(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())

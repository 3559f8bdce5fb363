"""The public names of `evaluation.datasets`: there, shown, and free until they are used."""

import subprocess
import sys

import evaluation.datasets
from evaluation.datasets import named, noise, utterances


def test_public_names_are_those_of_the_modules() -> None:
    assert evaluation.datasets.open_dataset is named.open_dataset
    assert evaluation.datasets.Utterance is utterances.Utterance
    assert evaluation.datasets.Noisy is noise.Noisy
    assert set(evaluation.datasets.__all__) <= set(dir(evaluation.datasets))
    assert all(hasattr(evaluation.datasets, name) for name in evaluation.datasets.__all__)


def test_a_module_of_it_is_imported_without_the_others() -> None:
    code = (
        "import sys, evaluation.datasets.tags; "
        "print([name for name in sys.modules if name.startswith('evaluation.datasets.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['evaluation.datasets.tags']"

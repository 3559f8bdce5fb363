"""The made large set, in small: systems share references, a tenth of the words is wrong, nothing is lost."""

from evaluation.records.files import read
from evaluation.records.importing import import_records
from evaluation.scoring.compare import compare
from tests.support import large_set


def test_a_small_part_of_the_large_set(tmp_path):
    files = []
    for name in "ab":
        large_set.write(tmp_path / f"{name}.jsonl", 400, system=name)
        [path] = import_records(tmp_path / f"{name}.jsonl", tmp_path / "records", dataset="large")
        files.append(read(path))
    assert [len(file.records) for file in files] == [400, 400]
    found = compare(*files, n_resamples=100)
    assert all(0.07 < one.wer.rate < 0.13 for one in (found.a, found.b))
    assert found.n_only_a == found.n_only_b == 0

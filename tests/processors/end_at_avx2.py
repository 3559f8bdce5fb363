"""Makes the ONNX Runtime of a virtual environment end at AVX2, on a processor that goes on from there.

`python tests/processors/end_at_avx2.py VENV`: to time what there is without VNNI, of which QEMU says nothing.
Use a virtual environment of its own: its ONNX Runtime stays so until it is installed again. Set
`GIGASTT_LAB_CACHE`, too, for what is prepared belongs to the processor that the system names.

ONNX Runtime asks what the system saves of the processor (`xgetbv`), and takes AVX-512 or AMX by the answer.
Another answer is written in place of the question: `push 7; pop rax`, as long, is x87, SSE and AVX.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

XGETBV = b"\x0f\x01\xd0"
ONLY_AVX = b"\x6a\x07\x58"


def main() -> int:
    """Change the library in place; needs binutils."""
    if len(sys.argv) != 2:
        sys.stderr.write(f"usage: {sys.argv[0]} VENV\n")
        return 2
    libraries = list(
        Path(sys.argv[1]).glob("lib/python3*/site-packages/onnxruntime/capi/*pybind11_state*.so")
    )
    if len(libraries) != 1:
        sys.stderr.write(f"{sys.argv[1]} holds {len(libraries)} ONNX Runtimes; give one with one, on Linux\n")
        return 1
    (library,) = libraries
    command = ["objdump", "-d", "--no-show-raw-insn", str(library)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    places = [int(found[1], 16) for found in re.finditer(r"^\s*([0-9a-f]+):\txgetbv", listing, re.MULTILINE)]
    content = bytearray(library.read_bytes())
    for place in places:
        assert content[place : place + 3] == XGETBV, "addresses are not offsets into the file"
        content[place : place + 3] = ONLY_AVX
    library.write_bytes(content)
    sys.stdout.write(f"{library}: {len(places)} places changed\n")
    return 0 if places else 1


if __name__ == "__main__":
    sys.exit(main())

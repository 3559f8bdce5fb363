"""What INT8 does on the processor that this process runs on, as JSON: `test_processors.py` runs it on others.

`probe.py CLIP OLD_MODEL`: OLD_MODEL is a model directory whose INT8 encoder has pairs of any size.
"""

import json
import logging
import logging.handlers
import os
import sys

import numpy as np
from onnx import numpy_helper, parser

import gigastt_lab
from gigastt_lab.graphs.weight_range import EXACT
from gigastt_lab.quantization.gptq import round_to_nearest
from gigastt_lab.runtime.processor import int8_is_exact, int8_is_faster, int8_is_right
from gigastt_lab.runtime.sessions import RuntimeOptions, build_session

CPU = RuntimeOptions(provider="cpu", threads=1)


def wrong_products() -> list[str]:
    """Sizes of those products of small pairs that are not exact."""
    rng = np.random.default_rng(0)
    wrong = []
    for n_in, n_out in ((1, 1), (2, 16), (7, 5), (64, 48), (129, 33), (768, 64)):
        weight = round_to_nearest(rng.normal(scale=100, size=(n_in, n_out)).astype(np.float32), EXACT)
        model = parser.parse_model(f"""
            <ir_version: 8, opset_import: ["" : 17]>
            g (uint8[N, {n_in}] x) => (int32[N, M] y) {{ y = MatMulInteger (x, w) }}
        """)
        model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
        session = build_session(model.SerializeToString(), "product", CPU)
        for n_rows in (1, 2, 3, 5, 8, 13):
            for x in (np.full((n_rows, n_in), 255), rng.choice([0, 255], (n_rows, n_in))):
                (sums,) = session.run(x.astype(np.uint8))
                if not np.array_equal(sums, x @ weight.astype(int)):
                    wrong.append(f"{n_rows} x {n_in} x {n_out}")
    return wrong


def heard(clip: str, **options: str) -> dict[str, object]:
    """The text of a clip, the precision that was taken, and what was warned of."""
    warnings = logging.handlers.BufferingHandler(100)
    warnings.setLevel(logging.WARNING)
    logging.getLogger("gigastt_lab").addHandler(warnings)
    engine = gigastt_lab.load_engine("demo", provider="cpu", threads=1, **options)
    logging.getLogger("gigastt_lab").removeHandler(warnings)
    return {
        "text": engine.transcribe(clip).text,
        "precision": engine.info.precision,
        "warnings": [record.getMessage() for record in warnings.buffer],
    }


def main() -> None:
    """Print all of it."""
    # The process that prepares an encoder has to run on this processor as well.
    sys.executable = os.environ.get("PROBE_PYTHON", sys.executable)
    clip, old_model = sys.argv[1:]
    answer = {
        "exact": int8_is_exact(),
        "right": int8_is_right(),
        "faster": int8_is_faster(),
        "wrong products": wrong_products(),
        "fp32": heard(clip, precision="fp32"),
        "int8": heard(clip, precision="int8"),
        "auto": heard(clip),
        "old, int8": heard(clip, model_dir=old_model, precision="int8"),
        "old, auto": heard(clip, model_dir=old_model),
    }
    json.dump(answer, sys.stdout, ensure_ascii=False)


if __name__ == "__main__":
    main()

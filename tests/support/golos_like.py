"""Parquet files in the layout of Golos on the Hub."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq

CROWD = "bond005/sberdevices_golos_10h_crowd"


CROWD_SHA = "e634b6b810e4d30c81b4c6d8262379fe8b9f708c"


def golos_schema(extra=()):
    """The schema of bond005's repositories, with the features that `datasets` writes into parquet."""
    features = {
        "audio": {"sampling_rate": 16000, "_type": "Audio"},
        "transcription": {"dtype": "string", "_type": "Value"},
        **{name: {"dtype": "string", "_type": "Value"} for name in extra},
    }
    audio = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = [("audio", audio), ("transcription", pa.string()), *((name, pa.string()) for name in extra)]
    return pa.schema(columns, metadata={"huggingface": json.dumps({"info": {"features": features}})})


def parquet(rows, schema, n_in_group):
    buffer = io.BytesIO()
    table = pa.Table.from_pylist(rows, schema=schema)
    pq.write_table(table, buffer, row_group_size=n_in_group, compression="none")
    return buffer.getvalue()

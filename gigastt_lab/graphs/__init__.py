"""ONNX graphs of a model, read, rewritten and packed for the machine at hand.

Lives here: the graph editor, the encoder's rewriting (`encoder`), predictor and joiner (`head`), INT8 weights.
May import: `runtime`, `types`, `errors`.
Public: `editor.GraphEditor`, `encoder.loading.load_encoder`, `head.load_head`, `int8_weights.load_exactly`.
"""

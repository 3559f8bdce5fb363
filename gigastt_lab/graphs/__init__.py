"""ONNX graphs of a model, read, rewritten and packed for the machine at hand.

Lives here: view and editor of a graph, rewriting of the encoder (`encoder`), predictor and joiner (`head`),
INT8 weights.
May import: `runtime`, `types`, `errors`.
Public: `view.GraphView`, `editor.GraphEditor`, `encoder.loading.load_encoder`, `head.load_head`,
`int8_weights.load_exactly`.
"""

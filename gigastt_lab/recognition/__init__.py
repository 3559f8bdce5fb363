"""Recognition of one pass of up to 30 s, and of long recordings window by window.

Lives here: loading a model, log-mel features, the networks, RNN-T search, the tokenizer, the recogniser,
windows, batches, stitching.
May import: `graphs`, `audio` (inputs, VAD), `runtime`, `models`, `types`, `spec`, `errors`.
Public: `loading.load`, `features.log_mel`, `networks.load_networks`, `search.GreedySearch`,
`recognizer.Recognizer`.
"""

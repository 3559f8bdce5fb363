"""Models: which are known, what files they have, where these are, how they are downloaded.

Lives here: the registry, files of a model directory, locks and checksums, the Hugging Face Hub's client.
May import: `types`, `errors`.
Public: `registry.KNOWN_MODELS`, `registry.model_directory`, `files.ModelFiles`, `download.download`.
"""

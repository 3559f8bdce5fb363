"""Systems: whatever makes text of an utterance; a file each, one registry.

Lives here: the Protocol and its outcome, this package's engine, its peers, servers.
May import: `records` (names, machine), `datasets` (audio).
Public: `registry.SystemSpec`, `registry.load_system`, `base.System`, `base.Outcome`.
"""

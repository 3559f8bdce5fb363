"""Manifests: tables that list audio files with their texts, and what else is known of them.

Lives here: rows of JSONL, JSON, CSV and TSV, names of columns, times of pieces, entries with their files.
May import: `audio.pieces`, `errors`.
Public: `entries.read_manifest`, `rows.rows_of`, `columns.column`, `times.piece_of`.
"""

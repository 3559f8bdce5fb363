"""Datasets: utterances in a fixed order, and an account of what was left out.

Lives here: named sets, manifests, folders, parquet and the Hub, an utterance's audio, added noise.
May import: `gigastt_lab`.
Public: `open_dataset`, `utterances.Utterance`, `utterances.Dataset`, `noise.Noisy`.
"""

"""The production server: gigastt 2.0.13's API over this package's engine. See `docs/server-behavior.md`."""

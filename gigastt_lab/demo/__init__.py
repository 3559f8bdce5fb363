"""The demo model and its sample clips.

Lives here: the small embedded model with its card, and 24 sample clips with their texts; data, no code.
May import: nothing.
Public: `models.DEMO_DIRECTORY` and `models.DEMO_CLIPS_DIRECTORY` say where they are.
"""

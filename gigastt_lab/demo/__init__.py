"""The demo model and its sample clips."""

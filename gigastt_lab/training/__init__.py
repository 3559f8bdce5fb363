"""How the demo model is made. Needs the `training` extra."""

"""Russian speech recognition with GigaAM v3."""

"""Floor 6: the only place where families meet."""

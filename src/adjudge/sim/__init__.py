"""Floor 4: worlds that know the truth."""

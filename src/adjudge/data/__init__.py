"""Floor 4: a value, a suspicion or a price for each row of a table."""

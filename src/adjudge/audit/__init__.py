"""Floor 4: what to distrust in a table, as findings with numbers."""

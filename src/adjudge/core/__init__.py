"""Floor 2: the concepts that every method shares."""

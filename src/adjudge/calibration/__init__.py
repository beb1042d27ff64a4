"""Floor 4: from a judge's scores and a few gold labels to a forecast of gold for every row."""

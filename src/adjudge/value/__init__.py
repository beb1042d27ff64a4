"""Floor 4: from a table to an `Estimate` of policy values or effects."""

"""Floor 3: tables under a schema, checked once at the door."""

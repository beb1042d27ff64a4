"""Floor 3: what a person reads. A `Story` (plain data) becomes a page, a terminal table or a file."""

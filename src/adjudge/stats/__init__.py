"""Floor 3: statistical ideas, one a file, that several families use."""

"""Floor 3: what people look at: terminal tables, pages, exports."""

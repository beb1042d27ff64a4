"""The one loop: any objective or credit rule, on a language model, a torch module or a table of chances."""

"""Logs of other tools as tidy tables: `recognises(content)` tells whether it is one, `tidy(content)` reads it."""

"""Tests that may look at the data several times, and stop as soon as it is decided."""

"""Adjudge: which policy is better, how sure you can be, and when the feedback stops tracking the truth."""

from __future__ import annotations

__version__ = "0.1.0"

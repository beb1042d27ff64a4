"""Holdouts that survive being asked again and again by people who learn from the answers."""

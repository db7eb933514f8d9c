"""Roles, and the grants that give one of them to a person on a single document."""

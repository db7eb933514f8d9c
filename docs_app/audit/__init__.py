"""Who did what, and what was refused to whom: rows that are added and never changed.

Read `models`, then `trail` (verbs and refusals write here) and `origin` (from which address).
"""

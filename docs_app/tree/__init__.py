"""Pages inside pages: who is above, who is below, in which order, and how they move.

Read `lines` (the queries that follow parents and children), `locks`, `places`, then `verbs`.
"""

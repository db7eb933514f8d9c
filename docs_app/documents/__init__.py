"""Documents and the log that keeps them.

Read `models`, then `updates` (what a Yjs update says, without trusting it), `replica` (a document in memory), `trial`
(what an update costs), `log` (append, since, load, compact), then the verbs and views.
"""

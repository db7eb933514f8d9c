"""What the Makefile calls: set-up, start, checks. Standard library only, because it runs before any package is there.

Read in this order: `__main__` (the commands), `setup` (what a working copy needs), `step` (done once per input, again
when interrupted), `node` (which Node), `checks` (lint, types, tests), `machine` (what tests need from the machine).
"""

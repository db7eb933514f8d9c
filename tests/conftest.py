"""Fixtures for all tests. Real services and a running Collab come from the modules named here."""

import signal

# A shell ignores Ctrl+C for what it starts in the background, and so would every server that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

pytest_plugins = ["tests.cast", "tests.processes", "tests.services", "tests.server"]

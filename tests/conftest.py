"""Fixtures for all tests. Real services and a running Collab come from the modules named here."""

pytest_plugins = ["tests.cast", "tests.processes", "tests.services", "tests.server"]

"""Shortens the server's waits in a test's own process, before it serves anything."""

import importlib
from pathlib import Path

from django.apps import AppConfig

from tests.faults.tuned_settings import FAULTS_TUNE


class TunedConfig(AppConfig):
    name = "tests.faults"
    label = "faults"
    path = str(Path(__file__).parent)

    def ready(self) -> None:
        for address, value in FAULTS_TUNE.items():
            module, _, attribute = address.rpartition(".")
            target = importlib.import_module(module)
            if not hasattr(target, attribute):
                raise RuntimeError(f"{address} does not exist any more")
            setattr(target, attribute, value)

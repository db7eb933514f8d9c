"""Collab's settings for a server whose waits a test shortens: `FAULTS_TUNE` holds JSON, module attribute to value."""

import json
import os

from collab.settings import *  # noqa: F403 (all of them are settings)
from collab.settings import DATABASES, INSTALLED_APPS

FAULTS_TUNE: dict[str, float] = json.loads(os.environ.get("FAULTS_TUNE", "{}"))
INSTALLED_APPS = [*INSTALLED_APPS, "tests.faults.tuned_app.TunedConfig"]
ROOT_URLCONF = "tests.faults.tuned_urls"
if (timeout := FAULTS_TUNE.pop("database.timeout", None)) is not None:
    DATABASES["default"]["OPTIONS"]["timeout"] = timeout

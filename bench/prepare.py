"""Fills a new database with people, their sessions and empty documents, and prints them as JSON. A program of its own,
because it needs Collab's settings from the environment. Arguments: how many people, how many documents."""

import json
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collab.settings")
django.setup()

# ruff: noqa: E402 (models can be imported only now)
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import transaction

from docs_app.accounts.models import User
from docs_app.documents.models import Document
from docs_app.workspaces.models import Membership, Workspace


def fill(people: int, documents: int) -> dict[str, list[str]]:
    """The session keys of so many people and the ids of so many documents that each of them may edit."""
    with transaction.atomic():
        workspace = Workspace.objects.create(name="Bench")
        users = User.objects.bulk_create(
            # No password: hashing one for each would take longer than the measurement.
            User(email=f"person{n}@example.org", name=f"Person {n}", password=make_password(None))
            for n in range(people)
        )
        Membership.objects.bulk_create(Membership(workspace=workspace, user=user) for user in users)
        made = Document.objects.bulk_create(
            Document(workspace=workspace, title=f"Bench {n}", created_by=users[0]) for n in range(documents)
        )
        sessions = [_sign_in(user) for user in users]
    return {"sessions": sessions, "documents": [str(document.id) for document in made]}


def _sign_in(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "allauth.account.auth_backends.AuthenticationBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return session.session_key or ""


if __name__ == "__main__":
    call_command("migrate", "--no-input", verbosity=0)
    sys.stdout.write(json.dumps(fill(int(sys.argv[1]), int(sys.argv[2]))))

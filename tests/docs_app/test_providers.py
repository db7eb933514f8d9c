"""Providers of OpenID Connect in the environment. Signing in at one: tests/peers/test_provider.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from docs_app.accounts.models import User
from docs_app.accounts.providers import follow_groups
from docs_app.workspaces.models import Membership, Workspace
from tests.server import ROOT, environment


def read(folder: Path, **extra: str) -> subprocess.CompletedProcess[str]:
    code = "import json; from collab import settings; print(json.dumps(settings.OIDC))"
    named = {f"COLLAB_OIDC_{name}": value for name, value in extra.items()}
    env = environment(folder, **named, PYTHONPATH=os.fspath(ROOT))
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)


def test_there_are_none_by_default(tmp_path: Path) -> None:
    assert read(tmp_path).stdout.strip() == "[]"


def test_several_are_read_by_number(tmp_path: Path) -> None:
    done = read(
        tmp_path,
        **{
            "1_URL": "https://one.example",
            "1_CLIENT_ID": "a",
            "1_GROUPS": "writers = Our team:member, x=A:B:guest,writers=Other:admin",
            "3_URL": "https://three.example",
            "3_ID": "three",
            "3_CLIENT_ID": "b",
            "3_SIGN_UP": "true",
        },
    )
    one, three = json.loads(done.stdout)
    assert one["provider_id"] == "oidc-1"
    assert one["settings"]["groups"] == {
        "writers": [["Our team", "member"], ["Other", "admin"]],
        "x": [["A:B", "guest"]],
    }
    assert (one["settings"]["sign_up"], three["settings"]["sign_up"]) == (False, True)
    assert three["provider_id"] == "three"


@pytest.mark.parametrize(
    ("extra", "told"),
    [
        ({"1_URL": "https://one.example"}, "needs COLLAB_OIDC_1_CLIENT_ID"),
        ({"1_URL": "https://one.example", "1_CLIENT_ID": "a", "1_ID": "A/B"}, "small letters"),
        (
            {"1_URL": "https://one.example", "1_CLIENT_ID": "a", "1_GROUPS": "x=Our team:owner"},
            "must look like",
        ),
        (
            {
                "1_URL": "https://a.example",
                "1_CLIENT_ID": "a",
                "2_URL": "https://b.example",
                "2_CLIENT_ID": "b",
            }
            | {"1_ID": "x", "2_ID": "x"},
            "same COLLAB_OIDC",
        ),
    ],
)
def test_the_start_stops_at_one_that_makes_no_sense(tmp_path: Path, extra: dict[str, str], told: str) -> None:
    done = read(tmp_path, **extra)
    assert done.returncode == 1
    assert told in done.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("groups", "kind"),
    [
        (["writers"], "member"),
        (["guests", "heads"], "admin"),
        (["others"], None),
        ([], None),
        (None, "member"),
    ],
)
def test_groups_decide_in_the_workspaces_that_they_name(
    workspace: Workspace, bob: User, groups: list[str] | None, kind: str | None
) -> None:
    other = Workspace.objects.create(name="Other")
    Membership.objects.create(workspace=other, user=bob)
    mapping = {
        "writers": [["Aviary", "member"]],
        "heads": [["Aviary", "admin"]],
        "guests": [["Aviary", "guest"]],
    }
    follow_groups(bob, {"groups": mapping}, groups)
    kinds = dict(bob.memberships.values_list("workspace__name", "kind"))
    assert kinds.pop("Other") == "member"
    assert kinds == ({"Aviary": kind} if kind else {})


@pytest.mark.django_db(transaction=True)
def test_an_owner_stays_one(workspace: Workspace, alice: User) -> None:
    follow_groups(alice, {"groups": {"writers": [["Aviary", "member"]]}}, [])
    follow_groups(alice, {"groups": {"writers": [["Aviary", "member"]]}}, ["writers"])
    assert alice.memberships.get().kind == "owner"

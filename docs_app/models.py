"""Index of the tables; each is defined in the folder of its feature."""

from docs_app.accounts.models import User
from docs_app.audit.models import AuditEvent
from docs_app.documents.models import (
    ClientBinding,
    Document,
    DocumentSnapshot,
    DocumentUpdate,
    Favourite,
    ServerProcess,
    Visit,
)
from docs_app.invitations.models import Invitation
from docs_app.sharing.models import AccessRequest, Grant, Guest, ShareLink
from docs_app.workspaces.models import Group, GroupMember, Membership, Workspace

__all__ = [
    "AccessRequest",
    "AuditEvent",
    "ClientBinding",
    "Document",
    "DocumentSnapshot",
    "DocumentUpdate",
    "Favourite",
    "Grant",
    "Group",
    "GroupMember",
    "Guest",
    "Invitation",
    "Membership",
    "ServerProcess",
    "ShareLink",
    "User",
    "Visit",
    "Workspace",
]

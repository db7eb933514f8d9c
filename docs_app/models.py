"""Index of the tables; each is defined in the folder of its feature."""

from docs_app.accounts.models import User
from docs_app.documents.models import ClientBinding, Document, DocumentSnapshot, DocumentUpdate, ServerProcess
from docs_app.invitations.models import Invitation
from docs_app.sharing.models import Grant
from docs_app.workspaces.models import Membership, Workspace

__all__ = [
    "ClientBinding",
    "Document",
    "DocumentSnapshot",
    "DocumentUpdate",
    "Grant",
    "Invitation",
    "Membership",
    "ServerProcess",
    "User",
    "Workspace",
]

"""Index of the admin's pages; each is defined in the folder of its feature."""

from allauth.account.decorators import secure_admin_login
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django.contrib import admin
from django.contrib.auth.models import Group

from docs_app.accounts.admin import PersonAdmin
from docs_app.documents.admin import DocumentAdmin
from docs_app.workspaces.admin import WorkspaceAdmin

__all__ = ["DocumentAdmin", "PersonAdmin", "WorkspaceAdmin"]

admin.site.site_title = admin.site.site_header = "Collab"
admin.site.index_title = "Administration"
# One way in, with its rate limits: the admin's own sign-in page has none.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
# Rights come from memberships and grants, addresses from the account itself; keys and sessions are the person's own,
# and providers come from the environment.
admin.site.unregister(
    [EmailAddress, Group, Authenticator, UserSession, SocialAccount, SocialApp, SocialToken]
)

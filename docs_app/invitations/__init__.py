"""Invitations to a workspace, by mail or by a link, and the page on which its owners and admins see who belongs to it.

Read `models`, `verbs`, `views`. Signing up without an invitation is in `docs_app/accounts/sign_up.py`.
"""

"""The people of a workspace, and where an invitation leads."""

from django.urls import path

from docs_app.invitations import accepting, views

urlpatterns = [
    path("people/", views.people, name="people"),
    path("workspaces/<int:workspace_id>/people/", views.people_of, name="people_of"),
    path("workspaces/<int:workspace_id>/invitations/mail", views.invite_by_mail, name="invite_by_mail"),
    path("workspaces/<int:workspace_id>/invitations/link", views.invite_by_link, name="invite_by_link"),
    path(
        "workspaces/<int:workspace_id>/invitations/<int:invitation_id>/again",
        views.invite_again,
        name="invite_again",
    ),
    path("workspaces/<int:workspace_id>/invitations/<int:invitation_id>/revoke", views.revoke, name="revoke"),
    path("invitations/<str:token>/", accepting.accept, name="invitation"),
]

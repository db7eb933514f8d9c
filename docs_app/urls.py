"""Index of the product's addresses."""

from django.urls import include, path

urlpatterns = [
    path("", include("docs_app.documents.urls")),
    path("", include("docs_app.accounts.urls")),
    path("", include("docs_app.invitations.urls")),
]

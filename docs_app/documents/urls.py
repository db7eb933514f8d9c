"""The start page and the pages of a document."""

from django.urls import path

from docs_app.documents import views

urlpatterns = [
    path("", views.start, name="start"),
    path("documents/", views.documents, name="documents"),
    path("documents/<uuid:document_id>/", views.document, name="document"),
    path("documents/<uuid:document_id>/title", views.title, name="document_title"),
    path("documents/<uuid:document_id>/rename", views.rename, name="document_rename"),
]

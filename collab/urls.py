"""Every page's address; the sockets' addresses are in `asgi`."""

from django.contrib import admin
from django.urls import include, path

from collab import uploads

urlpatterns = [
    path("documents/<uuid:document_id>/uploads/<uuid:upload_id>", uploads.upload, name="document_upload"),
    path("", include("docs_app.urls")),
    path("admin/", admin.site.urls),
]

"""Every page's address; the sockets' addresses are in `asgi`."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("docs_app.urls")),
    path("admin/", admin.site.urls),
]

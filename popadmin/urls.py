"""The URLs of the site."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("popadmin.signin.urls")),
    path("", include("popadmin.panel.urls")),
    path("", include("popadmin.owner.urls")),
    path("setup/", include("popadmin.connect.urls")),
]
handler500 = "popadmin.web.error_page.server_error"

"""URLs of the public pages that say how to set up a mail program. The files for programs are in `program_files`."""

from django.urls import path

from popadmin.connect.views import setup

urlpatterns = [
    path("", setup.Setup.as_view(), name="setup"),
    path("device/", setup.DeviceSetup.as_view(), name="setup-device"),
]

"""URLs of the public pages that say how to set up a mail program. The files for programs are in `program_files`."""

from django.urls import path

from popadmin.connect.views import profile, setup

urlpatterns = [
    path("", setup.Setup.as_view(), name="setup"),
    path("device/", setup.DeviceSetup.as_view(), name="setup-device"),
    path("profile/<str:token>/", profile.ProfilePage.as_view(), name="setup-profile"),
    path("profile/<str:token>/mail.mobileconfig", profile.ProfileFile.as_view(), name="setup-profile-file"),
]

"""URLs of the sign-in, and of the settings that every user has."""

from django.urls import path

from popadmin.signin.views import forgotten, invitation, recovery_address, settings, sign_in

urlpatterns = [
    path("", sign_in.home, name="home"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign-in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign-out"),
    path("password/", settings.Password.as_view(), name="settings-password"),
    path("password/forgotten/", forgotten.ForgottenPassword.as_view(), name="password-forgotten"),
    path("password/mailed/", forgotten.LinkSent.as_view(), name="password-mailed"),
    path("password/new/<str:uid>/<str:token>/", forgotten.ResetPassword.as_view(), name="password-reset"),
    path("password/invitation/<str:token>/", invitation.Invited.as_view(), name="invitation"),
    path("settings/", settings.Settings.as_view(), name="settings"),
    path("settings/sessions/", settings.end_sessions, name="settings-sessions"),
    path("settings/recovery-address/", recovery_address.RecoveryAddress.as_view(), name="settings-recovery-address"),
    path("settings/recovery-address/code/", recovery_address.RecoveryCode.as_view(), name="settings-recovery-code"),
    path("language/", settings.language, name="language"),
    path("theme/", settings.theme, name="theme"),
]

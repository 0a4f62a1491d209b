"""Addresses of the admins' pages."""

from django.urls import path

from popadmin.panel.views import audit, mailbox, mailboxes, overview, policies, removed, rosters

urlpatterns = [
    path("policies/", policies.Policies.as_view(), name="policies"),
    path("policies/new/", policies.New.as_view(), name="policies-new"),
    path("policies/choice/", policies.Choice.as_view(), name="policies-choice"),
    path("policies/<int:key>/", policies.Detail.as_view(), name="policies-one"),
    path("policies/<int:key>/edit/", policies.Edit.as_view(), name="policies-edit"),
    path("policies/<int:key>/removal/", policies.Removal.as_view(), name="policies-removal"),
    path("overview/", overview.Overview.as_view(), name="overview"),
    path("audit/", audit.Audit.as_view(), name="audit"),
    path("mailboxes/", mailboxes.Mailboxes.as_view(), name="mailboxes"),
    path("mailboxes/bulk/<slug:act>/", mailboxes.MailboxBulk.as_view(), name="mailboxes-bulk"),
    path("mailboxes/results/", mailboxes.MailboxResults.as_view(), name="mailboxes-results"),
    path("mailboxes/removed/", removed.Removed.as_view(), name="mailboxes-removed"),
    path("mailboxes/new/", mailbox.New.as_view(), name="mailboxes-new"),
    path("mailboxes/<int:key>/", mailbox.Detail.as_view(), name="mailboxes-one"),
    path("mailboxes/<int:key>/edit/", mailbox.Edit.as_view(), name="mailboxes-edit"),
    path("mailboxes/<int:key>/password/", mailbox.Password.as_view(), name="mailboxes-password"),
    path("mailboxes/<int:key>/suspension/", mailbox.Suspension.as_view(), name="mailboxes-suspension"),
    path("mailboxes/<int:key>/removal/", mailbox.Removal.as_view(), name="mailboxes-removal"),
    path("mailboxes/<int:key>/restoral/", removed.Restoral.as_view(), name="mailboxes-restoral"),
    path("mailboxes/import/", rosters.BringIn.as_view(), name="mailboxes-imports"),
    path("mailboxes/import/<int:pk>/", rosters.RosterPage.as_view(), name="mailboxes-import"),
    path("mailboxes/import/<int:pk>/columns/", rosters.ChooseColumns.as_view(), name="mailboxes-import-columns"),
    path("mailboxes/import/<int:pk>/start/", rosters.Start.as_view(), name="mailboxes-import-start"),
    path("mailboxes/import/<int:pk>/step/", rosters.Step.as_view(), name="mailboxes-import-step"),
    path("mailboxes/import/<int:pk>/passwords/", rosters.Passwords.as_view(), name="mailboxes-import-passwords"),
]

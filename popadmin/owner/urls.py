"""URLs of the mailbox owner's pages."""

from django.urls import path

from popadmin.owner.views import (
    connect,
    devices,
    forward_consent,
    forwards,
    mailbox,
    messages,
    recovery,
    stopping_message,
    trace,
)

urlpatterns = [
    path("mailbox/", mailbox.Home.as_view(), name="mailbox"),
    path("mailbox/stopped/<int:pk>/", stopping_message.Stopped.as_view(), name="mailbox-stopped"),
    path("mailbox/trace/", trace.Trace.as_view(), name="mailbox-trace"),
    path("devices/", devices.Devices.as_view(), name="devices"),
    path("devices/connect/", connect.Connect.as_view(), name="devices-connect"),
    path("devices/<int:pk>/", devices.DevicePage.as_view(), name="devices-one"),
    path("devices/<int:pk>/name/", devices.RenameDevice.as_view(), name="devices-name"),
    path("devices/<int:pk>/mode/", devices.ChangeMode.as_view(), name="devices-mode"),
    path("devices/<int:pk>/revoke/", devices.RevokeDevice.as_view(), name="devices-revoke"),
    path("devices/<int:pk>/status/", devices.DeviceStatus.as_view(), name="devices-status"),
    path("settings/forwarding/", forwards.Forwards.as_view(), name="settings-forwarding"),
    path("settings/forwarding/letters/", forwards.Letters.as_view(), name="settings-forwarding-letters"),
    path("forwarding/<str:token>/", forward_consent.ForwardConsent.as_view(), name="forward-consent"),
    path("settings/history/", mailbox.History.as_view(), name="settings-history"),
    path("messages/", messages.Messages.as_view(), name="messages"),
    path("messages/<int:pk>/", messages.MessagePage.as_view(), name="messages-one"),
    path("messages/<int:pk>/file/", messages.DownloadMessage.as_view(), name="messages-file"),
    path("messages/<int:pk>/remove/", messages.RemoveMessage.as_view(), name="messages-remove"),
    path("messages/<int:pk>/undo/", messages.UndoRemoval.as_view(), name="messages-undo"),
    path("messages/<int:pk>/purge/", messages.PurgeMessage.as_view(), name="messages-purge"),
    path("diary/", mailbox.Diary.as_view(), name="diary"),
    path("recovery/", recovery.Recovery.as_view(), name="recovery"),
    path("recovery/restore/", recovery.Restore.as_view(), name="recovery-restore"),
    path("recovery/undo/", recovery.UndoRestore.as_view(), name="recovery-undo"),
    path("recovery/purge/", recovery.Purge.as_view(), name="recovery-purge"),
]

"""MTAs read views of their own: domains, mailboxes, aliases that only they can expand, and who may send as whom."""

from django.db import migrations

from mailstore.migrations import mta_views


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0107_sending_limits")]

    operations = [
        mta_views.define(view, "0108")
        for view in (
            "mta_mailbox_names",
            "mta_alias_names",
            "mta_expansions",
            "mta_domains",
            "mta_mailboxes",
            "mta_aliases",
            "mta_senders",
        )
    ]

"""MTAs are not told of senders whose sending is switched off."""

from django.db import migrations

from mailstore.migrations import mta_views


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0120_mail_flow")]

    operations = [mta_views.define("mta_mailbox_names", "0121"), mta_views.define("mta_senders", "0121")]

"""A domain may let people sign in by an alias that leads to one mailbox."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0082_quota_warning_waits")]

    operations = [
        migrations.AddField(
            "domain",
            "alias_sign_in",
            models.BooleanField(db_default=False, default=False, verbose_name="sign-in by alias"),
        ),
    ]

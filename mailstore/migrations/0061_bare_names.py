"""A sign-in with a bare name finds out whether it is the local part of a mailbox, and the sweep tells its owner."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0060_alias_sign_in")]

    operations = [
        migrations.AddIndex(
            "user",
            models.Index(
                models.Func(models.F("address"), models.Value("@"), models.Value(1), function="split_part"),
                name="user_local_part",
            ),
        ),
        migrations.AlterField(
            "finding",
            "kind",
            models.CharField(
                choices=[
                    ("again", "fetches the same mail again and again"),
                    ("shared", "two machines use one password"),
                    ("hasty", "checks for mail every few seconds"),
                    ("keeps", "never deletes, and the mailbox fills"),
                    ("unended", "never ends its sessions"),
                    ("undone", "deletes, and hangs up without QUIT"),
                    ("stopped", "stops at one message"),
                    ("previous", "the previous password is still in use"),
                    ("bare", "a user name without its domain"),
                ],
                max_length=8,
                verbose_name="problem",
            ),
        ),
    ]

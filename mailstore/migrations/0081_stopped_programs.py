"""Two more problems of mail programs are told; what is removed on the pages may be removed by an administrator."""

from django.db import migrations, models

WHY = models.CharField(
    choices=[
        ("dele", "deleted by a device"),
        ("every", "every device has it"),
        ("settled", "mail no longer waits for a device, and all others have deleted it"),
        ("expired", "expired by retention policy"),
        ("had", "expired: every device has had it for long enough"),
        ("relief", "quota relief"),
        ("person", "removed on the pages"),
    ],
    max_length=7,
    verbose_name="why",
)
WHY_OR_NOT = WHY.clone()
WHY_OR_NOT.blank, WHY_OR_NOT.default = True, ""


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0080_body_has_nul")]

    operations = [
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
                ],
                max_length=8,
                verbose_name="problem",
            ),
        ),
        migrations.AlterField("message", "removed_why", WHY_OR_NOT),
        migrations.AlterField("earlierstay", "removed_why", WHY),
    ]

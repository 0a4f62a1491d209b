"""Why mail left says when it waited only for a device that counts no more."""

from django.db import migrations, models

WHY = [
    ("dele", "deleted by a device"),
    ("every", "every device has it"),
    ("settled", "a device is waited for no more, and all others have deleted it"),
    ("expired", "expired by retention policy"),
    ("had", "expired: every device has had it for long enough"),
    ("relief", "quota relief"),
    ("person", "removed by the owner, in the pages"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0028_domain_of_old_audit_entries"),
    ]

    operations = [
        migrations.AlterField(
            model_name="earlierstay",
            name="removed_why",
            field=models.CharField(choices=WHY, max_length=7, verbose_name="why"),
        ),
        migrations.AlterField(
            model_name="message",
            name="removed_why",
            field=models.CharField(blank=True, choices=WHY, default="", max_length=7, verbose_name="why"),
        ),
    ]

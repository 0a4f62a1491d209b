"""What `mta setup` and `mta check` did last."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0116_profile_links"),
    ]

    operations = [
        migrations.CreateModel(
            name="MailFlow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("mta", models.CharField(blank=True, default="", max_length=10, verbose_name="MTA")),
                ("set_up_at", models.DateTimeField(blank=True, null=True, verbose_name="set up")),
                ("checked_at", models.DateTimeField(blank=True, null=True, verbose_name="checked")),
                ("results", models.JSONField(default=list, verbose_name="results")),
            ],
            options={
                "verbose_name": "mail flow",
                "verbose_name_plural": "mail flows",
            },
        ),
    ]

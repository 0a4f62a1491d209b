"""The listeners say which certificates they serve: what lies on the disk may be newer, or broken."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0070_refused_handshakes")]

    operations = [
        migrations.CreateModel(
            name="ListenerCertificates",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("listener", models.TextField(unique=True, verbose_name="listener")),
                ("seen_at", models.DateTimeField(verbose_name="last seen")),
                ("certificates", models.JSONField(default=list, verbose_name="certificates")),
            ],
            options={
                "verbose_name": "certificates of a listener",
                "verbose_name_plural": "certificates of listeners",
            },
        ),
    ]

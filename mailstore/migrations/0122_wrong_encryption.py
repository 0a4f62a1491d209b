"""A client that is set up for another encryption than the port has, is told among the refused names."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0120_mail_flow")]

    operations = [
        migrations.AlterField(
            "refusedname",
            "reason",
            models.CharField(
                choices=[
                    ("unknown", "no such name"),
                    ("network", "too many names that nobody has"),
                    ("account", "too many wrong passwords"),
                    ("connections", "too many connections"),
                    ("tls-version", "TLS too old"),
                    ("tls-cipher", "no common cipher"),
                    ("cleartext", "no encryption"),
                    ("tls-first", "TLS at once on the port for STARTTLS"),
                    ("tls-missing", "no TLS on the port for SSL/TLS"),
                ],
                max_length=11,
                verbose_name="why",
            ),
        ),
    ]

"""The workers of POP3 and SASL tell each other of failed sign-ins. No index: the table holds a minute of them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0105_sending")]

    operations = [
        migrations.CreateModel(
            name="SharedFailure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("writer", models.UUIDField()),
                ("kind", models.CharField(max_length=9)),
                ("client", models.CharField(max_length=64)),
                ("account", models.TextField()),
                ("secret", models.BinaryField(max_length=8)),
                ("unknown", models.BooleanField()),
                ("loopback", models.BooleanField()),
            ],
        ),
    ]

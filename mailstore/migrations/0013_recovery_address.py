import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0012_recovery_sums")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="recovery_address",
            field=models.TextField(blank=True, default="", verbose_name="recovery address"),
        ),
        migrations.CreateModel(
            name="MailedCode",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.TextField(verbose_name="address")),
                ("digest", models.BinaryField(verbose_name="digest of the code")),
                ("ends_at", models.DateTimeField(verbose_name="ends")),
                ("tries_left", models.PositiveSmallIntegerField(verbose_name="tries left")),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, to=settings.AUTH_USER_MODEL, verbose_name="user"
                    ),
                ),
            ],
            options={"verbose_name": "mailed code", "verbose_name_plural": "mailed codes"},
        ),
    ]

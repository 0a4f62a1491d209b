"""All bodies are read from time to time; what is damaged is named."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0038_cap_of_recovery_waits"),
    ]

    operations = [
        migrations.CreateModel(
            name="BodyCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("after", models.BigIntegerField(default=0, verbose_name="the last body that was read")),
                ("began_at", models.DateTimeField(verbose_name="the round began")),
                ("looked_at", models.DateTimeField(verbose_name="last look")),
            ],
            options={
                "verbose_name": "check of bodies",
                "verbose_name_plural": "checks of bodies",
            },
        ),
        migrations.AddField(
            model_name="body",
            name="damage_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True, verbose_name="administrators told"),
        ),
        migrations.AddField(
            model_name="body",
            name="damaged_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="damage found"),
        ),
        migrations.AddIndex(
            model_name="body",
            index=models.Index(
                condition=models.Q(("damaged_at__isnull", False)), fields=["damaged_at"], name="body_damaged"
            ),
        ),
    ]

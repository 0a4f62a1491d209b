"""Suspended people are counted by the index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0030_look_alikes"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="user", name="user_suspended"),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(
                condition=models.Q(is_active=False), fields=["address"], include=("id",), name="user_suspended"
            ),
        ),
    ]

"""Hosting admins are few among many users: an index of their own finds them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0018_plain_sets")]

    operations = [
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(role="admin"), fields=["address"], name="user_hosting_admins"),
        ),
    ]

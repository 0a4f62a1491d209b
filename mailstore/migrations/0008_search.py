"""People are found by any part of their address or name. The extension is a trusted one: no superuser is needed."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0007_last_sign_ins")]

    operations = [
        TrigramExtension(),
        migrations.AddIndex(
            model_name="user",
            index=models.Index(condition=models.Q(is_active=False), fields=["address"], name="user_suspended"),
        ),
        migrations.AddIndex(
            model_name="user",
            index=GinIndex(
                OpClass("address", "gin_trgm_ops"), OpClass(Upper("name"), "gin_trgm_ops"), name="user_search"
            ),
        ),
    ]

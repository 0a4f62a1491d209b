"""The row of a body says whether the body holds NUL, which POP clients get as another octet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0024_malformed_sign_ins")]

    operations = [
        migrations.AddField(
            "body", "has_nul", models.BooleanField(editable=False, null=True, verbose_name="holds NUL")
        ),
    ]

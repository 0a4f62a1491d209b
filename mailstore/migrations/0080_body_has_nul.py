"""The row of a body says whether the body holds NUL, which POP clients get as another octet."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0071_listener_certificates")]

    operations = [
        migrations.AddField(
            "body", "has_nul", models.BooleanField(editable=False, null=True, verbose_name="holds NUL")
        ),
    ]

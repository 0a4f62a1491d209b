"""Which policies domain admins may choose among is said by the host: none until then, but for what they follow."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0020_earlier_stays")]

    operations = [
        migrations.AddField(
            model_name="retentionpolicy",
            name="offered",
            field=models.BooleanField(default=False, verbose_name="offered to domain admins"),
        ),
    ]

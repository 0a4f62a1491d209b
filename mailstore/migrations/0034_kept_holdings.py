"""What a large site's mailboxes hold is kept for a minute."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0033_list_of_the_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptHoldings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("counted_at", models.DateTimeField()),
                ("figures", models.JSONField(default=dict)),
            ],
        ),
    ]

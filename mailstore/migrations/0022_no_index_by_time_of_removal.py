"""The sweep looks at what left each mailbox first: each removal writes one index less."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0021_offered_policies")]

    operations = [migrations.RemoveIndex(model_name="message", name="message_rested")]

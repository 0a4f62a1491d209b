"""The audit is found by any part of what or who, listed in each order and by each filter, by an index."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0032_lists_of_domains"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="auditentry",
            index=GinIndex(
                OpClass(Upper("subject"), "gin_trgm_ops"),
                OpClass(Upper("actor_name"), "gin_trgm_ops"),
                name="audit_search",
            ),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["actor_name", "id"], name="audit_by_actor"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["verb"], opclasses=["varchar_pattern_ops"], name="audit_by_verb"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(fields=["via"], name="audit_by_way"),
        ),
    ]

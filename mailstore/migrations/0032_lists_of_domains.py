"""Domains and aliases are found by any part of what they say, and aliases listed in each order, by an index."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Upper

# What it calls is "stable" for arrays of any type; of texts it gives the same for ever.
JOINED = """
CREATE FUNCTION mailstore_joined(text[]) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    AS $$ SELECT pg_catalog.array_to_string($1, ' ') $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("mailstore", "0031_who_is_suspended"),
    ]

    operations = [
        migrations.RunSQL(JOINED, "DROP FUNCTION mailstore_joined(text[])"),
        migrations.AddIndex(
            model_name="domain",
            index=GinIndex(OpClass("name", "gin_trgm_ops"), name="domain_search"),
        ),
        migrations.AddIndex(
            model_name="alias",
            index=GinIndex(
                OpClass("address", "gin_trgm_ops"),
                OpClass(
                    models.Func("targets", function="mailstore_joined", output_field=models.TextField()), "gin_trgm_ops"
                ),
                OpClass(Upper("comment"), "gin_trgm_ops"),
                name="alias_search",
            ),
        ),
        migrations.AddIndex(
            model_name="alias",
            index=models.Index(fields=["created_at", "id"], name="alias_by_age"),
        ),
        migrations.AddIndex(
            model_name="alias",
            index=models.Index(fields=["comment", "id"], name="alias_by_comment"),
        ),
        migrations.AddIndex(
            model_name="alias",
            index=models.Index(condition=models.Q(active=False), fields=["address"], name="alias_off"),
        ),
    ]

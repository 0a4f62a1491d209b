"""The searches of the lists ignore accents: their indexes hold the texts in plain letters and lower case."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models

# An index takes immutable functions only, and these are. Letters that Unicode does not decompose are translated. Of
# ASCII, whose octets are as many as its characters, only the case changes: that is ten times as fast.
PLAIN = r"""
CREATE FUNCTION mailstore_plain(text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    IF octet_length($1) = length($1) THEN
        RETURN pg_catalog.lower($1);
    END IF;
    RETURN pg_catalog.translate(pg_catalog.lower(pg_catalog.regexp_replace(
        pg_catalog.normalize($1, 'NFKD'), '[\u0300-\u036f]', '', 'g')), 'ςøłđı', 'σoldi');
END
$$
"""


def plain(*texts: str | models.Func) -> models.Func:
    """Return what `mailstore.models.columns.plain` was at this migration."""
    return models.Func(*texts, function="mailstore_plain", arg_joiner=" || ' ' || ", output_field=models.TextField())


TARGETS = models.Func("targets", function="mailstore_joined", output_field=models.TextField())
INDEXES = {
    "user": GinIndex(OpClass(plain("address", "name"), "gin_trgm_ops"), name="user_search"),
    "alias": GinIndex(OpClass(plain("address", TARGETS, "comment"), "gin_trgm_ops"), name="alias_search"),
    "auditentry": GinIndex(OpClass(plain("subject", "actor_name"), "gin_trgm_ops"), name="audit_search"),
}


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0019_device_kind")]

    operations = [
        migrations.RunSQL(PLAIN, "DROP FUNCTION mailstore_plain(text)"),
        *(migrations.RemoveIndex(model, index.name) for model, index in INDEXES.items()),
        *(migrations.AddIndex(model, index) for model, index in INDEXES.items()),
    ]

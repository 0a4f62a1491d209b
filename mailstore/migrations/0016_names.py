"""0.2.0: tables, columns, indexes and constraints have the names that the code has. No index is built anew."""

from django.db import migrations, models


def rename(what: str, old: str, new: str) -> migrations.RunSQL:
    """Rename what no operation of Django's renames: an index or a sequence."""
    return migrations.RunSQL(f"ALTER {what} {old} RENAME TO {new}", f"ALTER {what} {new} RENAME TO {old}")


def rename_check(table: str, old: str, new: str) -> migrations.RunSQL:
    """Rename a constraint without an index."""
    alter = f"ALTER TABLE mailstore_{table} RENAME CONSTRAINT"
    return migrations.RunSQL(f"{alter} {old} TO {new}", f"{alter} {new} TO {old}")


def rename_index(model: str, old: str, index: models.Index) -> migrations.SeparateDatabaseAndState:
    """Rename an index whose field has another name too, which Django would drop and build anew."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[rename("INDEX", old, index.name)],
        state_operations=[migrations.RemoveIndex(model, old), migrations.AddIndex(model, index)],
    )


def rename_constraint(model: str, old: str, constraint: models.UniqueConstraint) -> migrations.SeparateDatabaseAndState:
    """The same of a unique constraint: its name is that of its index."""
    return migrations.SeparateDatabaseAndState(
        database_operations=[rename("INDEX", old, constraint.name)],
        state_operations=[migrations.RemoveConstraint(model, old), migrations.AddConstraint(model, constraint)],
    )


def rename_rest(old: str, new: str) -> list[migrations.RunSQL]:
    """Rename the primary key and the sequence of a table, whose names are that of the table."""
    return [
        rename("INDEX", f"mailstore_{old}_pkey", f"mailstore_{new}_pkey"),
        rename("SEQUENCE", f"mailstore_{old}_id_seq", f"mailstore_{new}_id_seq"),
    ]


class Migration(migrations.Migration):
    dependencies = [("mailstore", "0015_no_smtp_switch")]

    operations = [
        # A roster is a mailbox import.
        migrations.RenameModel("Roster", "MailboxImport"),
        migrations.RenameModel("RosterRow", "MailboxImportRow"),
        migrations.RenameField("MailboxImportRow", "roster", "mailbox_import"),
        migrations.AlterModelOptions(
            "MailboxImport", {"verbose_name": "mailbox import", "verbose_name_plural": "mailbox imports"}
        ),
        migrations.AlterModelOptions(
            "MailboxImportRow", {"verbose_name": "mailbox import row", "verbose_name_plural": "mailbox import rows"}
        ),
        migrations.AlterField(
            "MailboxImportRow",
            "mailbox_import",
            models.ForeignKey(
                db_index=False,
                on_delete=models.CASCADE,
                to="mailstore.mailboximport",
                verbose_name="mailbox import",
            ),
        ),
        migrations.RenameIndex("MailboxImport", "mailbox_import_newest_first", old_name="roster_newest_first"),
        rename_index(
            "MailboxImportRow",
            "roster_row_address",
            models.Index(fields=["mailbox_import", "address"], name="mailbox_import_row_address"),
        ),
        rename_constraint(
            "MailboxImportRow",
            "roster_row_once",
            models.UniqueConstraint(fields=["mailbox_import", "line"], name="mailbox_import_row_once"),
        ),
        *rename_rest("roster", "mailboximport"),
        *rename_rest("rosterrow", "mailboximportrow"),
        rename("INDEX", "mailstore_roster_owner_id_5b4c4325", "mailstore_mailboximport_owner_id"),
        rename_check(
            "mailboximport",
            "mailstore_roster_owner_id_5b4c4325_fk_mailstore_user_id",
            "mailstore_mailboximport_owner_id_fk",
        ),
        rename_check("mailboximportrow", "mailstore_rosterrow_line_check", "mailstore_mailboximportrow_line_check"),
        # What every device has is the coverage of the devices.
        migrations.RenameModel("EveryDeviceHas", "DeviceCoverage"),
        migrations.AlterModelOptions(
            "DeviceCoverage", {"verbose_name": "device coverage", "verbose_name_plural": "device coverage"}
        ),
        rename_constraint(
            "DeviceCoverage",
            "every_device_has_once_a_day",
            models.UniqueConstraint(fields=["mailbox", "since"], name="device_coverage_once_a_day"),
        ),
        *rename_rest("everydevicehas", "devicecoverage"),
        # What the overview counted last is a cache.
        migrations.RenameModel("KeptHoldings", "HoldingsCache"),
        *rename_rest("keptholdings", "holdingscache"),
        # Columns say when somebody was notified, and what is kept for whom.
        migrations.RenameField("Device", "silence_told_at", "silence_notified_at"),
        migrations.RenameField("Body", "damage_told_at", "damage_notified_at"),
        migrations.RenameField("User", "digested_at", "digest_sent_at"),
        migrations.RenameField("Domain", "purge_asked_at", "purge_requested_at"),
        migrations.RenameField("Mailbox", "purge_asked_at", "purge_requested_at"),
        migrations.RenameField("DiarySession", "fold", "rollup_key"),
        rename("INDEX", "mailstore_diarysession_fold_key", "mailstore_diarysession_rollup_key_key"),
        migrations.RenameField("Job", "asked", "form_data"),
        migrations.AlterField("Job", "form_data", models.JSONField(default=dict, verbose_name="form data")),
        migrations.RenameField("JobRow", "back", "undo_data"),
    ]

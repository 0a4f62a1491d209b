"""Retention policies, the domains that follow them, and the grants of domain admins."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    replaces = [
        ("mailstore", "0004_grants"),
        ("mailstore", "0010_domain_caps_and_forwards"),
        ("mailstore", "0021_offered_policies"),
    ]
    dependencies = [("mailstore", "0001_users")]

    operations = [
        migrations.CreateModel(
            name="RetentionPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                ("site", models.BooleanField(default=False, verbose_name="site fallback")),
                ("offered", models.BooleanField(default=False, verbose_name="offered to domain admins")),
                # The rules.
                (
                    "expire_days",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="expire, days after arrival"),
                ),
                (
                    "expire_confirmed_days",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="expire, days after every device has it"
                    ),
                ),
                ("expire_unfetched", models.BooleanField(default=False, verbose_name="unfetched mail may expire")),
                (
                    "remove_when_confirmed",
                    models.BooleanField(default=False, verbose_name="remove when every device has it"),
                ),
                ("hold_days", models.PositiveIntegerField(default=7, verbose_name="minimum hold, days")),
                (
                    "silent_days",
                    models.PositiveIntegerField(default=45, verbose_name="a device stops counting, days of silence"),
                ),
                (
                    "relief",
                    models.CharField(
                        choices=[
                            ("never", "no: a full mailbox takes no mail"),
                            ("every", "yes, the oldest mail that every device has"),
                            ("one", "yes, and if that is not enough, the oldest that one device has"),
                        ],
                        default="never",
                        max_length=5,
                        verbose_name="make room in a full mailbox",
                    ),
                ),
                ("recovery_days", models.PositiveIntegerField(default=30, verbose_name="recovery, days")),
                (
                    "recovery_octets",
                    models.BigIntegerField(blank=True, null=True, verbose_name="recovery, size at most"),
                ),
                ("diary_days", models.PositiveIntegerField(default=90, verbose_name="diary, days")),
                # The clocks: since when each rule takes more than before.
                ("expire_since", models.DateTimeField(editable=False, null=True)),
                ("expire_confirmed_since", models.DateTimeField(editable=False, null=True)),
                ("remove_since", models.DateTimeField(editable=False, null=True)),
                ("recovery_since", models.DateTimeField(editable=False, null=True)),
                ("cap_since", models.DateTimeField(editable=False, null=True)),
                ("site_since", models.DateTimeField(editable=False, null=True)),
                ("saved_at", models.DateTimeField(auto_now=True, verbose_name="saved")),
            ],
            options={
                "verbose_name": "retention policy",
                "verbose_name_plural": "retention policies",
                "constraints": [
                    # At most one policy is for domains and mailboxes that have chosen none.
                    models.UniqueConstraint(
                        fields=["site"], condition=models.Q(site=True), name="retention_policy_one_site_fallback"
                    ),
                    # RFC 2449 §6.7: EXPIRE 0 forbids leaving mail on the server.
                    models.CheckConstraint(
                        condition=models.Q(expire_days__isnull=True) | models.Q(expire_days__gt=0),
                        name="retention_policy_never_expire_0",
                    ),
                    # The same section: EXPIRE announces the shortest period of the rules.
                    models.CheckConstraint(
                        condition=models.Q(expire_confirmed_days__isnull=True) | models.Q(expire_confirmed_days__gt=0),
                        name="retention_policy_never_expire_confirmed_0",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(recovery_octets__isnull=True) | models.Q(recovery_octets__gte=0),
                        name="retention_policy_recovery_not_negative",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Domain",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the domain of each recipient and of each new address.
                ("name", models.TextField(unique=True, verbose_name="name")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                # Its index: what an alias domain's removal and its page look for.
                (
                    "stands_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="alias_domains",
                        to="mailstore.domain",
                        verbose_name="alias of",
                    ),
                ),
                # The caps, and what applies at them.
                ("mailbox_limit", models.PositiveIntegerField(blank=True, null=True, verbose_name="mailboxes at most")),
                ("alias_limit", models.PositiveIntegerField(blank=True, null=True, verbose_name="aliases at most")),
                ("quota_octets", models.BigIntegerField(blank=True, null=True, verbose_name="stored at most")),
                (
                    "allotment_octets",
                    models.BigIntegerField(blank=True, null=True, verbose_name="all quotas together at most"),
                ),
                (
                    "mailbox_quota_default",
                    models.BigIntegerField(blank=True, null=True, verbose_name="quota of a new mailbox"),
                ),
                (
                    "mailbox_quota_most",
                    models.BigIntegerField(blank=True, null=True, verbose_name="quota of one mailbox at most"),
                ),
                (
                    "over_quota",
                    models.CharField(
                        choices=[
                            ("defer", "defer (the sender's server tries again)"),
                            ("reject", "reject (the sender is told)"),
                        ],
                        default="defer",
                        max_length=6,
                        verbose_name="a full mailbox",
                    ),
                ),
                (
                    "owner_forwards",
                    models.BooleanField(default=False, verbose_name="owners may forward their mail"),
                ),
                # Its index: which domains follow a policy, on its page and in its forecast.
                (
                    "policy",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        to="mailstore.retentionpolicy",
                        verbose_name="retention policy",
                    ),
                ),
                ("policy_since", models.DateTimeField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("removed_at", models.DateTimeField(blank=True, editable=False, null=True, verbose_name="removed")),
                (
                    "removed_by",
                    models.CharField(blank=True, editable=False, max_length=254, verbose_name="removed by"),
                ),
                ("purge_asked_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name": "domain",
                "verbose_name_plural": "domains",
                "constraints": [
                    # The unique name compares octets, so that rows keep the normal form alone.
                    models.CheckConstraint(condition=models.Q(name=Lower("name")), name="domain_name_lower_case"),
                    models.CheckConstraint(
                        condition=models.Q(stands_for__isnull=True) | ~models.Q(stands_for=models.F("id")),
                        name="domain_never_stands_for_itself",
                    ),
                ],
                "indexes": [
                    # The search of the lists, by any three characters of the name.
                    GinIndex(OpClass("name", "gin_trgm_ops"), name="domain_search"),
                ],
            },
        ),
        migrations.CreateModel(
            name="DomainGrant",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                # Its index: the domains that a user administers, at each page.
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="user",
                    ),
                ),
                # Its index: the admins of a domain, on its page and in its removal.
                (
                    "domain",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="grants",
                        to="mailstore.domain",
                        verbose_name="domain",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
            ],
            options={
                "verbose_name": "grant",
                "verbose_name_plural": "grants",
                "constraints": [
                    # Two people who grant the same at once grant it once.
                    models.UniqueConstraint(fields=["user", "domain"], name="domain_grant_once"),
                ],
            },
        ),
    ]

"""SQL for the account that a name opens: the one place that says by which names people sign in, by POP and the pages.

A name is an address in normal form, or the login of an administrator. First comes the user with that very name. Next
comes the same name in the domain for which an alias domain stands. Last comes an alias with one mailbox as its only
target, where the domain of the alias allows it. What is switched off, expired, suspended or removed opens nothing.
"""

from __future__ import annotations


def opened_user(name: str) -> str:
    """Return SQL: the key of the user whom `name` opens, a text as SQL; NULL for a name of nobody.

    It may be a user who is suspended: that is for the caller to see.
    """
    return f"""coalesce(
           (SELECT u_own.id FROM mailstore_user u_own WHERE u_own.address = {name}),
           (SELECT u_behind.id FROM mailstore_user u_behind WHERE u_behind.address = {_behind(name)}),
           (SELECT u_target.id
              FROM mailstore_alias a
              JOIN mailstore_domain dom_alias ON dom_alias.id = a.domain_id
              JOIN mailstore_user u_target
                ON u_target.address = coalesce({_behind("a.targets[1]")}, a.targets[1])
              JOIN mailstore_mailbox box_target ON box_target.user_id = u_target.id
             WHERE a.address = coalesce({_behind(name)}, {name}) AND a.mailbox_id IS NULL
               AND cardinality(a.targets) = 1 AND a.active AND (a.expires_at IS NULL OR a.expires_at > now())
               AND dom_alias.alias_sign_in AND dom_alias.active AND dom_alias.removed_at IS NULL))"""


def names_mailbox(local_part: str) -> str:
    """Return SQL: whether a mailbox in any domain has this local part, so that the bare name is no guess.

    An expression of the index user_local_part, which holds the logins of administrators too.
    """
    return f"""EXISTS (
           SELECT FROM mailstore_user u_named JOIN mailstore_mailbox box_named ON box_named.user_id = u_named.id
            WHERE split_part(u_named.address, '@', 1) = {local_part})"""


def _behind(address: str) -> str:
    """Return SQL: the same name in the domain for which that of `address` stands; NULL where it stands for none."""
    return f"""(SELECT split_part({address}, '@', 1) || '@' || dom_behind.name
                  FROM mailstore_domain dom_standing JOIN mailstore_domain dom_behind
                    ON dom_behind.id = dom_standing.stands_for_id
                 WHERE dom_standing.name = split_part({address}, '@', 2)
                   AND dom_standing.active AND dom_standing.removed_at IS NULL)"""

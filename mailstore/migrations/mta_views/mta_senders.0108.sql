-- Who may send as which address, in each domain that has it: `login` is the address of a mailbox, with which its user
-- signs in to submission. Suspended users, removed mailboxes, inactive domains, and mailboxes whose sending is switched off
-- have no row.
CREATE OR REPLACE VIEW mta_senders AS
-- Each mailbox as itself.
SELECT named.address AS sender, named.home_address AS login, named.domain
  FROM mta_mailbox_names named
 WHERE named.may_send
 UNION ALL
-- The mailboxes that an alias names, as the alias. A forward gives nobody the right to send as its mailbox. A catch-all
-- gives none either: by it, names without a row, such as that of a suspended user, would be free.
SELECT a.address, u.address, a.domain
  FROM mta_alias_names a
 CROSS JOIN LATERAL unnest(a.targets) AS target (address)
  JOIN mailstore_domain dom_named ON dom_named.name = split_part(target.address, '@', 2)
  JOIN mailstore_domain dom_home ON dom_home.id = coalesce(dom_named.stands_for_id, dom_named.id)
 CROSS JOIN LATERAL (
    -- The name itself, else the name without its +detail.
    SELECT u_named.id
      FROM (VALUES (1, split_part(target.address, '@', 1)),
                   (2, split_part(split_part(target.address, '@', 1), '+', 1))) AS key (place, local_part)
      JOIN mailstore_user u_named ON u_named.address = key.local_part || '@' || dom_home.name
     ORDER BY key.place
     LIMIT 1) AS named
  JOIN mailstore_user u ON u.id = named.id
  JOIN mailstore_mailbox box ON box.user_id = u.id
 WHERE a.mailbox_id IS NULL AND a.home_address NOT LIKE '@%'
   AND u.is_active AND box.smtp AND box.removed_at IS NULL
   AND dom_named.active AND dom_named.removed_at IS NULL AND dom_home.active AND dom_home.removed_at IS NULL;

-- Each alias, forward and catch-all that is in effect, under each of its names, as in mta_mailbox_names. In effect are
-- those that are switched on and not expired, in an active domain, and not the forward of a removed mailbox. No MTA
-- reads this view.
--
--   gives_away     it is a forward that leaves no copy in its mailbox
CREATE OR REPLACE VIEW mta_alias_names AS
WITH in_effect AS NOT MATERIALIZED (
    SELECT a.id AS alias_id, a.address, a.domain_id, a.mailbox_id, a.targets, dom.name AS domain,
           a.mailbox_id IS NOT NULL AND NOT a.keep_copy AND NOT a.targets <@ a.unconfirmed AS gives_away
      FROM mailstore_alias a
      JOIN mailstore_domain dom ON dom.id = a.domain_id
      LEFT JOIN mailstore_mailbox box ON box.id = a.mailbox_id
     WHERE a.active AND (a.expires_at IS NULL OR a.expires_at > now())
       AND dom.active AND dom.removed_at IS NULL AND box.removed_at IS NULL)
SELECT own.address, own.domain, false AS standing, own.address AS home_address, own.alias_id, own.mailbox_id,
       own.targets, own.gives_away
  FROM in_effect own
 UNION ALL
SELECT split_part(own.address, '@', 1) || '@' || dom_other.name, dom_other.name, true, own.address, own.alias_id,
       own.mailbox_id, own.targets, own.gives_away
  FROM in_effect own
  JOIN mailstore_domain dom_other ON dom_other.stands_for_id = own.domain_id
 WHERE dom_other.active AND dom_other.removed_at IS NULL;

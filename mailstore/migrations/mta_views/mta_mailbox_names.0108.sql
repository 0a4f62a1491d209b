-- Each mailbox that is not removed, under each of its names: its own, and the same in domains that stand for its own.
-- No MTA reads this view.
--
-- The names are put together here and nowhere above, so that a condition on `address` is tried before anything is
-- followed. A name of the mailbox's own is found by an index. For another one, the names of the domain are tried: a
-- condition on `domain` keeps that to one domain.
--
--   address        the name
--   domain         of the name
--   standing       the domain stands for that of the mailbox
--   home_address   the mailbox's own address
--   receives       neither it nor its domain is switched off
--   may_send       its user is not suspended, its domain not switched off, and neither is its sending
CREATE OR REPLACE VIEW mta_mailbox_names AS
SELECT u.address, dom.name AS domain, false AS standing, u.address AS home_address, box.id AS mailbox_id,
       box.receives AND dom.active AS receives, u.is_active AND box.smtp AND dom.active AS may_send
  FROM mailstore_mailbox box
  JOIN mailstore_user u ON u.id = box.user_id
  JOIN mailstore_domain dom ON dom.id = box.domain_id
 WHERE box.removed_at IS NULL AND dom.removed_at IS NULL
 UNION ALL
SELECT split_part(u.address, '@', 1) || '@' || dom_other.name, dom_other.name, true, u.address, box.id,
       box.receives AND dom.active, u.is_active AND box.smtp AND dom.active
  FROM mailstore_mailbox box
  JOIN mailstore_user u ON u.id = box.user_id
  JOIN mailstore_domain dom ON dom.id = box.domain_id
  JOIN mailstore_domain dom_other ON dom_other.stands_for_id = dom.id
 WHERE box.removed_at IS NULL AND dom.removed_at IS NULL AND dom_other.active AND dom_other.removed_at IS NULL;

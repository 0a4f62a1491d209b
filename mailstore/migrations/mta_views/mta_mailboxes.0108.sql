-- Every address that LMTP takes at RCPT, in each domain that has it. Whether a mailbox has room is not asked: a full one
-- is there too. `catch_all` rows begin with @, and answer for the names that have no row of their own.
CREATE OR REPLACE VIEW mta_mailboxes AS
-- Mailboxes that receive, also those that forward with a copy.
SELECT named.address, named.domain, false AS catch_all
  FROM mta_mailbox_names named
 WHERE named.receives
   AND NOT EXISTS (SELECT FROM mta_alias_names away
                    WHERE away.mailbox_id = named.mailbox_id AND away.gives_away AND NOT away.standing)
 UNION ALL
-- Aliases, catch-alls, and forwards without a copy, whose ends are all here.
SELECT way.address, way.domain, way.address LIKE '@%'
  FROM mta_expansions way
 WHERE way.receives AND NOT way.leads_outside AND (way.mailbox_id IS NULL OR way.gives_away);

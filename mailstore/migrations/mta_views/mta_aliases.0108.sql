-- Every address that LMTP cannot follow by itself, since an end is outside, with each of its ends. A forward that keeps
-- a copy has its own address among them. An MTA that looks the ends up again finds nothing new.
CREATE OR REPLACE VIEW mta_aliases AS
SELECT way.address, target, way.domain
  FROM mta_expansions way
 CROSS JOIN LATERAL unnest(way.ends) AS target
 WHERE way.leads_outside
 UNION ALL
-- Beside a catch-all that leads outside, each name of the domain leads to itself: the catch-all would take its mail.
-- Subqueries, since Postgres tries them last and never makes a join of them, which would follow all aliases.
SELECT named.address, named.address, named.domain
  FROM (SELECT box.address, box.home_address, box.domain FROM mta_mailbox_names box
         UNION ALL
        SELECT a.address, a.home_address, a.domain FROM mta_alias_names a
         WHERE a.mailbox_id IS NULL AND a.home_address NOT LIKE '@%') AS named
 WHERE (SELECT caught.leads_outside FROM mta_expansions caught
         WHERE caught.address = '@' || split_part(named.home_address, '@', 2) AND NOT caught.standing)
   AND NOT coalesce((SELECT way.leads_outside FROM mta_expansions way
                      WHERE way.address = named.home_address AND NOT way.standing), false);

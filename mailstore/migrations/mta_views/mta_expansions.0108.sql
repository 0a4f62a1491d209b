-- Where the mail for each row of mta_alias_names goes, followed to its ends as delivery/recipient_lookup.py follows it.
-- No MTA reads this view.
--
--   receives        a mailbox that takes mail is among the ends
--   leads_outside   an end is in no domain of ours, so LMTP answers 451: the MTA must expand the address
--   ends            the mailboxes here and the addresses outside that the mail goes to
CREATE OR REPLACE VIEW mta_expansions AS
SELECT named.address, named.domain, named.standing, named.home_address, named.alias_id, named.mailbox_id,
       named.gives_away, way.receives, way.leads_outside, way.ends
  FROM mta_alias_names named
 CROSS JOIN LATERAL (
    -- All names on the way, each with what it is: `box` is the mailbox that takes the mail there, `targets` is where
    -- the name leads on. The first row is a beginning without a name. A mailbox that keeps a copy begins a way of its
    -- own (`origin`) beside the way that it lies on, so that what is behind it can be asked for.
    WITH RECURSIVE reach (origin, name, box, outside, targets) AS (
        SELECT named.address, NULL::text, NULL::text, false, ARRAY[named.address]
         UNION
        SELECT origin.name, target.name, step.box, step.outside, step.targets
          FROM reach
         CROSS JOIN LATERAL unnest(reach.targets) AS target (name)
         CROSS JOIN LATERAL (VALUES (reach.origin), (reach.box)) AS origin (name)
         CROSS JOIN LATERAL (
            SELECT dom_named.id IS NULL AS outside,
                   CASE WHEN found.receives AND found.keeps THEN found.address END AS box,
                   CASE WHEN found.receives THEN found.targets ELSE '{}' END AS targets
              FROM (SELECT split_part(target.name, '@', 1) AS local_part,
                           split_part(target.name, '@', 2) AS domain) AS part
              LEFT JOIN mailstore_domain dom_named ON dom_named.name = part.domain AND dom_named.removed_at IS NULL
              -- The domain that has the addresses: a domain that stands for another has none of its own. No mail is
              -- taken where one of the two is switched off.
              LEFT JOIN mailstore_domain dom_home
                     ON dom_home.id = coalesce(dom_named.stands_for_id, dom_named.id)
                    AND dom_named.active AND dom_home.active AND dom_home.removed_at IS NULL
              -- The name itself, else the name without its +detail, else the catch-all.
              LEFT JOIN LATERAL (
                SELECT key.address,
                       coalesce(box.receives, true) AS receives,
                       box.id IS NOT NULL AND (a.id IS NULL OR a.keep_copy OR a.targets <@ a.unconfirmed) AS keeps,
                       ARRAY(SELECT onward FROM unnest(a.targets) AS onward
                              WHERE onward <> ALL (a.unconfirmed)) AS targets
                  FROM (VALUES (1, part.local_part || '@' || dom_home.name),
                               (2, split_part(part.local_part, '+', 1) || '@' || dom_home.name),
                               (3, '@' || dom_home.name)) AS key (place, address)
                  LEFT JOIN mailstore_user u ON u.address = key.address
                  LEFT JOIN mailstore_mailbox box ON box.user_id = u.id AND box.removed_at IS NULL
                  LEFT JOIN mailstore_alias a
                         ON a.address = key.address AND a.active
                        AND (a.expires_at IS NULL OR a.expires_at > now())
                        AND (a.mailbox_id IS NULL OR box.id IS NOT NULL)
                 WHERE box.id IS NOT NULL OR a.id IS NOT NULL
                 ORDER BY key.place
                 LIMIT 1) AS found ON true) AS step
         WHERE origin.name IS NOT NULL)
    SELECT coalesce(bool_or(reach.box IS NOT NULL), false) AS receives,
           coalesce(bool_or(reach.outside), false) AS leads_outside,
           ARRAY(
            SELECT DISTINCT coalesce(own.box, own.name)
              FROM reach AS own
             WHERE own.origin = named.address AND (own.outside OR own.box IS NOT NULL)
               -- LMTP brings it there behind another mailbox, all of whose mail stays here. Named too, it would get
               -- the mail twice. In a circle both are named: else nobody would get it.
               AND NOT EXISTS (
                    SELECT FROM reach AS behind
                     WHERE behind.box = own.box AND behind.origin NOT IN (own.box, named.address)
                       AND NOT EXISTS (SELECT FROM reach AS away WHERE away.origin = behind.origin AND away.outside)
                       AND NOT EXISTS (SELECT FROM reach AS circle
                                        WHERE circle.origin = own.box AND circle.box = behind.origin))
           ) AS ends
      FROM reach
     WHERE reach.origin = named.address) AS way;

-- The domains whose mail is taken here, with those that stand for others.
CREATE OR REPLACE VIEW mta_domains AS
SELECT dom.name AS domain
  FROM mailstore_domain dom
 WHERE dom.active AND dom.removed_at IS NULL;

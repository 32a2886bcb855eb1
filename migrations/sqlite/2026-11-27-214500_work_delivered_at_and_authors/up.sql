-- When an answer of ours first came into force; unlike settled_at, no correction or withdrawal changes it. Of those that are
-- not in force any more what GIS says is all that is known.
ALTER TABLE answers ADD COLUMN delivered_at integer;
UPDATE answers SET delivered_at = CASE state WHEN 'delivered' THEN settled_at ELSE gis_updated_at END
    WHERE source <> 'gis' AND state IN ('delivered', 'revoking', 'revoked', 'superseded');

-- Whose an operation is: whoever may only write answers reads his own. Until now only a name told it, which several clients
-- may have: those belong to nobody.
ALTER TABLE operations ADD COLUMN author text NOT NULL DEFAULT '';

-- Lists and counters of whoever is responsible.
CREATE INDEX debt_requests_by_organization_id_responsible_id_due_key_id ON debt_requests (organization_id, responsible_id, due_key, id);

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- UPDATE: what SET names and nothing else, fresh reads, batches, echoes
--
CALL sim.list('leads', '{crm_id,first_name,state,score,Hidden Col,phone,phone2}', '{phone,phone2}',
  '{"columnDataTypeSpecifications": [{"columnName": "score", "columnDataType": "NUMERIC"}]}');
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'),
  crm_id text NOT NULL,
  first_name text,
  state text,
  score numeric,
  phone text,
  callable boolean OPTIONS (attribute 'callable'),
  statuses jsonb OPTIONS (attribute 'phone_number_status')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.hidden (crm_id text, hidden text OPTIONS (field 'Hidden Col'), phone2 text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.hidden SELECT 'L-' || g, E'é "\\ ' || g, '+4930' || g FROM generate_series(1, 250) g;
INSERT INTO gc.leads (crm_id, first_name, state, score)
  SELECT 'L-' || g, 'name ' || g, CASE WHEN g % 2 = 0 THEN 'NY' ELSE 'CA' END, g FROM generate_series(1, 250) g;
CALL sim.set('{"record_bodies": true}');

-- One contact is a PUT with all its cells, of columns that the table does not
-- have, too; what was not named is as it was.
CALL sim.forget();
UPDATE gc.leads SET first_name = 'Ana' WHERE contact_id = 'L-1';
SELECT * FROM sim.traffic();
SELECT body FROM sim.requests() WHERE method = 'PUT';
SELECT data, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id = 'L-1';
-- Several are a POST, which leaves the dialling queue's order alone.
CALL sim.forget();
DO $$
DECLARE n bigint;
BEGIN
  UPDATE gc.leads SET first_name = upper(first_name), score = score + 0.50 WHERE state = 'NY';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
SELECT request, rows, status, count(*) FROM sim.traffic() GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC;
SELECT substr(body, 1, 300) FROM sim.requests() WHERE path LIKE '%/contacts';
SELECT count(*), count(*) FILTER (WHERE data->>'first_name' LIKE 'NAME %') AS named,
  count(*) FILTER (WHERE data->>'score' LIKE '%.50') AS scored,
  count(*) FILTER (WHERE data->>'Hidden Col' = E'é "\\ ' || substr(id, 3)) AS kept,
  count(*) FILTER (WHERE contact->>'queueMoves' = '2') AS moved
FROM sim.contacts('leads') GROUP BY data->>'state' ORDER BY 1;

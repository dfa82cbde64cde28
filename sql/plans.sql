\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Typical queries, the way that each takes, and the requests that it makes (U7, U11, DESIGN 4.4):
-- the table in docs/reference.md, "Plans", says the same
--
CALL sim.list('leads', '{crm_lead_id,first_name,phone,state,segment,note,score}', '{phone}',
  '{"columnDataTypeSpecifications": [{"columnName": "score", "columnDataType": "NUMERIC"}]}');
CREATE FOREIGN TABLE gc.leads (contact_id text OPTIONS (attribute 'id'), crm_lead_id text, first_name text, phone text, state text,
    segment text, note text, score numeric, callable boolean OPTIONS (attribute 'callable'),
    date_created timestamptz OPTIONS (attribute 'date_created'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_lead_id');
INSERT INTO gc.leads (crm_lead_id, first_name, state, segment, note, score)
SELECT 'L-' || i, 'First ' || i, (ARRAY['NY', 'CA', 'TX', 'WA'])[1 + i % 4], CASE WHEN i % 50 = 0 THEN 'VIP' ELSE 'std' END,
       CASE WHEN i % 10 > 0 THEN 'a note' END, i
FROM generate_series(1, 20000) i;
CREATE TABLE gc.orders AS SELECT 'L-' || i * 100 AS lead FROM generate_series(1, 8) i;
CREATE TABLE gc.warehouse AS SELECT 'L-' || i AS lead, i AS n FROM generate_series(1, 30000) i;
ANALYZE gc.orders, gc.warehouse;
-- What ANALYZE would find, without asking for it.
UPDATE pg_class SET reltuples = 20000 WHERE oid = 'gc.leads'::regclass;
SELECT count(date_created) FROM gc.leads WHERE contact_id = 'L-1';

-- The ways of a plan's scans, what went out (tokens and looks at the list aside), and the rows.
CREATE FUNCTION gc.show(query text, OUT way text, OUT requests text, OUT expected text, OUT rows bigint) LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  way := ''; expected := '';
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line ~ 'Nested Loop|Hash Join|Async Foreign|Path: ' THEN
      way := way || CASE WHEN way = '' THEN '' ELSE ', ' END || lower(regexp_replace(line, '^ *(-> *)?(Path: )?|  \(cost.*', '', 'g'));
    ELSIF line ~ 'Expected Requests' THEN
      expected := expected || CASE WHEN expected = '' THEN '' ELSE ', ' END || regexp_replace(line, '.*: ', '');
    END IF;
  END LOOP;
  CALL sim.forget();
  EXECUTE format('SELECT count(q) FROM (%s OFFSET 0) q', query) INTO rows;
  SELECT string_agg(n || ' ' || kind, ', ' ORDER BY n DESC, kind) INTO requests
  FROM (SELECT count(*) AS n, CASE WHEN path LIKE '%/search' THEN 'search' WHEN path LIKE '%/bulk' THEN 'bulk look-up'
                              WHEN path ~ '/export|/storage|/downloads' THEN 'export' ELSE 'look-up' END AS kind
        FROM sim.requests() WHERE path NOT LIKE '%includeSize%' AND path NOT LIKE '/oauth%' GROUP BY 2) r;
END $$;

-- One contact, by id; by key, also under another id.
SELECT * FROM gc.show($$ SELECT * FROM gc.leads WHERE contact_id = 'L-7' $$);
SELECT * FROM gc.show($$ SELECT * FROM gc.leads WHERE crm_lead_id = 'L-7' $$);
-- Many of them, 50 a request.
SELECT * FROM gc.show($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'L-' || i FROM generate_series(1, 200) i)) $$);
-- Few of a long list, that the platform finds; the first ones.
SELECT * FROM gc.show($$ SELECT * FROM gc.leads WHERE segment = 'VIP' $$);
SELECT * FROM gc.show($$ SELECT * FROM gc.leads WHERE score > 19900 $$);
SELECT * FROM gc.show($$ SELECT * FROM gc.leads LIMIT 10 $$);
-- All of it, or much.
SELECT * FROM gc.show($$ SELECT state, count(score) FROM gc.leads GROUP BY state $$);
SELECT * FROM gc.show($$ SELECT crm_lead_id FROM gc.leads WHERE NOT callable OR first_name ILIKE '%9' $$);
SELECT * FROM gc.show($$ SELECT crm_lead_id FROM gc.leads ORDER BY score DESC LIMIT 10 $$);
-- A column that an export does not have.
SELECT * FROM gc.show($$ SELECT date_created FROM gc.leads WHERE state = 'NY' $$);
-- How many.
SELECT * FROM gc.show($$ SELECT count(*) FROM gc.leads $$);
SELECT * FROM gc.show($$ SELECT count(*) FROM gc.leads WHERE note IS NULL $$);
-- By the user's word that the platform compares as PostgreSQL does.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD exact_filters 'on');
ALTER FOREIGN TABLE gc.leads ALTER score SET NOT NULL;
SELECT * FROM gc.show($$ SELECT count(*) FROM gc.leads WHERE state = 'NY' $$);
SELECT * FROM gc.show($$ SELECT crm_lead_id FROM gc.leads ORDER BY score DESC LIMIT 10 $$);
-- With a small table, and with a large one.
SELECT * FROM gc.show($$ SELECT * FROM gc.orders JOIN gc.leads ON contact_id = lead $$);
SELECT * FROM gc.show($$ SELECT n, state FROM gc.warehouse JOIN gc.leads ON crm_lead_id = lead $$);
-- Several lists as one table.
CALL sim.list('east', '{crm_lead_id,phone}', '{phone}');
CALL sim.list('west', '{crm_lead_id,phone}', '{phone}');
CREATE TABLE gc.regions (crm_lead_id text, region text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE gc.east PARTITION OF gc.regions FOR VALUES IN ('east')
  SERVER genesys OPTIONS (object 'contacts', list_id 'east', key 'crm_lead_id');
CREATE FOREIGN TABLE gc.west PARTITION OF gc.regions FOR VALUES IN ('west')
  SERVER genesys OPTIONS (object 'contacts', list_id 'west', key 'crm_lead_id');
ALTER FOREIGN TABLE gc.east ALTER region OPTIONS (ADD attribute 'list_name');
ALTER FOREIGN TABLE gc.west ALTER region OPTIONS (ADD attribute 'list_name');
INSERT INTO gc.regions SELECT 'R-' || i, CASE WHEN i % 2 = 0 THEN 'east' ELSE 'west' END FROM generate_series(1, 600) i;
SELECT * FROM gc.show($$ SELECT * FROM gc.regions $$);

DROP SERVER genesys CASCADE;

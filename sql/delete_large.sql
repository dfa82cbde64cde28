\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Large DELETEs: what the list has left tells which contacts are still there (DESIGN 3)
--
-- One page, if it shows all of that: 3,000 contacts are 30 calls, and one more.
CALL sim.list('many', '{crm_id,name,phone}');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CREATE FOREIGN TABLE gc.many (crm_id text, name text, phone text) SERVER genesys OPTIONS (object 'contacts', list_name 'many', key 'crm_id');
CREATE TABLE gc.few (crm_id text, name text, phone text) PARTITION BY LIST (name);
CREATE FOREIGN TABLE gc.few_many PARTITION OF gc.few FOR VALUES IN ('anew') SERVER genesys OPTIONS (object 'contacts', list_name 'many', key 'crm_id');
CREATE VIEW gc.after AS
  SELECT split_part(request, '?', 1) AS request, count(*), sum(rows) AS rows
  FROM (SELECT *, bool_or(request LIKE 'DELETE%') OVER (ROWS UNBOUNDED PRECEDING) AS begun FROM sim.traffic()) t
  WHERE begun AND request !~ '/export$|/downloads/|/storage/' OR request LIKE 'POST %/export' GROUP BY 1 ORDER BY 1;
INSERT INTO gc.many SELECT 'M-' || g, CASE WHEN g % 100 = 0 THEN 'kept' ELSE 'x' END, '+1' FROM generate_series(1, 3030) g;
ALTER FOREIGN TABLE gc.many OPTIONS (ADD scan_method 'search');
CALL sim.forget();
SELECT sim.analyzed($$DELETE FROM gc.many WHERE name = 'x'$$) LIMIT 7;
SELECT * FROM gc.after;
SELECT count(*), count(*) FILTER (WHERE data->>'name' = 'kept') AS kept FROM sim.contacts('many');
-- Those that it shows are looked up, and named.
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
CALL sim.touch('many', 'M-7', '{"inUse": true}');
CALL sim.touch('many', 'M-2999', '{"inUse": true}');
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
SELECT * FROM gc.after;
SELECT count(*), string_agg(id, ' ') FILTER (WHERE data->>'name' = 'x') AS held FROM sim.contacts('many');
-- An export, where more is left.
INSERT INTO gc.many SELECT 'N-' || g, 'kept', '+1' FROM generate_series(1, 200) g;
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0 AND g NOT IN (7, 2999);
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
SELECT * FROM gc.after;
CALL sim.touch('many', 'M-7', '{"inUse": false}');
CALL sim.touch('many', 'M-2999', '{"inUse": false}');
SELECT count(*), string_agg(id, ' ') FILTER (WHERE data->>'name' = 'x') AS held FROM sim.contacts('many');
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
SELECT sim.analyzed($$DELETE FROM gc.many WHERE name = 'x'$$) LIMIT 7;
-- An export with fewer contacts than there are is not believed.
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
CALL sim.touch('many', 'M-7', '{"inUse": true}');
CALL sim.faults('[{"path": "/storage/*", "status": 200, "content_type": "text/csv", "body": "inin-outbound-id,crm_id,name,phone\r\n"}]');
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
SELECT * FROM gc.after;
CALL sim.touch('many', 'M-7', '{"inUse": false}');
CALL sim.faults('[]');
-- What was deleted and not looked for is in doubt.
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts", "nth": 21, "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
CALL sim.faults('[{"method": "POST", "path": "*/search", "nth": 31, "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
CALL sim.try($$DELETE FROM gc.many WHERE name = 'x'$$);
CALL sim.faults('[]');
-- What else in the statement writes the list may bring contacts back: then they are looked
-- for before that, also where it comes to light when many have been deleted.
INSERT INTO gc.many SELECT 'M-' || g, 'x', '+1' FROM generate_series(1, 3030) g WHERE g % 100 <> 0;
CALL sim.forget();
WITH d AS (DELETE FROM gc.many WHERE name = 'x' RETURNING crm_id)
INSERT INTO gc.many SELECT crm_id, 'anew', '+1' FROM d ORDER BY crm_id;
SELECT * FROM gc.after;
CALL sim.forget();
WITH d AS (DELETE FROM gc.many WHERE name = 'anew' RETURNING crm_id)
INSERT INTO gc.few SELECT crm_id, 'anew', '+1' FROM d ORDER BY crm_id;
SELECT * FROM gc.after;
SELECT count(*) FROM sim.contacts('many') WHERE data->>'name' = 'anew';
-- Few of many that were read, and scan_method 'ids': by their ids.
CALL sim.forget();
DELETE FROM gc.many m USING generate_series(1, 30) g WHERE m.crm_id = 'M-' || g;
SELECT * FROM gc.after;
ALTER FOREIGN TABLE gc.many OPTIONS (SET scan_method 'ids');
CALL sim.forget();
DELETE FROM gc.many WHERE crm_id = ANY (ARRAY(SELECT 'M-' || g FROM generate_series(1, 3030) g));
SELECT * FROM gc.after;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
DROP TABLE gc.few;
DROP FOREIGN TABLE gc.many CASCADE;

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- DELETE: batches, contacts in use, RETURNING, triggers, counts, ROLLBACK
--
CALL sim.list('leads', '{crm_id,first_name,state,phone}');
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'),
  crm_id text NOT NULL,
  first_name text,
  state text,
  phone text
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.leads (crm_id, first_name, state)
  SELECT 'L-' || n, 'name ' || n, CASE WHEN n % 2 = 0 THEN 'NY' ELSE 'CA' END FROM generate_series(1, 250) n;

-- What a DELETE of several answers may be 200 or 204: statuses are shown as 200, 400, 500.
-- One contact is a call of its own; what the WHERE finds is all that goes.
CALL sim.forget();
DELETE FROM gc.leads WHERE contact_id = 'L-1';
SELECT * FROM sim.traffic();
SELECT count(*), count(*) FILTER (WHERE id = 'L-1') AS it FROM sim.contacts('leads');
-- Several are one call, a hundred at most, and are looked for afterwards: the
-- platform says nothing of those that it passes over.
CALL sim.forget();
DO $$
DECLARE n bigint;
BEGIN
  DELETE FROM gc.leads WHERE state = 'NY';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
SELECT request, rows, status, count(*)
FROM (SELECT split_part(request, '?', 1), rows, status - status % 10 FROM sim.traffic()) t (request, rows, status)
GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC;
SELECT count(*), count(*) FILTER (WHERE data->>'state' = 'NY') AS "NY" FROM sim.contacts('leads');
-- No row, no call.
CALL sim.forget();
DELETE FROM gc.leads WHERE false;
DELETE FROM gc.leads WHERE contact_id = 'nobody';
SELECT * FROM sim.traffic();

-- The URL of a DELETE is kept to 6,000 bytes, and ids are escaped in it.
CREATE FOREIGN TABLE gc.odd (contact_id text OPTIONS (attribute 'id'), n text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'odd', contact_id_pattern '.*');
CALL sim.set('{"contact_id_chars": "any"}');
CALL sim.list('odd', '{n}');
INSERT INTO gc.odd SELECT repeat('a b&=é/', 12) || g, 'long' FROM generate_series(1, 100) g;
INSERT INTO gc.odd VALUES ('one/two?', 'odd'), ('%41', 'odd'), ('"', 'odd'), ('\', 'odd'), ('+ +', 'kept');
CALL sim.forget();
DELETE FROM gc.odd WHERE n = 'long';
SELECT count(*) > 2 AS several, sum(rows), max(length(query)) < 6100 AS fits FROM sim.requests() WHERE method = 'DELETE';
DELETE FROM gc.odd WHERE n = 'odd';
DELETE FROM gc.odd WHERE contact_id = '+ +' RETURNING *;
SELECT count(*) FROM sim.contacts('odd');
DROP FOREIGN TABLE gc.odd;
CALL sim.set('{"contact_id_chars": "strict"}');

-- batch_size lowers how many go at once; a platform that takes fewer is asked for half as many.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD batch_size '20');
CALL sim.forget();
DELETE FROM gc.leads WHERE crm_id IN (SELECT 'L-' || 2 * g + 1 FROM generate_series(1, 25) g);
SELECT rows, count(*) FROM sim.requests() WHERE method = 'DELETE' GROUP BY 1 ORDER BY 1 DESC;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP batch_size);
CALL sim.set('{"delete_contacts_max": 15}');
CALL sim.forget();
WITH d AS (DELETE FROM gc.leads WHERE crm_id IN (SELECT 'L-' || 2 * g + 1 FROM generate_series(26, 75) g) RETURNING 1)
SELECT count(*) FROM d;
SELECT rows, status - status % 10 AS status, count(*) FROM sim.requests() WHERE method = 'DELETE' GROUP BY 1, 2 ORDER BY 1 DESC;
CALL sim.set('{"delete_contacts_max": 250}');
SELECT count(*) FROM sim.contacts('leads');

--
-- Contacts in use
--
-- A campaign uses some: the platform passes over them, the others go, and the
-- error names them, however many batches there were.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.leads (crm_id, first_name) SELECT 'U-' || g, 'x' FROM generate_series(1, 210) g;
DO $$ BEGIN FOR i IN 1..7 LOOP CALL sim.touch('leads', 'U-' || 30 * i, '{"inUse": true}'); END LOOP; END $$;
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'U-%';
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
-- The same again finds the same, and says so again.
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
-- One is said by the platform itself.
CALL sim.try($$DELETE FROM gc.leads WHERE contact_id = 'U-30'$$);
DO $$ BEGIN FOR i IN 1..7 LOOP CALL sim.touch('leads', 'U-' || 30 * i, '{"inUse": false}'); END LOOP; END $$;
DELETE FROM gc.leads WHERE first_name = 'x';

-- A contact that is gone by then is none that was deleted.
INSERT INTO gc.leads (crm_id, first_name) SELECT 'N-' || g, 'x' FROM generate_series(1, 3) g;
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts/N-1", "status": 404, "body_json": {"code": "resource.not.found", "status": 404}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE contact_id = 'N-1'$$);
-- One that is not found since an earlier try took effect is ours.
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts/N-1", "nth": 1, "drop": "after"}]');
CALL sim.try($$DELETE FROM gc.leads WHERE contact_id = 'N-1'$$);
INSERT INTO gc.leads (crm_id, first_name) VALUES ('N-1', 'x');
-- But a list that is gone is an error.
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts/N-1", "status": 404, "body_json": {"code": "contact.list.not.found", "status": 404}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE contact_id = 'N-1'$$);
-- Lost answers: a DELETE is repeated; K2, K3: a lock is waited for.
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts", "nth": 1, "drop": "after"},
                  {"method": "DELETE", "path": "*/contacts", "nth": 2, "conflict": "K2"},
                  {"method": "POST", "path": "*/contacts/bulk", "nth": 1, "status": 503, "body": ""}]');
CALL sim.forget();
DELETE FROM gc.leads WHERE first_name = 'x';
SELECT split_part(request, '?', 1) AS request, rows, status - status % 10 AS status FROM sim.traffic();
-- A look-up afterwards that fails leaves the contacts in doubt; so does a DELETE without an answer.
INSERT INTO gc.leads (crm_id, first_name) SELECT 'D-' || g, 'x' FROM generate_series(1, 3) g;
CALL sim.faults('[{"method": "POST", "path": "*/contacts/bulk", "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
CALL sim.faults('[{"method": "POST", "path": "*/contacts/bulk", "body_json": {"no": "array"}}]');
INSERT INTO gc.leads (crm_id, first_name) SELECT 'D-' || g, 'x' FROM generate_series(1, 3) g;
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
INSERT INTO gc.leads (crm_id, first_name) SELECT 'D-' || g, 'x' FROM generate_series(1, 3) g;
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts", "drop": "before"}]');
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
-- Of a call that names many, the message shows the beginning.
INSERT INTO gc.leads (crm_id, first_name) SELECT 'D-' || g, 'x' FROM generate_series(4, 30) g;
CALL sim.try($$DELETE FROM gc.leads WHERE first_name = 'x'$$);
CALL sim.faults('[]');
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'D-%';

--
-- Which rows
--
-- A join, RETURNING, and a row that the join gives twice.
INSERT INTO gc.leads (crm_id, first_name, state)
  SELECT 'J-' || g, 'name ' || g, 'TX' FROM generate_series(1, 6) g;
CREATE TEMP TABLE gone (id text, why text);
INSERT INTO gone VALUES ('J-1', 'a'), ('J-1', 'b'), ('J-3', 'c'), ('nobody', 'd');
DELETE FROM gc.leads l USING gone g WHERE l.crm_id = g.id RETURNING l.contact_id, l.first_name, l.state, g.id = l.crm_id AS joined;
-- A table without an id or key is no hindrance.
CREATE FOREIGN TABLE gc.names (first_name text) SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
DELETE FROM gc.names WHERE first_name IN ('name 2', 'name 4') RETURNING *;
-- By export, which gives the id in any case.
ALTER FOREIGN TABLE gc.names OPTIONS (ADD scan_method 'export');
CALL sim.forget();
DELETE FROM gc.names WHERE first_name = 'name 5';
SELECT request, status FROM sim.traffic() WHERE request LIKE 'DELETE%';
DROP FOREIGN TABLE gc.names;
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'J-%';
-- Through a view; its own condition holds.
CREATE VIEW gc.texans AS SELECT crm_id, first_name FROM gc.leads WHERE state = 'TX';
DELETE FROM gc.texans WHERE crm_id IN ('J-6', 'L-151');
SELECT id FROM sim.contacts('leads') WHERE id IN ('J-6', 'L-151');
DROP VIEW gc.texans;

-- Triggers: BEFORE may keep a row; AFTER makes each row a call, and does not see
-- one that was not there.
INSERT INTO gc.leads (crm_id, first_name, state) SELECT 'T-' || g, 'x', 'AZ' FROM generate_series(1, 4) g;
CREATE FUNCTION gc.trip() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO '% % %', TG_WHEN, TG_OP, OLD.crm_id;
  IF TG_WHEN = 'BEFORE' AND OLD.crm_id = 'T-1' THEN RETURN NULL; END IF;
  RETURN OLD;
END $$;
CREATE TRIGGER early BEFORE DELETE ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.trip();
CALL sim.forget();
DELETE FROM gc.leads WHERE state = 'AZ' AND crm_id <> 'T-4';
SELECT split_part(request, '?', 1) AS request, rows, status - status % 10 AS status FROM sim.traffic();
CREATE TRIGGER late AFTER DELETE ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.trip();
INSERT INTO gc.leads (crm_id, first_name, state) SELECT 'T-' || g, 'x', 'AZ' FROM generate_series(1, 4) g;
CALL sim.faults('[{"method": "DELETE", "path": "*/contacts/T-2", "status": 404, "body_json": {"code": "resource.not.found", "status": 404}}]');
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'AZ'$$);
CALL sim.faults('[]');
SELECT split_part(request, '?', 1) AS request, rows, status - status % 10 AS status FROM sim.traffic();
CALL sim.touch('leads', 'T-2', '{"inUse": true}');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'AZ'$$);
CALL sim.touch('leads', 'T-2', '{"inUse": false}');
DROP TRIGGER early ON gc.leads;
DROP TRIGGER late ON gc.leads;

-- Deleted and inserted in one statement: in order, whichever of them names the contact first.
WITH d AS (DELETE FROM gc.leads WHERE state = 'AZ' RETURNING crm_id)
INSERT INTO gc.leads (crm_id, first_name) SELECT crm_id, 'anew' FROM d;
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'T-%';

--
-- ROLLBACK, EXPLAIN, options
--
-- What was deleted stays so, and the counts say it.
BEGIN;
DELETE FROM gc.leads WHERE first_name = 'anew';
ROLLBACK;
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'T-%';
-- EXPLAIN asks nobody, and says what would be asked.
CALL sim.forget();
EXPLAIN (COSTS OFF) DELETE FROM gc.leads WHERE state = 'CA';
SELECT * FROM sim.traffic();
CALL sim.list('full', '{crm_id,phone}');
CREATE FOREIGN TABLE gc.full (crm_id text, phone text) SERVER genesys OPTIONS (object 'contacts', list_name 'full', key 'crm_id');
INSERT INTO gc.full SELECT 'F-' || g, '+1' FROM generate_series(1, 60) g;
SELECT sim.analyzed($$DELETE FROM gc.full WHERE crm_id < 'F-17'$$);
-- max_requests holds for reading and deleting together.
SET gc_fdw.max_requests = 2;
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'CA'$$);
RESET gc_fdw.max_requests;
-- updatable 'false'; an object that takes no DELETE.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD updatable 'false');
CALL sim.try($$DELETE FROM gc.leads$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP updatable);
CREATE FOREIGN TABLE gc.events (id text, message text) SERVER genesys OPTIONS (object 'events');
CALL sim.try($$DELETE FROM gc.events$$);
SELECT is_insertable_into FROM information_schema.tables WHERE table_name = 'leads';
-- MERGE is PostgreSQL's to refuse.
MERGE INTO gc.leads l USING gone g ON l.crm_id = g.id WHEN MATCHED THEN DELETE;
-- PREPARE TRANSACTION is refused after it.
BEGIN;
DELETE FROM gc.leads WHERE crm_id IN (SELECT min(crm_id) FROM gc.leads);
SET LOCAL client_min_messages = error;
PREPARE TRANSACTION 'x';
-- All that is there.
DELETE FROM gc.leads;
SELECT count(*) FROM sim.contacts('leads');

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- deliver 'commit': contacts are sent at COMMIT (DESIGN 3, 4.5)
--
CALL sim.list('leads', '{key,name,phone}', '{phone}');
CALL sim.list('others', '{key,phone}', '{phone}');
CREATE FOREIGN TABLE gc.leads (contact_id text OPTIONS (attribute 'id'), key text, name text, callable boolean OPTIONS (attribute 'callable'),
    created timestamptz OPTIONS (attribute 'date_created'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key', deliver 'commit');
CREATE FOREIGN TABLE gc.others (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'key', deliver 'commit');
-- What went out, and what is there.
CREATE FUNCTION gc.sent(OUT requests bigint, OUT rows bigint) LANGUAGE sql AS $$
  SELECT count(*), coalesce(sum(rows), 0) FROM sim.requests() WHERE path ~ '/contacts(\?|$)';
$$;

-- A statement by itself is a transaction.
CALL sim.forget();
INSERT INTO gc.leads (key, name) SELECT 'A-' || i, 'Name ' || i FROM generate_series(1, 2500) i;
SELECT * FROM gc.sent();
SELECT count(*), min(id), max(id) FROM sim.contacts('leads');

-- Statements of one row become full batches.
CALL sim.forget();
BEGIN;
DO $$ BEGIN FOR i IN 1..3000 LOOP INSERT INTO gc.leads (key, name) VALUES ('B-' || i, 'x'); END LOOP; END $$;
SELECT * FROM gc.sent();
COMMIT;
SELECT * FROM gc.sent();
SELECT count(*) FROM sim.contacts('leads');

-- ROLLBACK: nothing was sent, and there is nothing to say.
CALL sim.forget();
BEGIN;
INSERT INTO gc.leads (key, name) VALUES ('C-1', 'x'), ('C-2', 'x');
ROLLBACK;
SELECT * FROM gc.sent();
-- A savepoint takes its rows along, nested ones, too; what comes after takes their place.
BEGIN;
INSERT INTO gc.leads (key, name) VALUES ('D-1', 'kept');
SAVEPOINT a;
INSERT INTO gc.leads (key, name) SELECT 'D-2', repeat('long ', 100);
INSERT INTO gc.others VALUES ('gone');
SAVEPOINT b;
INSERT INTO gc.leads (key, name) VALUES ('D-3', 'gone');
RELEASE b;
ROLLBACK TO a;
INSERT INTO gc.leads (key, name) VALUES ('D-4', 'kept');
SAVEPOINT c;
INSERT INTO gc.leads (key, name) VALUES ('D-5', 'kept');
SAVEPOINT d;
INSERT INTO gc.leads (key, name) VALUES ('D-6', 'gone');
ROLLBACK TO d;
RELEASE c;
DO $$
BEGIN
  FOR i IN 1..4 LOOP
    BEGIN
      INSERT INTO gc.leads (key, name) VALUES ('E-' || i, 'caught');
      IF i % 2 = 0 THEN RAISE 'no'; END IF;
    EXCEPTION WHEN raise_exception THEN NULL;
    END;
  END LOOP;
END $$;
COMMIT;
SELECT * FROM gc.sent();
SELECT id, data->>'name' AS name FROM sim.contacts('leads') WHERE id ~ '^[CDE]' ORDER BY 1;
SELECT count(*) FROM sim.contacts('others');

-- The last write of an id wins, in order; opt-outs are sent, and their echo is read.
BEGIN;
INSERT INTO gc.leads (key, name) VALUES ('F-1', 'first');
INSERT INTO gc.leads (key, name, callable) VALUES ('F-1', 'second', false);
COMMIT;
SELECT id, data->>'name' AS name, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id = 'F-1';
CALL sim.faults('[{"path": "*/contacts", "method": "POST", "times": 1, "body_json": [{"id": "F-2", "callable": true, "data": {"key": "F-2"}}]}]');
INSERT INTO gc.leads (key, callable) VALUES ('F-2', false);

-- RETURNING shows what was written; what the platform makes of it is not known yet.
INSERT INTO gc.leads (key, name) VALUES ('G-1', 'shown') RETURNING contact_id, name;
INSERT INTO gc.leads (key) VALUES ('G-2') RETURNING created;
-- A bad row is an error of its statement, and the transaction can go on.
BEGIN;
INSERT INTO gc.leads (key, name) VALUES ('H-1', 'good');
SAVEPOINT a;
INSERT INTO gc.leads (key, name) VALUES ('H-2', repeat('x', 513));
ROLLBACK TO a;
COMMIT;
SELECT id FROM sim.contacts('leads') WHERE id ~ '^[GH]' ORDER BY 1;

-- Whoever reads the list meanwhile does not see them, and is told.
BEGIN;
INSERT INTO gc.leads (key, name) VALUES ('I-1', 'x');
SELECT name FROM gc.leads WHERE contact_id = 'I-1';
SELECT key FROM gc.others WHERE key = 'none';
COMMIT;
SELECT name FROM gc.leads WHERE contact_id = 'I-1';

-- COPY, and an INSERT that reads the list.
COPY gc.others FROM stdin;
c-1
c-2
\.
INSERT INTO gc.others SELECT key || '-again' FROM gc.others WHERE key ~ '^c-';
SELECT key FROM gc.others ORDER BY 1;

-- UPDATE and DELETE: sent at COMMIT, a contact read again before it is merged, in the order of the statements.
CALL sim.list('changed', '{key,name,note,phone}', '{phone}');
CREATE FOREIGN TABLE gc.changed (contact_id text OPTIONS (attribute 'id'), key text, name text, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'changed', key 'key', deliver 'commit');
INSERT INTO gc.changed (key, name) SELECT 'U-' || i, 'Name ' || i FROM generate_series(1, 300) i;
CALL sim.forget();
BEGIN;
DO $$ BEGIN FOR i IN 1..200 LOOP UPDATE gc.changed SET name = 'new' WHERE contact_id = 'U-' || i; END LOOP; END $$;
SELECT count(*) FROM sim.requests() WHERE method <> 'GET' AND path NOT LIKE '%/oauth/%';
-- What somebody else writes meanwhile stays.
SELECT sim.control('POST', 'contacts', '{"listId": "changed", "id": "U-7", "data": {"note": "theirs"}}') IS NOT NULL AS done;
UPDATE gc.changed SET callable = false WHERE contact_id = 'U-7';
UPDATE gc.changed SET name = 'last' WHERE contact_id = 'U-7';
DELETE FROM gc.changed WHERE contact_id IN ('U-8', 'U-9');
INSERT INTO gc.changed (key, name) VALUES ('U-9', 'again');
SAVEPOINT a;
DELETE FROM gc.changed WHERE contact_id = 'U-10';
UPDATE gc.changed SET name = 'undone';
ROLLBACK TO a;
COMMIT;
SELECT method, regexp_replace(path, '.*/contacts', '') AS path, count(*), sum(rows) FROM sim.requests()
WHERE path ~ '/contacts(\?|$|/bulk)' AND method <> 'DELETE' GROUP BY 1, 2 ORDER BY 1, 2;
SELECT id, data->>'name' AS name, data->>'note' AS note, contact->'callable' AS callable FROM sim.contacts('changed')
WHERE id ~ '^U-([6-9]|1[0-1])$' ORDER BY length(id), id;
SELECT data->>'name' ~ 'new' AS new, count(*) FROM sim.contacts('changed') GROUP BY 1 ORDER BY 1;
BEGIN;
DELETE FROM gc.changed;
ROLLBACK;
SELECT count(*) FROM sim.contacts('changed');
EXPLAIN (COSTS OFF) DELETE FROM gc.changed WHERE contact_id = 'U-1';
-- One that is gone by then is an error that names it.
BEGIN;
UPDATE gc.changed SET name = 'late' WHERE contact_id = 'U-20';
SELECT sim.control('POST', 'contacts', '{"listId": "changed", "id": "U-20", "deleted": true}') IS NOT NULL AS done;
COMMIT;
-- The audit says what was sent, as which statement.
SELECT operation, status, total, accepted FROM gc_fdw.audit_log WHERE list_id = 'changed' AND status = 'completed' ORDER BY id;
-- What needs the platform's answers while the statement runs is refused.
ALTER FOREIGN TABLE gc.changed OPTIONS (ADD on_duplicate 'error');
INSERT INTO gc.changed (key) VALUES ('R-1');
ALTER FOREIGN TABLE gc.changed OPTIONS (DROP on_duplicate);

-- TRUNCATE clears at once, so what waits would come after it.
BEGIN;
TRUNCATE gc.changed;
SAVEPOINT a;
INSERT INTO gc.changed (key) VALUES ('T-1');
SAVEPOINT b;
TRUNCATE gc.changed;
ROLLBACK TO a;
TRUNCATE gc.changed;
INSERT INTO gc.changed (key) VALUES ('T-2');
COMMIT;
SELECT id FROM sim.contacts('changed');

-- As which role, to which list: as the statement had it.
BEGIN;
INSERT INTO gc.others VALUES ('k-1');
DROP FOREIGN TABLE gc.others;
COMMIT;
SELECT id FROM sim.contacts('others') WHERE id ~ '^k';

-- How long it may take.
SET gc_fdw.commit_timeout = '100ms';
CALL sim.set('{"latency_ms": 2000}');
-- (The WARNING of what was sent comes before or after the error.)
SET client_min_messages = error;
INSERT INTO gc.leads (key) VALUES ('L-1');
RESET client_min_messages;
CALL sim.set('{"latency_ms": 0}');
RESET gc_fdw.commit_timeout;
-- It says so.
EXPLAIN (COSTS OFF) INSERT INTO gc.leads (key) VALUES ('M-1');
ALTER FOREIGN TABLE gc.leads OPTIONS (SET deliver 'tomorrow');
DROP SERVER genesys CASCADE;

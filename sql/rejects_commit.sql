\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- deliver 'commit' with on_error 'reject': at COMMIT rows are rejected, and the transaction commits (DESIGN 3, 4.5)
--
CALL sim.list('leads', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
CALL sim.list('others', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CREATE FOREIGN TABLE gc.leads (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'),
                               callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'leads', key 'crm_id', deliver 'commit', on_error 'reject');
CREATE FOREIGN TABLE gc.others (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'others', key 'crm_id', deliver 'commit', on_error 'reject');
CREATE TABLE sim.marks (mark text);
CREATE VIEW sim.rejects AS
  SELECT list_id, key, row_data, code, reason, field, correlation_id IS NOT NULL AS answered FROM gc_fdw.rejected_rows ORDER BY id;
CREATE VIEW sim.audits AS
  SELECT operation, list_id, status, total, accepted, in_doubt, rejected, (SELECT count(*) FROM gc_fdw.rejected_rows r WHERE r.source_id = a.id) AS rows
  FROM gc_fdw.audit_log a ORDER BY id DESC;
-- The audit of a transaction that failed, once it is written.
CREATE FUNCTION sim.failed(rows bigint, OUT status text, OUT total bigint, OUT accepted bigint, OUT in_doubt bigint, OUT rejected bigint) LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + '20s';
BEGIN
  LOOP
    SELECT a.status, a.total, a.accepted, a.in_doubt, a.rejected INTO status, total, accepted, in_doubt, rejected
    FROM gc_fdw.audit_log a WHERE a.status = 'failed' AND a.total = rows ORDER BY id DESC LIMIT 1;
    EXIT WHEN status IS NOT NULL OR clock_timestamp() > until;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;

-- Each kind of row, of every verb and of two lists.
INSERT INTO gc.leads SELECT 'L-' || g, g, '10115' FROM generate_series(1, 30) g;
INSERT INTO gc.others SELECT 'M-' || g, g, '10115' FROM generate_series(1, 3) g;
BEGIN;
INSERT INTO sim.marks VALUES ('committed');
-- (They are counted as they are written, but for those that our own checks refuse.)
DO $$ DECLARE done bigint; BEGIN
  INSERT INTO gc.leads VALUES ('A-1', 1, '10115'), ('A-2', 2, 'nowhere'), (NULL, 3, '10115'), ('A 4', 4, '10115');
  GET DIAGNOSTICS done = ROW_COUNT; RAISE INFO '% rows', done;
  UPDATE gc.leads SET postcode = CASE WHEN n IN (3, 4) THEN 'nowhere' ELSE repeat('1', CASE n WHEN 5 THEN 513 ELSE 5 END) END WHERE n < 10;
  GET DIAGNOSTICS done = ROW_COUNT; RAISE INFO '% rows', done;
  DELETE FROM gc.leads WHERE n > 20;
  GET DIAGNOSTICS done = ROW_COUNT; RAISE INFO '% rows', done;
END $$;
COPY gc.others (crm_id, n, postcode) FROM stdin;
B-1	1	10115
B-2	2	nowhere
\.
SELECT count(*) FROM gc_fdw.rejected_rows;
CALL sim.touch('leads', 'L-25', '{"inUse": true}');
CALL sim.touch('leads', 'L-8', '{"deleted": true}');
COMMIT;
SELECT list_id, key, left(row_data::text, 90) AS row_data, code, field, answered FROM sim.rejects;
SELECT key, reason FROM sim.rejects WHERE key IN ('A-2', 'L-5', 'L-8', 'L-25');
SELECT * FROM sim.audits LIMIT 4;
TABLE sim.marks;
SELECT string_agg(id || ':' || left(data->>'zip', 5), ' ') FROM sim.contacts('leads') WHERE id ~ '^(A|L-([1-9]|2.)$)';
SELECT string_agg(id, ' ') FROM sim.contacts('others');
DELETE FROM gc_fdw.rejected_rows;
CALL sim.touch('leads', 'L-25', '{"inUse": false}');

-- A ROLLBACK, and that of a savepoint, takes bad rows along with the others; what fails at COMMIT does not.
BEGIN;
INSERT INTO gc.leads VALUES (NULL, 1, '10115'), ('C-1', 1, 'nowhere');
ROLLBACK;
BEGIN;
INSERT INTO gc.leads VALUES ('C 2', 2, '10115');
SAVEPOINT a;
INSERT INTO gc.leads VALUES ('C 3', 3, '10115'), ('C-4', 4, 'nowhere');
INSERT INTO gc.others VALUES ('C 5', 5, '10115');
ROLLBACK TO a;
INSERT INTO gc.leads VALUES ('C-6', 6, 'nowhere'), ('C-7', 7, '10115');
COMMIT;
SELECT list_id, key, row_data FROM sim.rejects;
SELECT * FROM sim.audits LIMIT 1;
DELETE FROM gc_fdw.rejected_rows;
-- Nothing but bad rows.
INSERT INTO gc.leads VALUES ('C 8', 8, '10115');
INSERT INTO gc.leads VALUES ('C-9', 9, 'nowhere');
SELECT key FROM sim.rejects;
SELECT * FROM sim.audits LIMIT 2;
DELETE FROM gc_fdw.rejected_rows;
-- RETURNING shows what was written.
EXPLAIN (COSTS OFF) INSERT INTO gc.leads VALUES ('C-10') RETURNING crm_id;
INSERT INTO gc.leads VALUES ('C-10', 1, 'nowhere'), ('C 11', 2, '10115'), ('C-12', 3, '10115') RETURNING crm_id;
UPDATE gc.leads SET postcode = 'nowhere' WHERE crm_id = 'L-1' RETURNING crm_id, postcode;
SELECT key, row_data FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
-- Many statements of one row: one batch, which is searched.
CALL sim.forget();
BEGIN;
DO $$ BEGIN FOR i IN 1..1000 LOOP INSERT INTO gc.leads VALUES ('D-' || i, i, CASE i WHEN 500 THEN 'nowhere' ELSE '10115' END); END LOOP; END $$;
COMMIT;
SELECT count(*) AS posts, count(*) FILTER (WHERE status = 400) AS refused, sum(rows) FILTER (WHERE status = 200) AS accepted
FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
SELECT key, row_data FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
-- The last write of an id wins, in order, also behind a bad one.
BEGIN;
INSERT INTO gc.leads VALUES ('E-1', 1, 'nowhere');
INSERT INTO gc.leads VALUES ('E-1', 2, '10115');
UPDATE gc.leads SET postcode = 'nowhere' WHERE crm_id = 'L-2';
UPDATE gc.leads SET n = 22 WHERE crm_id = 'L-2';
DELETE FROM gc.leads WHERE crm_id = 'L-3';
COMMIT;
SELECT id, data->>'note' AS n, data->>'zip' AS zip FROM sim.contacts('leads') WHERE id IN ('E-1', 'L-2', 'L-3');
SELECT key, row_data FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;

--
-- max_rejects: one more, and the transaction aborts with the counts; what was rejected stays
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '2');
SET client_min_messages = error;
BEGIN;
INSERT INTO sim.marks VALUES ('aborted');
INSERT INTO gc.leads SELECT 'F-' || g, g, CASE WHEN g IN (10, 20, 30) THEN 'nowhere' ELSE '10115' END FROM generate_series(1, 100) g;
COMMIT;
SELECT key FROM sim.rejects;
SELECT * FROM sim.failed(100);
SELECT count(*), max(substr(id, 3)::int) FROM sim.contacts('leads') WHERE id LIKE 'F-%';
TABLE sim.marks;
DELETE FROM gc_fdw.rejected_rows;
-- Of those that our own checks refuse it is known before anything is sent.
CALL sim.forget();
BEGIN;
INSERT INTO gc.leads SELECT CASE WHEN g > 7 THEN 'G ' ELSE 'G-' END || g, g, '10115' FROM generate_series(1, 10) g;
COMMIT;
SELECT key FROM sim.rejects;
SELECT count(*) FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
DELETE FROM gc_fdw.rejected_rows;
RESET client_min_messages;
\set VERBOSITY terse
-- (Who aborts takes ids when he comes to it: hints differ from here on.)
-- Under 'stop' it is an error of its statement, and at COMMIT that of the first.
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP max_rejects, SET on_error 'stop');
INSERT INTO gc.leads VALUES ('H 1', 1, '10115');
SET client_min_messages = error;
UPDATE gc.leads SET postcode = 'nowhere' WHERE crm_id IN ('L-9', 'L-10');
RESET client_min_messages;
-- The option, and the columns, are those of the statement.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_error 'reject');
BEGIN;
INSERT INTO gc.leads VALUES ('I-1', 1, 'nowhere');
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '0');
ALTER FOREIGN TABLE gc.leads ADD phone text;
ALTER FOREIGN TABLE gc.leads OPTIONS (SET max_rejects '1');
INSERT INTO gc.leads VALUES ('I-2', 1, 'nowhere', NULL, '+1');
DROP FOREIGN TABLE gc.leads;
COMMIT;
SELECT key, row_data FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;
BEGIN;
INSERT INTO gc.others VALUES ('I-3', 1, 'nowhere');
ALTER FOREIGN TABLE gc.others OPTIONS (ADD max_rejects '0');
INSERT INTO gc.others VALUES ('I-4', 1, 'nowhere');
SET LOCAL client_min_messages = error;
COMMIT;
SELECT key, row_data FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;

--
-- Faults at COMMIT
--
-- A batch whose answer was lost and that is then refused; a failure behind rejected rows, which stay.
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "nth": 1, "drop": "after"}]');
INSERT INTO gc.others SELECT 'J-' || g, g, CASE g WHEN 4 THEN 'nowhere' ELSE '10115' END FROM generate_series(1, 20) g;
SELECT * FROM sim.audits LIMIT 1;
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "nth": 4, "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
SET client_min_messages = error;
INSERT INTO gc.others SELECT 'K-' || g, g, CASE WHEN g IN (1, 2) THEN 'nowhere' ELSE '10115' END FROM generate_series(1, 4) g;
RESET client_min_messages;
CALL sim.faults('[]');
SELECT key FROM sim.rejects;
SELECT * FROM sim.failed(4);
-- COMMIT that is cut off: they are there all the same.
DELETE FROM gc_fdw.rejected_rows;
CALL sim.set('{"latency_ms": 2000}');
SET gc_fdw.commit_timeout = '100ms';
SET client_min_messages = error;
INSERT INTO gc.others VALUES ('N-1', 1, '10115'), ('N 2', 2, '10115');
RESET client_min_messages;
RESET gc_fdw.commit_timeout;
CALL sim.set('{"latency_ms": 0}');
SELECT row_data FROM sim.rejects;

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- A batch that the platform refuses for some of its contacts: which ones, in how many requests (DESIGN 4.3, F3)
--
CALL sim.list('leads', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
CALL sim.list('others', '{crm_id,note,zip,phone}', '{phone}', '{"automaticTimeZoneMapping": true, "zipCodeColumnName": "zip"}');
-- One request at a time, so that their number is always the same.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CREATE FOREIGN TABLE gc.leads (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'),
                               callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'leads', key 'crm_id', on_error 'reject', contact_id_pattern '^[a-zA-Z0-9 -]+$');
CREATE FOREIGN TABLE gc.others (crm_id text, n int OPTIONS (field 'note'), postcode text OPTIONS (field 'zip'))
  SERVER genesys OPTIONS (object 'contacts', verification 'relaxed', list_id 'others', key 'crm_id', on_error 'reject');
CREATE VIEW sim.rejects AS
  SELECT list_id, key, row_data, code, reason, field, correlation_id IS NOT NULL AS answered FROM gc_fdw.rejected_rows ORDER BY id;
-- The audit of a statement that failed, once it is written.
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
CREATE VIEW sim.posts AS
  SELECT count(*) AS posts, count(*) FILTER (WHERE status = 400) AS refused, sum(rows) FILTER (WHERE status = 200) AS accepted
  FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
-- A load with bad rows; its rows are in order.
CREATE FUNCTION sim.load(prefix text, rows int, bad text) RETURNS TABLE (crm_id text, n int, postcode text) LANGUAGE plpgsql AS $$ BEGIN
  RETURN QUERY EXECUTE format('SELECT %L || g, g, CASE WHEN %s THEN %L ELSE %L END FROM generate_series(1, %s) g ORDER BY g', prefix, bad, 'nowhere', '10115', rows);
END $$;
INSERT INTO gc.leads VALUES ('warm');
INSERT INTO gc.others VALUES ('warm');
CALL sim.forget();

--
-- on_error 'reject': they are in rejected_rows, whole, and the others are there
--
CALL sim.forget();
INSERT INTO gc.leads VALUES ('E-1', 1, '10115', true), ('E-2', 2, 'nowhere', false), ('E-3', NULL, '123', NULL), ('E 4', 4, '10115', NULL), ('E-5', 5, '', NULL);
SELECT * FROM sim.rejects \gx
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'E%';
SELECT status, total, accepted, in_doubt, rejected, success_rate FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
-- What was wrong is put right, and the row goes in again.
INSERT INTO gc.leads SELECT (jsonb_populate_record(NULL::gc.leads, row_data || '{"postcode": "10115"}')).* FROM gc_fdw.rejected_rows WHERE key = 'E-2';
SELECT id, data, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id = 'E-2';
DELETE FROM gc_fdw.rejected_rows;

-- COPY's own count cannot be corrected.
COPY gc.leads (crm_id, n, postcode) FROM stdin;
G-1	1	10115
G-2	2	nowhere
G-3	3	10115
\.
DELETE FROM gc_fdw.rejected_rows;

-- Row counts are of the others.
CREATE PROCEDURE sim.insert(rows int, bad text) LANGUAGE plpgsql AS $$
DECLARE
  n bigint;
  posts record;
BEGIN
  CALL sim.forget();
  INSERT INTO gc.leads SELECT * FROM sim.load('F-', rows, bad);
  GET DIAGNOSTICS n = ROW_COUNT;
  SELECT * INTO posts FROM sim.posts;
  RAISE INFO '% rows, % posts, % refused, % accepted', n, posts.posts, posts.refused, posts.accepted;
END $$;
-- A bad row takes up to 12 more than the batch: ten halves, itself, what stands behind it.
\set VERBOSITY terse
CALL sim.insert(1000, 'false');
CALL sim.insert(1000, 'g = 1');
CALL sim.insert(1000, 'g = 500');
CALL sim.insert(1000, 'g = 999');
CALL sim.insert(1000, 'g = 1000');
CALL sim.insert(1000, 'g IN (500, 501)');
CALL sim.insert(1000, 'g IN (1, 1000)');
-- Five among 5,000.
CALL sim.insert(5000, 'g IN (17, 1234, 1235, 3000, 4999)');
-- A tenth of all, and half of them.
CALL sim.insert(1000, 'g % 10 = 7');
CALL sim.insert(1000, 'g % 2 = 0');
CALL sim.insert(1000, 'g % 5 <> 0 AND g > 1');
SELECT count(*), count(DISTINCT key), min(code), max(code) FROM gc_fdw.rejected_rows;
DELETE FROM gc_fdw.rejected_rows;

-- All of them: the first and the last rows of a batch are refused for the same, and no other is tried.
CALL sim.insert(1000, 'true');
SELECT count(*), count(DISTINCT key), bool_and(answered) AS answered, regexp_replace(reason, 'C?-[0-9]+', '') AS reason FROM sim.rejects GROUP BY reason ORDER BY 1;
SELECT total, accepted, in_doubt, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
DELETE FROM gc_fdw.rejected_rows;
-- But for one in the middle, which is lost to that rule; but for the last one, or the second; too few to tell.
CALL sim.insert(40, 'g <> 20');
SELECT count(*), count(*) FILTER (WHERE reason LIKE '%Not sent by itself%') AS untried FROM gc_fdw.rejected_rows;
DELETE FROM gc_fdw.rejected_rows;
CALL sim.insert(40, 'g < 40');
CALL sim.insert(40, 'g <> 2');
CALL sim.insert(15, 'true');
SELECT count(*), count(*) FILTER (WHERE reason LIKE '%Not sent by itself%') AS untried FROM gc_fdw.rejected_rows;
DELETE FROM gc_fdw.rejected_rows;
-- Not for the same.
CALL sim.forget();
INSERT INTO gc.leads SELECT CASE WHEN g = 2 THEN 'F ' ELSE 'F-' END || g, g, CASE WHEN g <> 2 THEN 'nowhere' END FROM generate_series(1, 20) g;
SELECT code, count(*), count(*) FILTER (WHERE reason LIKE '%Not sent by itself%') AS untried FROM gc_fdw.rejected_rows GROUP BY code ORDER BY 1;
DELETE FROM gc_fdw.rejected_rows;

--
-- max_rejects; the rows behind one too many are not sent
--
\set VERBOSITY default
SET client_min_messages = error;
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '2');
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('L-', 100, 'g IN (10, 20, 30, 40)')$$);
SELECT count(*), max(substr(id, 3)::int) FROM sim.contacts('leads') WHERE id LIKE 'L-%';
SELECT key FROM sim.rejects;
SELECT * FROM sim.failed(100);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP max_rejects);
DELETE FROM gc_fdw.rejected_rows;
RESET client_min_messages;
\set VERBOSITY terse

--
-- Two lists, RETURNING, triggers, ROLLBACK
--
CREATE TABLE gc.parted (crm_id text, n int, postcode text) PARTITION BY LIST (n);
ALTER FOREIGN TABLE gc.leads DROP COLUMN callable;
ALTER TABLE gc.parted ATTACH PARTITION gc.leads FOR VALUES IN (1);
ALTER TABLE gc.parted ATTACH PARTITION gc.others FOR VALUES IN (2);
INSERT INTO gc.parted SELECT 'H-' || g, 1 + g % 2, CASE WHEN g IN (7, 8, 30) THEN 'nowhere' END FROM generate_series(1, 100) g;
SELECT list_id, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log WHERE total = 50 ORDER BY list_id;
ALTER TABLE gc.parted DETACH PARTITION gc.leads;
ALTER TABLE gc.parted DETACH PARTITION gc.others;
-- Nobody sees a row that is not there: each of these is a request.
EXPLAIN (COSTS off) INSERT INTO gc.leads VALUES ('I-1') RETURNING crm_id;
INSERT INTO gc.leads VALUES ('I-1', 1, '10115'), ('I-2', 2, 'nowhere'), ('I-3', 3, '10115') RETURNING crm_id, n;
CREATE FUNCTION sim.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% %', tg_when, new.crm_id; RETURN new; END $$;
CREATE TRIGGER t AFTER INSERT ON gc.others FOR EACH ROW EXECUTE FUNCTION sim.tell();
DO $$ DECLARE n bigint; BEGIN
  INSERT INTO gc.others VALUES ('J-1', 1, '10115'), ('J-2', 2, 'nowhere'), ('J-3', 3, '10115');
  GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% rows', n;
END $$;
-- They stay, whatever becomes of the transaction.
SET client_min_messages = error;
BEGIN;
INSERT INTO gc.leads VALUES ('K-1', 1, 'nowhere'), ('K-2', 2, '10115');
ROLLBACK;
RESET client_min_messages;
SELECT list_id, key, code, field FROM sim.rejects;
DELETE FROM gc_fdw.rejected_rows;

\set VERBOSITY default
--
-- on_error 'stop': the error names the contact; what stands before it is there
--
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_error 'stop');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('A-', 2500, 'g = 1700')$$);
TABLE sim.posts;
SELECT count(*), count(*) FILTER (WHERE substr(id, 3)::int < 1700) AS before FROM sim.contacts('leads') WHERE id LIKE 'A-%';
\if :jobs
\set total 1750
\else
\set total 2500
\endif
SELECT * FROM sim.failed(:total);
-- At COMMIT, too.
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_error 'stop', ADD deliver 'commit');
DROP TRIGGER t ON gc.others;
BEGIN;
INSERT INTO gc.others SELECT * FROM sim.load('C-', 10, 'g = 7');
\set VERBOSITY terse
COMMIT;
\set VERBOSITY default
ALTER FOREIGN TABLE gc.others OPTIONS (SET on_error 'reject', DROP deliver);
-- A single one says so, too; what is wrong with all of them is not looked for.
CALL sim.try($$INSERT INTO gc.leads VALUES ('B-1', 1, 'nowhere')$$);
CALL sim.faults('[{"path": "*/contacts", "status": 400, "body_json": {"code": "invalid.contact.columns", "message": "No such column.", "status": 400}}]');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('B-', 20, 'false')$$);
-- Nor what says nothing: a gateway's page.
CALL sim.faults('[{"path": "*/contacts", "status": 400, "body": "<html>Bad Request</html>"}]');
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('B-', 20, 'false')$$);
TABLE sim.posts;
CALL sim.faults('[]');
-- A refusal that does not come again is none.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "status": 400, "body_json": {"code": "bad.request", "message": "No.", "status": 400}}]');
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('B-', 20, 'false')$$);
CALL sim.faults('[]');
-- COPY.
\set VERBOSITY terse
CALL sim.forget();
COPY gc.leads (crm_id, n, postcode) FROM stdin;
D-1	1	10115
D-2	2	nowhere
D-3	3	10115
\.
\set VERBOSITY default
TABLE sim.posts;
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_error 'reject');

--
-- Beside other failures
--
-- A batch whose answer was lost and that is then refused: what is good of it is there, and nothing is in doubt at the end.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "drop": "after"}]');
\set VERBOSITY terse
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('M-', 20, 'g IN (3, 4)')$$);
\set VERBOSITY default
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'M-%';
SELECT status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log WHERE operation = 'INSERT' ORDER BY id DESC LIMIT 1;
-- Nor is it where that becomes of parts of it: one that is refused again, one that is good.
CALL sim.faults('[{"path": "*/contacts", "nth": 2, "drop": "after"}, {"path": "*/contacts", "nth": 7, "drop": "after"}]');
CALL sim.forget();
\set VERBOSITY terse
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('Q-', 20, 'g IN (3, 15)')$$);
\set VERBOSITY default
SELECT rows, status FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
SELECT status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log WHERE operation = 'INSERT' ORDER BY id DESC LIMIT 1;
-- What fails the statement meanwhile leaves in doubt what was so.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "drop": "after"}, {"path": "*/contacts", "nth": 4, "status": 403}]');
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('N-', 21, 'g = 20')$$);
SELECT * FROM sim.failed(21);
-- A batch that is too large, and halves of it that are refused.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "status": 413}]');
\set VERBOSITY terse
CALL sim.insert(20, 'g IN (3, 13)');
\set VERBOSITY default
-- Several requests at once: the last write of an id wins, though its batch has to wait for one that is searched.
CALL sim.faults('[]');
ALTER SERVER genesys OPTIONS (SET max_in_flight '4');
\set VERBOSITY terse
CALL sim.insert(5000, 'g IN (17, 1234, 1235, 3000, 4999)');
INSERT INTO gc.leads SELECT * FROM sim.load('O-', 1000, 'g = 999') UNION ALL SELECT * FROM sim.load('P-', 1000, 'g = 5') UNION ALL VALUES ('O-998', -1, '10115'), ('P-4', -2, '10115');
\set VERBOSITY default
SELECT id, data->>'note' AS n FROM sim.contacts('leads') WHERE id IN ('O-998', 'O-999', 'P-4', 'P-5') ORDER BY id;
SELECT count(*) FROM sim.contacts('leads') WHERE id ~ '^[OP]-';
ALTER SERVER genesys OPTIONS (SET max_in_flight '1');
-- G4: a contact of the dialler's is found, and the others do not wait for it; it alone does, and is named.
CALL sim.touch('leads', 'F-7', '{"inUse": true}');
ALTER SERVER genesys OPTIONS (SET retry_timeout '0');
CALL sim.try($$INSERT INTO gc.leads SELECT * FROM sim.load('F-', 20, 'false')$$);
\set ECHO none

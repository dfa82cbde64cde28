\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- gc_fdw.audit_log: a row for each list that a statement wrote, whatever became of it (DESIGN 4.6)
--
CALL sim.list('leads', '{crm_id,note,phone}');
CALL sim.list('others', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.others (crm_id text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'crm_id');
-- Each request is answered before the next is made, so that counts are the same each time.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1', ADD batch_size '10');
SELECT count(*) FROM gc.leads, gc.others;

-- The rows since it was last asked for.  What a rollback leaves is written by a worker: a moment later.
CREATE TABLE sim.seen AS SELECT 0::bigint AS id;
CREATE FUNCTION sim.audits(expected bigint, OUT operation text, OUT list text, OUT status text, OUT total bigint, OUT accepted bigint,
  OUT in_doubt bigint, OUT success_rate numeric, OUT requests bigint, OUT statements bigint)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + '20s';
BEGIN
  LOOP
    EXIT WHEN (SELECT count(*) FROM gc_fdw.audit_log a, sim.seen s WHERE a.id > s.id) >= expected OR clock_timestamp() > until;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN QUERY SELECT a.operation, a.list_id, a.status, a.total, a.accepted, a.in_doubt, a.success_rate, a.requests, a.statements
    FROM gc_fdw.audit_log a, sim.seen s WHERE a.id > s.id ORDER BY a.at;
  UPDATE sim.seen SET id = (SELECT max(a.id) FROM gc_fdw.audit_log a);
END $$;

--
-- Statements that commit
--
INSERT INTO gc.leads SELECT 'A-' || g FROM generate_series(1, 25) g;
COPY gc.leads (crm_id) FROM PROGRAM 'seq 1 3';
INSERT INTO gc.leads SELECT 'nobody' WHERE false;
WITH o AS (INSERT INTO gc.others VALUES ('A-1', 'x'), ('A-2', 'y') RETURNING crm_id) INSERT INTO gc.leads SELECT crm_id FROM o;
SELECT * FROM sim.audits(5);
-- Nobody is found, nothing is counted: a rate of 0, and no failure.
UPDATE gc.others SET note = 'x' WHERE crm_id = 'nobody';
DELETE FROM gc.others WHERE crm_id = 'nobody';
TRUNCATE gc.others;
SELECT operation, list, status, total, accepted, success_rate, statements FROM sim.audits(3);
-- Who, and what for support.
SET application_name = 'nightly load';
INSERT INTO gc.leads VALUES ('A-1');
RESET application_name;
SELECT by_role, application_name, source_id, rejected, a.at BETWEEN now() - interval '10s' AND clock_timestamp() AS at,
       latency_ms BETWEEN 0.01 AND 10000 AS latency, a.correlation_id = r.correlation_id AS correlation_id
FROM gc_fdw.audit_log a, (SELECT correlation_id FROM gc_fdw.requests ORDER BY at DESC LIMIT 1) r ORDER BY id DESC LIMIT 1;
SELECT * FROM sim.audits(1);
-- A transaction that has become READ ONLY meanwhile.
BEGIN;
INSERT INTO gc.leads VALUES ('A-2');
SET TRANSACTION READ ONLY;
COMMIT;
SELECT * FROM sim.audits(1);
-- One for each partition that gets rows.
CREATE TABLE gc.parted (crm_id text, note text) PARTITION BY LIST (note);
ALTER TABLE gc.parted ATTACH PARTITION gc.leads FOR VALUES IN ('l');
ALTER TABLE gc.parted ATTACH PARTITION gc.others FOR VALUES IN ('o');
INSERT INTO gc.parted VALUES ('P-1', 'l'), ('P-2', 'o'), ('P-3', 'o');
COPY gc.parted FROM stdin (DELIMITER ',');
P-4,o
\.
SELECT * FROM sim.audits(3);
ALTER TABLE gc.parted DETACH PARTITION gc.leads;
ALTER TABLE gc.parted DETACH PARTITION gc.others;

--
-- Statements that fail
--
-- By the platform: 10 accepted, 10 refused, 5 never sent.
CALL sim.faults('[{"path": "*/contacts", "nth": 2, "status": 403, "body_json": {"code": "x", "message": "no", "status": 403}}]');
CALL sim.try($$INSERT INTO gc.leads SELECT 'F-' || g FROM generate_series(1, 25) g$$);
-- In doubt: no answer.
CALL sim.faults('[{"path": "*/contacts", "drop": "after"}]');
CALL sim.try($$INSERT INTO gc.leads VALUES ('F-1')$$);
CALL sim.faults('[]');
-- By themselves, with 10 on their way.
INSERT INTO gc.leads SELECT CASE WHEN g = 15 THEN 'not good' ELSE 'F-' || g END FROM generate_series(1, 25) g;
CALL sim.try($$INSERT INTO gc.leads SELECT 'F-' || g + 0 / (15 - g) FROM generate_series(1, 25) g$$);
SELECT * FROM sim.audits(4);
-- A cancel is a failure, too.
CALL sim.faults('[{"path": "*/contacts", "delay_ms": 5000}]');
-- (Which of an error and a WARNING comes first is up to psql.)
SET client_min_messages = error;
SET statement_timeout = '200ms';
INSERT INTO gc.leads VALUES ('F-2');
RESET statement_timeout;
RESET client_min_messages;
CALL sim.faults('[]');
SELECT * FROM sim.audits(1);

--
-- Statements that are rolled back
--
BEGIN;
INSERT INTO gc.leads VALUES ('R-1');
INSERT INTO gc.others VALUES ('R-1');
ROLLBACK;
SELECT * FROM sim.audits(2);
-- With a savepoint: written by the COMMIT, all of them.
BEGIN;
INSERT INTO gc.leads VALUES ('R-2');
SAVEPOINT s;
INSERT INTO gc.leads VALUES ('R-3'), ('R-4');
ROLLBACK TO s;
INSERT INTO gc.leads VALUES ('R-5');
SAVEPOINT t;
INSERT INTO gc.leads VALUES ('R-6');
RELEASE t;
COMMIT;
SELECT * FROM sim.audits(4);
-- One that fails behind a savepoint, in a transaction that is rolled back.
BEGIN;
INSERT INTO gc.leads VALUES ('R-7');
SAVEPOINT s;
INSERT INTO gc.leads VALUES ('not good');
ROLLBACK TO s;
ROLLBACK;
SELECT * FROM sim.audits(2);
-- An exception that is caught.
DO $$
BEGIN
  INSERT INTO gc.leads VALUES ('R-8');
  BEGIN
    INSERT INTO gc.leads VALUES ('R-9');
    RAISE 'changed my mind';
  EXCEPTION WHEN raise_exception THEN
    INSERT INTO gc.leads VALUES ('R-10');
  END;
END $$;
SELECT * FROM sim.audits(3);
-- A COMMIT that fails, before or while the audit is written.
CREATE TABLE gc.parent (id int PRIMARY KEY);
CREATE TABLE gc.child (id int REFERENCES gc.parent DEFERRABLE INITIALLY DEFERRED);
SET client_min_messages = error;
BEGIN;
INSERT INTO gc.leads VALUES ('R-11');
INSERT INTO gc.child VALUES (1);
COMMIT;
SELECT * FROM sim.audits(1);
ALTER TABLE gc_fdw.audit_log ADD CONSTRAINT picky CHECK (status <> 'completed') NOT VALID;
\set VERBOSITY terse
INSERT INTO gc.leads VALUES ('R-12');
\set VERBOSITY default
RESET client_min_messages;
SELECT * FROM sim.audits(1);
ALTER TABLE gc_fdw.audit_log DROP CONSTRAINT picky;

--
-- Many statements in one transaction: a thousand rows, then those that are alike are put together
--
ALTER SERVER genesys OPTIONS (SET batch_size '1000');
DO $$ BEGIN FOR i IN 1..1200 LOOP INSERT INTO gc.leads VALUES ('M-' || i); END LOOP; INSERT INTO gc.others VALUES ('M-1'); END $$;
SELECT list, status, sum(total) AS total, sum(accepted) AS accepted, sum(requests) AS requests, statements, count(*)
FROM sim.audits(1002) GROUP BY list, status, statements ORDER BY statements, list;
SET client_min_messages = error;
DO $$ BEGIN
  FOR i IN 1..1200 LOOP
    BEGIN
      INSERT INTO gc.leads VALUES ('M-' || i);
      IF i % 3 = 0 THEN RAISE division_by_zero; END IF;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
  END LOOP;
END $$;
RESET client_min_messages;
SELECT list, status, sum(total) AS total, sum(accepted) AS accepted, sum(requests) AS requests, statements, count(*)
FROM sim.audits(1002) GROUP BY list, status, statements ORDER BY statements, status;
BEGIN;
DO $$ BEGIN FOR i IN 1..1100 LOOP INSERT INTO gc.leads VALUES ('M-' || i); END LOOP; END $$;
ROLLBACK;
SELECT list, status, sum(total) AS total, sum(accepted) AS accepted, sum(requests) AS requests, statements, count(*)
FROM sim.audits(1001) GROUP BY list, status, statements ORDER BY statements;

--
-- Who sees and does what
--
CREATE ROLE gc_audit_etl;
CREATE ROLE gc_audit_lead IN ROLE gc_audit_etl;
CREATE ROLE gc_audit_stats IN ROLE pg_read_all_stats;
CREATE ROLE gc_audit_nobody;
GRANT USAGE ON SCHEMA gc TO PUBLIC;
GRANT INSERT ON gc.leads TO gc_audit_etl;
CREATE USER MAPPING FOR gc_audit_etl SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SET ROLE gc_audit_etl;
INSERT INTO gc.leads VALUES ('W-1');
BEGIN;
INSERT INTO gc.leads VALUES ('W-2');
ROLLBACK;
RESET ROLE;
SELECT * FROM sim.audits(2);
SET ROLE gc_audit_etl;
SELECT by_role, status, count(*) FROM gc_fdw.audit_log GROUP BY 1, 2 ORDER BY 2;
SET ROLE gc_audit_lead;
SELECT by_role, status, count(*) FROM gc_fdw.audit_log GROUP BY 1, 2 ORDER BY 2;
SET ROLE gc_audit_stats;
SELECT by_role, count(*) > 1 AS some FROM gc_fdw.audit_log GROUP BY 1 ORDER BY 1;
SET ROLE gc_audit_nobody;
SELECT count(*) FROM gc_fdw.audit_log;
SELECT count(*) FROM gc_fdw.rejected_rows;
INSERT INTO gc_fdw.audit_log (status) VALUES ('made up');
DELETE FROM gc_fdw.audit_log;
UPDATE gc_fdw.audit_log SET status = 'completed';
TRUNCATE gc_fdw.audit_log;
SELECT gc_fdw.purge('0');
RESET ROLE;
-- A role that is gone: its rows stay, for those who see all.
DROP USER MAPPING FOR gc_audit_etl SERVER genesys;
REVOKE INSERT ON gc.leads FROM gc_audit_etl;
DROP ROLE gc_audit_etl;
SET ROLE gc_audit_lead;
SELECT count(*) FROM gc_fdw.audit_log;
SET ROLE gc_audit_stats;
SELECT by_role, count(*) > 1 AS some FROM gc_fdw.audit_log GROUP BY 1 ORDER BY 1;
RESET ROLE;

--
-- purge, for whoever it is granted to
--
GRANT EXECUTE ON FUNCTION gc_fdw.purge TO gc_audit_nobody;
SET ROLE gc_audit_nobody;
SELECT * FROM gc_fdw.purge('1 hour');
-- What is meant for old rows takes no new ones.
SELECT * FROM gc_fdw.purge('-1 day');
\echo :SQLSTATE
SELECT * FROM gc_fdw.purge(NULL);
\echo :SQLSTATE
SELECT relation, rows > 3000 AS rows FROM gc_fdw.purge('0');
RESET ROLE;
SELECT count(*) FROM gc_fdw.audit_log;
DROP OWNED BY gc_audit_nobody;
DROP ROLE gc_audit_lead, gc_audit_stats, gc_audit_nobody;

--
-- A table that others have changed
--
ALTER TABLE gc_fdw.audit_log ADD COLUMN ticket text;
INSERT INTO gc.leads VALUES ('T-1');
SELECT status, ticket FROM gc_fdw.audit_log;
-- Triggers and references of theirs are heeded.
CREATE TABLE sim.statuses (name text PRIMARY KEY);
INSERT INTO sim.statuses VALUES ('completed');
CREATE FUNCTION sim.told() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE '% %', new.status, new.list_id; RETURN new; END $$;
CREATE TRIGGER told AFTER INSERT ON gc_fdw.audit_log FOR EACH ROW EXECUTE FUNCTION sim.told();
ALTER TABLE gc_fdw.audit_log ADD CONSTRAINT known FOREIGN KEY (status) REFERENCES sim.statuses;
INSERT INTO gc.leads VALUES ('T-1');
ALTER TABLE gc_fdw.audit_log DROP CONSTRAINT known;
DROP TRIGGER told ON gc_fdw.audit_log;
-- No row is sent when none could be written.
ALTER TABLE gc_fdw.audit_log ALTER application_name TYPE varchar(100);
CALL sim.forget();
INSERT INTO gc.leads VALUES ('T-2');
\echo :SQLSTATE
SELECT count(*) FROM sim.requests() WHERE method = 'POST';
ALTER TABLE gc_fdw.audit_log ALTER application_name TYPE text;
-- The extension goes in the same transaction as its rows: there is nowhere to write to.
BEGIN;
INSERT INTO gc.leads VALUES ('T-3');
SET LOCAL client_min_messages = warning;
DROP EXTENSION gc_fdw CASCADE;
COMMIT;

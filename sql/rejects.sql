\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- on_error 'reject': rows that our own checks refuse go to gc_fdw.rejected_rows, the others go on (DESIGN 3, F3, J5)
--
CALL sim.list('leads', '{crm_id,note,score,phone}');
CALL sim.list('others', '{crm_id,note,score,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text NOT NULL, score numeric, callable boolean OPTIONS (attribute 'callable'),
                               phones jsonb OPTIONS (attribute 'phone_number_status'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', on_error 'reject');
CREATE FOREIGN TABLE gc.others (crm_id text, note text NOT NULL, score numeric)
  SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'crm_id', on_error 'reject');
CREATE VIEW sim.rejects AS
  SELECT list_id, source, key, left(row_data::text, 100) AS row_data, code, reason, field FROM gc_fdw.rejected_rows ORDER BY id;

-- Each kind of row; the count is of the others.
INSERT INTO gc.leads VALUES
  ('R-1', 'good', 1, NULL, NULL),
  ('R-2', repeat('x', 513), 2, NULL, NULL),
  (NULL, 'no key', 3, NULL, NULL),
  ('', 'an empty one', 4, NULL, NULL),
  ('not good', 'no id like this', 5, NULL, NULL),
  ('R-3', NULL, 6, NULL, NULL),
  ('R-4', 'good', 7, false, NULL),
  ('R-5', 'a phone that is none', 8, NULL, '{"note": {"callable": false}}');
SELECT * FROM sim.rejects \gx
SELECT id, data FROM sim.contacts('leads');
-- They are those of the statement's row in the audit.
SELECT a.operation, a.status, a.total, a.accepted, a.in_doubt, a.rejected, a.success_rate, count(*)
FROM gc_fdw.rejected_rows r JOIN gc_fdw.audit_log a ON a.id = r.source_id
WHERE r.by_role = current_user AND r.at BETWEEN a.at - interval '1min' AND a.at GROUP BY a.id;
-- What was wrong is put right, and the rows go in again.
INSERT INTO gc.leads (crm_id, note, score)
SELECT r.crm_id, left(r.note, 512), r.score
FROM gc_fdw.rejected_rows j, jsonb_populate_record(NULL::gc.leads, row_data) r WHERE j.key = 'R-2';
SELECT id, length(data->>'note') AS note, data->>'score' AS score FROM sim.contacts('leads') WHERE id = 'R-2';
SELECT relation, rows FROM gc_fdw.purge('0') WHERE relation = 'gc_fdw.rejected_rows'::regclass;

-- A row too large for a request; rows of a query that has columns of its own.
CREATE FOREIGN TABLE gc.wide (crm_id text, statuses jsonb OPTIONS (attribute 'contactable_status'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', on_error 'reject');
INSERT INTO gc.wide SELECT 'L-' || g, jsonb_object_agg(format('%s-%s', repeat('medium', 20), i), '{"contactable": false}'::jsonb)
FROM generate_series(1, 2) g, generate_series(1, 2000 * g) i GROUP BY g ORDER BY g;
SELECT key, code, reason, field, octet_length(row_data::text) > 600000 AS whole FROM gc_fdw.rejected_rows;
DELETE FROM gc_fdw.rejected_rows;

--
-- They survive what becomes of the statement
--
-- (Who aborts takes ids when he comes to it: hints differ from here on.)
\set VERBOSITY terse
SET client_min_messages = error;
BEGIN;
INSERT INTO gc.leads VALUES ('S-1', 'good'), ('S-2', NULL);
SAVEPOINT s;
INSERT INTO gc.leads VALUES ('S-3', NULL);
ROLLBACK TO s;
INSERT INTO gc.others VALUES ('S-4', NULL), ('S-5', 'good');
SELECT key FROM sim.rejects;
ROLLBACK;
-- It fails behind them.
CREATE FUNCTION sim.await_rejects(expected bigint) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  until timestamptz := clock_timestamp() + '20s';
BEGIN
  LOOP
    EXIT WHEN (SELECT count(*) FROM gc_fdw.rejected_rows) >= expected OR clock_timestamp() > until;
    PERFORM pg_sleep(0.01);
  END LOOP;
  RETURN QUERY SELECT key FROM gc_fdw.rejected_rows ORDER BY id;
END $$;
INSERT INTO gc.leads SELECT 'S-' || g, nullif(repeat('x', g), 'xxxxxxxx'), 1 / (10 - g) FROM generate_series(7, 12) g;
SELECT * FROM sim.await_rejects(4);
RESET client_min_messages;
DELETE FROM gc_fdw.rejected_rows;

--
-- COPY, partitions, triggers, RETURNING, CTEs
--
COPY gc.leads (crm_id, note, score) FROM stdin;
C-1	good	1
C-2	\N	2
C-3	good	3
\.
CREATE TABLE gc.parted (crm_id text, note text, score numeric) PARTITION BY LIST (score);
CREATE FOREIGN TABLE gc.one PARTITION OF gc.parted FOR VALUES IN (1) SERVER genesys
  OPTIONS (object 'contacts', list_id 'leads', key 'crm_id', on_error 'reject');
CREATE FOREIGN TABLE gc.two PARTITION OF gc.parted FOR VALUES IN (2) SERVER genesys
  OPTIONS (object 'contacts', list_id 'others', key 'crm_id', on_error 'reject');
INSERT INTO gc.parted VALUES ('P-1', 'good', 1), ('P 2', 'bad', 2), ('P-3', 'good', 2), ('P 4', 'bad', 1), ('P 5', 'bad', 2);
SELECT list_id, key, row_data, reason FROM sim.rejects;
SELECT list_id, total, accepted, rejected, success_rate FROM gc_fdw.audit_log WHERE total BETWEEN 2 AND 3 AND rejected > 0 ORDER BY id DESC LIMIT 3;
CREATE FUNCTION sim.notice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE INFO '% %', tg_when, new.crm_id; RETURN new; END $$;
CREATE TRIGGER t AFTER INSERT ON gc.others FOR EACH ROW EXECUTE FUNCTION sim.notice();
INSERT INTO gc.others VALUES ('T-1', 'good'), ('T 2', 'bad') RETURNING crm_id;
WITH i AS (INSERT INTO gc.leads VALUES ('T 3', 'bad'), ('T-4', 'good') RETURNING crm_id) SELECT count(*) FROM i;
PREPARE p AS INSERT INTO gc.leads VALUES ($1, $2);
EXECUTE p ('T-5', 'good');
EXECUTE p ('T-6', NULL);
DO $$ DECLARE n bigint; BEGIN INSERT INTO gc.leads VALUES ('T-7', NULL), ('T-8', 'good'), ('T-9', NULL); GET DIAGNOSTICS n = ROW_COUNT; RAISE INFO '% row', n; END $$;

--
-- max_rejects, for each list; on_error 'stop'
--
DELETE FROM gc_fdw.rejected_rows;
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD max_rejects '2');
INSERT INTO gc.leads VALUES ('X-1', NULL), ('X-2', 'good'), ('X-3', NULL);
SET client_min_messages = error;
\set VERBOSITY default
CALL sim.try($$INSERT INTO gc.leads VALUES ('X-4', NULL), ('X-5', 'good'), ('X-6', NULL), ('X-7', NULL), ('X-8', 'good')$$);
\set VERBOSITY terse
RESET client_min_messages;
SELECT key FROM sim.rejects;
SELECT id, data FROM sim.contacts('leads') WHERE id ~ '^X';
ALTER FOREIGN TABLE gc.leads OPTIONS (SET max_rejects '0');
\set VERBOSITY default
CALL sim.try($$INSERT INTO gc.leads VALUES ('X-9', NULL)$$);
\set VERBOSITY terse
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_error 'stop', DROP max_rejects);
INSERT INTO gc.leads VALUES ('X-10', NULL);
SELECT count(*) FROM sim.rejects;
-- A thousand by default, faster than they are written.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_error 'reject');
INSERT INTO gc.leads SELECT CASE WHEN g % 2 = 0 THEN 'no ' ELSE 'N-' END || g, repeat('n', 400) FROM generate_series(1, 2000) g;
SELECT count(*), count(DISTINCT row_data) FROM gc_fdw.rejected_rows WHERE field = 'crm_id';
\set VERBOSITY default
CALL sim.try($$INSERT INTO gc.leads SELECT 'no ' || g, 'x' FROM generate_series(1, 1001) g$$);
\set VERBOSITY terse

--
-- Who sees them: cells are no statistics
--
CREATE ROLE gc_rejects_etl;
CREATE ROLE gc_rejects_stats IN ROLE pg_read_all_stats;
GRANT USAGE ON SCHEMA gc TO PUBLIC;
GRANT INSERT ON gc.leads TO gc_rejects_etl;
CREATE USER MAPPING FOR gc_rejects_etl SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SET ROLE gc_rejects_etl;
INSERT INTO gc.leads VALUES ('W-1', NULL);
SELECT key, by_role FROM gc_fdw.rejected_rows;
DELETE FROM gc_fdw.rejected_rows;
SET ROLE gc_rejects_stats;
SELECT count(*) FROM gc_fdw.rejected_rows;
RESET ROLE;
DROP USER MAPPING FOR gc_rejects_etl SERVER genesys;
REVOKE INSERT ON gc.leads FROM gc_rejects_etl;
DROP ROLE gc_rejects_etl, gc_rejects_stats;

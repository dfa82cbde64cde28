\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Imports: submitting them (DESIGN 4.6, NAMES functions; K8, J1, J5)
--
CALL sim.list('leads', '{crm_id,note,score,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text NOT NULL, score int, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE TABLE gc.source AS SELECT 'S-' || g AS crm_id, 'note ' || g AS note, g AS score FROM generate_series(1, 2500) g;
-- What there is of imports: what became of them, and what is still kept of their rows.
CREATE VIEW sim.imports AS
  SELECT id, list_id, state, method, on_duplicate, verification, import_key, rows_total, rows_accepted, rows_rejected, rows_skipped, percent,
         (SELECT count(*) FROM gc_fdw.import_parts p WHERE p.import_id = i.id) AS parts,
         (SELECT count(*) FROM gc_fdw.import_chunks c WHERE c.import_id = i.id) AS chunks
  FROM gc_fdw.imports i;
-- Waits for the last import.
CREATE FUNCTION sim.await(OUT state text, OUT total bigint, OUT accepted bigint, OUT rejected bigint, OUT skipped bigint, OUT reason text)
LANGUAGE sql AS $$
  SELECT i.state, i.rows_total, i.rows_accepted, i.rows_rejected, i.rows_skipped, i.failure_reason
  FROM gc_fdw.await_import((SELECT max(id) FROM gc_fdw.imports), '1min') i
$$;

-- Waits until an import is paused: await_import would wait for its end.
CREATE PROCEDURE sim.paused(import bigint) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1 .. 3000 LOOP
    EXIT WHEN (SELECT state FROM gc_fdw.imports WHERE id = import) = 'paused';
    COMMIT;
    PERFORM pg_sleep(0.01);
  END LOOP;
END $$;

--
-- Submit, await
--
CALL sim.forget();
SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source;');
SELECT * FROM sim.await();
SELECT * FROM sim.imports \gx
SELECT request, rows, status FROM sim.traffic() WHERE request LIKE '%/contacts' ORDER BY rows;
SELECT count(*), min(data->>'note'), max((data->>'score')::int) FROM sim.contacts('leads');
SELECT part, state, method, rows, bytes > 100000 AS has_bytes, length(sha256), attempts, rows_accepted, rows_rejected FROM gc_fdw.import_parts;
-- Part by part; a row without cells, opt-outs, text that has to be escaped.
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'P-' || g AS crm_id, E'a\tb\n"c"\\ ü' AS note, NULL::int AS score, g > 1 AS callable
  FROM generate_series(1, 2100) g $$, options => '{"part_rows": 1000}');
SELECT * FROM sim.await();
SELECT part, rows, state FROM gc_fdw.import_parts WHERE import_id = 2 ORDER BY part;
SELECT id, data, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id IN ('P-1', 'P-2');
-- No rows: an import that is done.
SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source WHERE false');
SELECT * FROM sim.await();
-- What it was submitted with.
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'A-1' AS crm_id, 'x' AS note $$, 'update', 'relaxed', 'contacts', 'night 1',
  options => '{"stall_timeout": "10min", "part_rows": 5000, "webhook_headers": {"X-Team": "outbound"}}');
SELECT * FROM sim.await();
SELECT q.server, q.relation, q.submitted_by = current_user AS mine, q.method, q.import_key, q.options
FROM gc_fdw.import_queue q WHERE import_key = 'night 1';

--
-- Arguments
--
CALL sim.try($$ SELECT gc_fdw.submit_import(NULL, 'SELECT 1') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', NULL) $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.source', 'SELECT * FROM gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', on_duplicate => 'skip') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', verification => 'none') $$);
\if :jobs
\else
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', method => 'bulk') $$);
\endif
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', import_key => '') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', import_key => repeat('k', 1001)) $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', campaign_id => '') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '[]') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"part_row": 1}') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"speed": 1}') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"part_rows": 5}') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"stall_timeout": "soon"}') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"webhook_headers": {"X-Team": "a\r\nb: c"}}') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source', options => '{"webhook_headers": {"X Team": "a"}}') $$);
CREATE FOREIGN TABLE gc.lists (id text, name text) SERVER genesys OPTIONS (object 'contact_lists');
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.lists', 'SELECT 1 AS id') $$);

--
-- Queries: each of these leaves no import
--
SELECT count(*) AS imports FROM gc_fdw.imports \gset
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'DELETE FROM gc.source RETURNING crm_id, note') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source; DROP TABLE gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source) AS q; DROP TABLE gc.source; --') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.nothing') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT crm_id, note, 1 / (score - 7) AS score FROM gc.source') $$);
-- Columns that do not fit are told all at once.
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT note AS remark, note AS note, note AS score, score AS note, 1 FROM gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT crm_id, note AS notes FROM gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT') $$);
-- Rows without a key, and what strict verification refuses.
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT NULL AS crm_id, ''x'' AS note') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''V-1'' AS crm_id, NULL AS note') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''V-1'' AS crm_id, repeat(''x'', 600) AS note') $$);
SELECT count(*) = :imports AS none, (SELECT count(*) FROM gc_fdw.import_chunks) AS chunks FROM gc_fdw.imports;
-- Relaxed: the NULL goes as an empty cell.
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''V-1'' AS crm_id, NULL AS note, 5 AS score', verification => 'relaxed');
SELECT * FROM sim.await();
SELECT id, data FROM sim.contacts('leads') WHERE id = 'V-1';
-- A query that locks its rows, comments at its end.
SELECT gc_fdw.submit_import('gc.leads', 'SELECT * FROM gc.source WHERE score < 3 FOR UPDATE SKIP LOCKED -- those');
SELECT * FROM sim.await();
-- Rows that give no id, of a table without a key: they would be there twice after a crash.
CREATE FOREIGN TABLE gc.keyless (note text, score int) SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
CREATE FOREIGN TABLE gc.with_id (id text OPTIONS (attribute 'id'), note text) SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.keyless', 'SELECT note FROM gc.source') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.with_id', 'SELECT note FROM gc.source') $$);
SELECT gc_fdw.submit_import('gc.with_id', 'SELECT ''I-1'' AS id, ''by id'' AS note');
SELECT * FROM sim.await();

--
-- The same key again (NAMES): the first import's id, and nothing is staged or run
--
SELECT max(id) AS last FROM gc_fdw.imports \gset
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''A-2'' AS crm_id, ''x'' AS note, 1 / 0 AS score', import_key => 'night 1') < :last AS the_first;
BEGIN;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''A-3'' AS crm_id, ''x'' AS note', import_key => 'night 2') AS id \gset
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''A-3'' AS crm_id, ''x'' AS note', import_key => 'night 2') = :id AS the_first;
COMMIT;
SELECT * FROM sim.await();
-- Another list has keys of its own.
CALL sim.list('others', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.others (crm_id text, note text) SERVER genesys OPTIONS (object 'contacts', list_name 'others', key 'crm_id');
SELECT gc_fdw.submit_import('gc.others', 'SELECT ''A-3'' AS crm_id, ''x'' AS note', import_key => 'night 2') > :id AS another;
SELECT * FROM sim.await();

--
-- ROLLBACK, savepoints, PREPARE TRANSACTION
--
CALL sim.forget();
SELECT count(*) AS imports FROM gc_fdw.imports \gset
BEGIN;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''R-1'' AS crm_id, ''x'' AS note', import_key => 'rolled back') > 0 AS submitted;
-- It would be waited for in vain.
SAVEPOINT s;
SELECT gc_fdw.await_import(currval('gc_fdw.import_queue_id_seq'));
ROLLBACK TO s;
ROLLBACK;
SELECT count(*) - :imports AS imports, (SELECT count(*) FROM gc_fdw.import_chunks) AS chunks FROM gc_fdw.imports;
BEGIN;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''R-2'' AS crm_id, ''kept'' AS note', import_key => 'rolled back') > 0 AS submitted;
SAVEPOINT s;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''R-3'' AS crm_id, ''x'' AS note') > 0 AS submitted;
ROLLBACK TO s;
RELEASE s;
COMMIT;
SELECT * FROM sim.await();
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'R-%';
SELECT count(*) - :imports AS imports FROM gc_fdw.imports;
BEGIN;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''R-4'' AS crm_id, ''x'' AS note') > 0 AS submitted;
PREPARE TRANSACTION 'import';
BEGIN READ ONLY;
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''R-4'' AS crm_id, ''x'' AS note');
ROLLBACK;
SELECT count(*) - :imports AS imports FROM gc_fdw.imports;

--
-- on_duplicate (J1): repeated keys (K8), and contacts that are there already
--
SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''K-1'' AS crm_id, ''n'' || g AS note FROM generate_series(1, 3) g') > 0 AS submitted;
SELECT * FROM sim.await();
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id = 'K-1';
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''K-'' || g % 7 AS crm_id, ''x'' AS note FROM generate_series(1, 14) g', 'ignore') $$);
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''K-2'' AS crm_id, ''x'' AS note FROM generate_series(1, 2) g', 'error') $$);
-- ignore: those are skipped, wherever their part is; the others go.
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'D-' || g AS crm_id, 'old' AS note FROM generate_series(1, 2000, 400) g $$) > 0 AS submitted;
SELECT * FROM sim.await();
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'D-' || g AS crm_id, 'new' AS note FROM generate_series(1, 2000) g $$, 'ignore', options => '{"part_rows": 1000}') > 0 AS submitted;
SELECT * FROM sim.await();
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'D-%' GROUP BY 1 ORDER BY 1;
-- error: nothing goes; the failure names five.
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'D-' || g AS crm_id, 'newer' AS note FROM generate_series(1995, 2010) g $$, 'error') > 0 AS submitted;
SELECT * FROM sim.await();
SELECT count(*) FROM sim.contacts('leads') WHERE data->>'note' = 'newer';
SELECT p.state, p.failure_code, p.failure_reason = q.failure_reason AS same FROM gc_fdw.import_parts p JOIN gc_fdw.import_queue q ON q.id = p.import_id
WHERE q.id = (SELECT max(id) FROM gc_fdw.imports);
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'D-' || g AS crm_id, 'newer' AS note FROM generate_series(2001, 2010) g $$, 'error') > 0 AS submitted;
SELECT * FROM sim.await();

-- Many of them are looked for by one export.
CALL sim.forget();
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'X-' || g AS crm_id, 'new' AS note FROM generate_series(1, 15000) g UNION ALL SELECT 'D-7', 'newest' $$, 'ignore') > 0 AS submitted;
SELECT * FROM sim.await();
SELECT bool_or(request LIKE '%/export') AS export, bool_or(request LIKE '%/bulk') AS look_ups FROM sim.traffic();
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'X-%' OR id = 'D-7' GROUP BY 1 ORDER BY 1;
-- Cut off between two requests of a part, and sent again: what is there by then is its own, and is not skipped or complained of.
-- (The platform is not well for longer than is waited for; the import is tried again later, or at once, if it is named.)
\if :jobs
\set part '"path": "*/contacts/import"'
\set later '"path": "*/outbound/lists/*/contacts/bulk", "nth": 2'
\else
\set part '"path": "*/contacts", "nth": 3'
\set later '"path": "*/contacts", "nth": 3'
\endif
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1', SET max_retries '0');
CALL sim.faults(format('[{%s, "method": "POST", "times": 100, "status": 503}]', :'part')::jsonb);
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'C-' || g AS crm_id, 'error' AS note FROM generate_series(1, 3000) g $$, 'error') AS id \gset
CALL sim.paused(:id);
SELECT state, rows_accepted, rows_in_doubt, failure_code FROM gc_fdw.imports WHERE id = :id;
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'C-%';
CALL sim.faults('[]');
SELECT gc_fdw.resume_imports(:id);
SELECT i.state, i.rows_total, i.rows_accepted, i.rows_skipped, i.failure_code FROM gc_fdw.await_import(:id) i;
CALL sim.faults(format('[{%s, "method": "POST", "times": 100, "status": 503}]', :'part')::jsonb);
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'C-' || g AS crm_id, 'ignore' AS note FROM generate_series(2501, 6000) g $$, 'ignore') AS id \gset
CALL sim.paused(:id);
SELECT state, rows_accepted, failure_code FROM gc_fdw.imports WHERE id = :id;
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'C-%' GROUP BY 1 ORDER BY 1;
CALL sim.faults('[]');
SELECT gc_fdw.resume_imports(:id);
SELECT i.state, i.rows_total, i.rows_accepted, i.rows_skipped, i.failure_code FROM gc_fdw.await_import(:id) i;
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'C-%' GROUP BY 1 ORDER BY 1;
-- What would be refused again is not: the import fails, and what was accepted of it is counted (F2).  Its key is free.
CALL sim.faults(format('[{%s, "method": "POST", "times": 100, "status": 400, "body_json": {"status": 400, "code": "bad.request", "message": "no"}}]', :'later')::jsonb);
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-' || g AS crm_id, 'failed' AS note FROM generate_series(1, 5000) g $$, import_key => 'fails',
  options => '{"part_rows": 3000}') AS id \gset
SELECT i.state, i.rows_total, i.rows_accepted, i.rows_in_doubt, i.failure_code FROM gc_fdw.await_import(:id) i;
SELECT part, state, rows, rows_accepted, failure_code FROM gc_fdw.import_parts WHERE import_id = :id ORDER BY part;
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'F-%';
SELECT gc_fdw.resume_imports(:id);
SELECT gc_fdw.retry_import(:id, 'SELECT 1 AS crm_id');
CALL sim.faults('[]');
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT 'F-' || g AS crm_id, 'sent' AS note FROM generate_series(1, 5000) g $$, import_key => 'fails') > :id AS another;
SELECT * FROM sim.await();
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'F-%' GROUP BY 1 ORDER BY 1;
ALTER SERVER genesys OPTIONS (DROP max_in_flight, SET max_retries '2');

--
-- on_error 'reject' (J5, F3): refused rows are in rejected_rows, with the import
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD on_error 'reject', ADD max_rejects '3');
SELECT gc_fdw.submit_import('gc.leads', $$ SELECT * FROM (VALUES ('E-1', 'good'), ('E-2', NULL), (NULL, 'no key'), ('E-3', 'good')) v (crm_id, note) $$) AS id \gset
SELECT * FROM sim.await();
SELECT source, source_id = :id AS mine, by_role = current_user AS by_me, list_id, key, row_data, code, reason, field FROM gc_fdw.rejected_rows ORDER BY id;
SELECT count(*) AS rejected FROM gc_fdw.rejected_rows \gset
-- One too many, and a ROLLBACK: neither leaves anything.
CALL sim.try($$ SELECT gc_fdw.submit_import('gc.leads', 'SELECT ''E-'' || g AS crm_id, NULL AS note FROM generate_series(1, 4) g') $$);
SELECT count(*) - :rejected AS more FROM gc_fdw.rejected_rows;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP on_error, DROP max_rejects);

--
-- deliver 'import': INSERT and COPY submit
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD deliver 'import');
SELECT max(id) AS last FROM gc_fdw.imports \gset
\pset tuples_only on
\set VERBOSITY terse
CREATE PROCEDURE gc.run(statement text) LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
SET client_min_messages = warning;
CALL gc.run($$ INSERT INTO gc.leads SELECT 'T-' || g, 'staged', g FROM generate_series(1, 5) g $$);
SELECT * FROM sim.await();
COPY gc.leads (crm_id, note) FROM stdin;
T-6	copied
T-7	copied
\.
SELECT * FROM sim.await();
INSERT INTO gc.leads VALUES ('T-8', 'returned', 8) RETURNING crm_id, note, score;
SELECT * FROM sim.await();
WITH new AS (INSERT INTO gc.leads VALUES ('T-9', 'by a CTE') RETURNING crm_id) SELECT * FROM new;
SELECT * FROM sim.await();
-- Without rows there is no import.
INSERT INTO gc.leads SELECT 'T-0', 'none' WHERE false;
SELECT max(id) FROM gc_fdw.imports WHERE id > :last;
RESET client_min_messages;
\set VERBOSITY default
\pset tuples_only off
-- The NOTICE has the import's id.
INSERT INTO gc.leads VALUES ('T-10', 'noticed');
SELECT max(id) FROM gc_fdw.imports;
SELECT * FROM sim.await();
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id LIKE 'T-%' ORDER BY length(id), id;
-- ON CONFLICT DO NOTHING is on_duplicate 'ignore'.
INSERT INTO gc.leads VALUES ('T-1', 'again'), ('T-11', 'again') ON CONFLICT DO NOTHING;
SELECT * FROM sim.await();
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id IN ('T-1', 'T-11');
-- UPDATE and DELETE go at once.
CALL sim.forget();
UPDATE gc.leads SET note = 'updated' WHERE crm_id = 'T-2';
DELETE FROM gc.leads WHERE crm_id = 'T-3';
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id IN ('T-2', 'T-3');
UPDATE gc.leads SET note = 'asked' WHERE crm_id = 'T-2' RETURNING crm_id, callable;
-- What asks the platform while the statement runs is refused.
CALL sim.try($$ INSERT INTO gc.leads (crm_id, note) VALUES ('T-20', 'x') RETURNING callable $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD partial_rows 'merge');
CALL sim.try($$ INSERT INTO gc.leads (crm_id, note) VALUES ('T-20', 'x') $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (SET partial_rows 'refuse');
CALL sim.try($$ INSERT INTO gc.leads (crm_id, note) VALUES ('T-20', 'x') $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP partial_rows);
EXPLAIN (COSTS OFF) INSERT INTO gc.leads VALUES ('T-20', 'x');
-- Triggers: before, and after each row.
CREATE FUNCTION gc.trace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE NOTICE '% % %', TG_WHEN, TG_LEVEL, NEW;
  IF TG_WHEN = 'BEFORE' THEN
    NEW.note := NEW.note || ', by a trigger';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER a BEFORE INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.trace();
CREATE TRIGGER b AFTER INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.trace();
INSERT INTO gc.leads VALUES ('T-21', 'x', 21);
SELECT * FROM sim.await();
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id = 'T-21';
DROP TRIGGER a ON gc.leads;
DROP TRIGGER b ON gc.leads;
-- Partitions: an import for each that has rows.
ALTER FOREIGN TABLE gc.others OPTIONS (ADD deliver 'import');
CREATE TABLE gc.parts (crm_id text, note text) PARTITION BY LIST (note);
CREATE TABLE gc.parts_local PARTITION OF gc.parts FOR VALUES IN ('local');
ALTER TABLE gc.parts ATTACH PARTITION gc.others FOR VALUES IN ('remote');
INSERT INTO gc.parts VALUES ('Q-1', 'local');
INSERT INTO gc.parts VALUES ('Q-2', 'remote'), ('Q-3', 'local'), ('Q-4', 'remote');
SELECT * FROM sim.await();
-- A row that an UPDATE moves there is new: else it would be lost.
UPDATE gc.parts SET note = 'remote' WHERE crm_id = 'Q-1' AND note = 'local';
SELECT * FROM sim.await();
SELECT id FROM sim.contacts('others') WHERE id LIKE 'Q-%';
SELECT * FROM gc.parts_local;
ALTER TABLE gc.parts DETACH PARTITION gc.others;
-- A submission whose query submits, and writes to a table like that: imports of their own.
CREATE FUNCTION gc.nested() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gc.others VALUES ('N-2', 'inserted');
  PERFORM gc_fdw.submit_import('gc.others', 'SELECT ''N-3'' AS crm_id, ''submitted'' AS note');
  INSERT INTO gc.leads VALUES ('N-4', 'the same table');
  RETURN 'N-1';
END $$;
SELECT count(*) AS imports FROM gc_fdw.imports \gset
SELECT gc_fdw.submit_import('gc.leads', 'SELECT gc.nested() AS crm_id, ''outer'' AS note') > 0 AS submitted;
SELECT count(gc_fdw.await_import(id)) - :imports AS imports FROM gc_fdw.imports;
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id LIKE 'N-%' UNION ALL
SELECT id, data->>'note' FROM sim.contacts('others') WHERE id LIKE 'N-%' ORDER BY 1;

--
-- Privileges
--
CREATE ROLE regress_submitter;
CREATE ROLE regress_other;
GRANT USAGE ON SCHEMA gc, gc_fdw, sim TO regress_submitter, regress_other;
GRANT SELECT ON gc.source TO regress_submitter;
CREATE USER MAPPING FOR regress_submitter SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SET ROLE regress_submitter;
SELECT gc_fdw.submit_import('gc.others', 'SELECT crm_id, note FROM gc.source');
RESET ROLE;
GRANT EXECUTE ON FUNCTION gc_fdw.submit_import TO regress_submitter, regress_other;
SET ROLE regress_submitter;
SELECT gc_fdw.submit_import('gc.others', 'SELECT crm_id, note FROM gc.source');
-- Not even the id of one with that key.
SELECT gc_fdw.submit_import('gc.others', 'SELECT crm_id, note FROM gc.source', import_key => 'night 2');
RESET ROLE;
GRANT INSERT (crm_id) ON gc.others TO regress_submitter;
SET ROLE regress_submitter;
SELECT gc_fdw.submit_import('gc.others', 'SELECT crm_id, note FROM gc.source');
SELECT gc_fdw.submit_import('gc.others', 'SELECT passwd AS crm_id FROM pg_catalog.pg_shadow');
SELECT gc_fdw.submit_import('gc.others', 'SELECT crm_id FROM gc.source LIMIT 3') AS id \gset
SELECT state, rows_accepted FROM gc_fdw.await_import(:id);
-- Rows of his own, and nobody writes them but by the functions.
SELECT count(*), bool_and(submitted_by = current_user) AS mine FROM gc_fdw.imports;
SELECT count(*) FROM gc_fdw.import_parts;
SELECT count(*) FROM gc_fdw.import_chunks;
UPDATE gc_fdw.import_queue SET state = 'staged';
SET ROLE regress_other;
SELECT count(*) AS imports, (SELECT count(*) FROM gc_fdw.import_parts) AS parts FROM gc_fdw.imports;
SELECT gc_fdw.await_import(:id);
SELECT gc_fdw.cancel_import(:id);
RESET ROLE;
-- Through a view: its owner's user mapping sends it.
CREATE VIEW gc.through AS SELECT * FROM gc.others;
GRANT INSERT ON gc.through TO regress_other;
SET ROLE regress_other;
SET client_min_messages = warning;
INSERT INTO gc.through VALUES ('W-1', 'through a view');
SELECT i.state, i.rows_accepted, i.submitted_by FROM gc_fdw.imports o, gc_fdw.await_import(o.id) i;
RESET ROLE;
RESET client_min_messages;
SELECT id FROM sim.contacts('others') WHERE id = 'W-1';

DROP SERVER genesys CASCADE;
DROP OWNED BY regress_submitter, regress_other;
DROP ROLE regress_submitter, regress_other;

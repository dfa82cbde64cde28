\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- direct_modify: UPDATE and DELETE as bulk jobs, what they ask, and when they go row by
-- row all the same (DESIGN 3; GENESYS_API 4, 9b)
--
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'),
  crm_id text NOT NULL,
  first_name text,
  state text,
  score numeric,
  seen timestamptz,
  phone text,
  callable boolean OPTIONS (attribute 'callable')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id', direct_modify 'true', exact_filters 'true');
-- The list as it is at the beginning of a case; every fifth contact is in NY.
CREATE PROCEDURE gc.seed(n int DEFAULT 20)
LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
  TRUNCATE gc.leads;
  INSERT INTO gc.leads (crm_id, first_name, state, score, phone)
    SELECT 'L-' || g, 'name ' || g, CASE WHEN g % 5 = 0 THEN 'NY' ELSE 'CA' END, g, '+1415555' || g
    FROM generate_series(1, n) g;
  CALL sim.forget();
END $$;
-- What was sent: what was to be written, and how often all else was asked.
CREATE VIEW gc.asked AS
  SELECT request, body, status, count(*)
  FROM (SELECT seq, method || ' ' || regexp_replace(path, '^.*/contactlists/|(?<=jobs/).*', '', 'g') AS request, status,
               CASE WHEN method <> 'GET' AND path !~ '/(search|bulk)$' THEN left(body, 400) END AS body
        FROM sim.requests()) r
  GROUP BY request, body, status
  ORDER BY min(seq);
-- Does a statement become a job, as the plan goes?
CREATE FUNCTION gc.is_direct(statement text) RETURNS bool
LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || statement LOOP
    IF line LIKE '%Remote Job:%' THEN RETURN true; END IF;
  END LOOP;
  RETURN false;
END $$;
-- A platform without jobs.  One of them goes on with each look at it, half of its contacts a time.
CREATE PROCEDURE gc.afresh(polls int DEFAULT 2)
LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
  CALL sim.reset();
  CALL sim.set(jsonb_build_object('record_bodies', 'on', 'bulk_job_polls', polls));
  CALL sim.list('leads', '{crm_id,first_name,state,score,seen,phone}', NULL,
                '{"columnDataTypeSpecifications": [{"columnName": "score", "columnDataType": "NUMERIC"},
                                                   {"columnName": "seen", "columnDataType": "TIMESTAMP"}]}');
  CALL gc.seed();
END $$;
CALL gc.afresh();

--
-- By criteria
--
-- One job edits them.  What an edit does is tried with one of them, which it leaves as it
-- was; that and the first contacts are read back, and a search finds none that is left.
DO $$
DECLARE n bigint;
BEGIN
  UPDATE gc.leads SET first_name = 'X', score = 7 WHERE state = 'NY';
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
SELECT * FROM gc.asked;
SELECT body::jsonb->'criteria' AS searched FROM sim.requests() WHERE path LIKE '%/search';
SELECT id, data FROM sim.contacts('leads') WHERE data->>'state' = 'NY' OR data->>'first_name' = 'X';
-- EXPLAIN asks nobody, and shows the job.  Below it is the way row by row.
CALL sim.forget();
EXPLAIN (COSTS OFF) UPDATE gc.leads SET first_name = 'X', score = 7, phone = NULL WHERE state = 'NY';
EXPLAIN (COSTS OFF) DELETE FROM gc.leads WHERE state = 'NY' AND score < 100;
EXPLAIN (COSTS OFF) UPDATE gc.leads SET callable = false WHERE contact_id IN ('L-1', 'L-2');
SELECT * FROM gc.asked;
-- A column of the WHERE may be among those that change.
CALL sim.try($$UPDATE gc.leads SET state = 'TX' WHERE state = 'NY' AND first_name LIKE 'X'$$);
SELECT data->>'state' AS state, count(*) FROM sim.contacts('leads') GROUP BY 1 ORDER BY 1;
-- NULL empties a cell.
CALL sim.try($$UPDATE gc.leads SET first_name = NULL WHERE state = 'TX'$$);
SELECT id, data FROM sim.contacts('leads') WHERE data->>'state' = 'TX';
-- What nothing matches is no job.
CALL sim.forget();
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'nowhere'$$);
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'nowhere'$$);
SELECT * FROM gc.asked;
-- A job removes them, and is looked at.
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'TX' AND score < 100$$);
SELECT * FROM gc.asked;
SELECT count(*), count(*) FILTER (WHERE data->>'state' = 'TX') AS "TX" FROM sim.contacts('leads');

-- Values of a generic plan, of a sub-select, and those of a function that is the same for all.
CALL gc.seed();
SET plan_cache_mode = force_generic_plan;
PREPARE move(text, text) AS UPDATE gc.leads SET state = $2, first_name = upper($2) WHERE state = $1;
EXPLAIN (COSTS OFF) EXECUTE move('NY', 'tx');
EXECUTE move('NY', 'tx');
EXECUTE move('tx', 'NV');
SELECT data->>'state' AS state, data->>'first_name' AS first_name, count(*) FROM sim.contacts('leads') WHERE data->>'state' <> 'CA' GROUP BY 1, 2;
-- NULL is equal to nothing: nobody is asked.
CALL sim.forget();
EXECUTE move(NULL, 'XX');
SELECT * FROM gc.asked;
DEALLOCATE move;
RESET plan_cache_mode;
CALL sim.forget();
UPDATE gc.leads SET first_name = current_setting('server_encoding') || (SELECT 1) WHERE state = (SELECT 'NV');
SELECT * FROM gc.asked WHERE request LIKE '%update';

--
-- By ids
--
-- Names that are not there are passed over, and those that stand twice are one contact.
-- All are read back, for it cannot be searched for them.
CALL gc.seed();
CALL sim.try($$UPDATE gc.leads SET first_name = 'Y' WHERE contact_id IN ('nobody', 'L-1', 'L-2', 'L-2')$$);
SELECT * FROM gc.asked;
-- An opt-out: each is read back.
CALL sim.forget();
CALL sim.try($$UPDATE gc.leads SET callable = false, score = 0 WHERE contact_id = ANY ('{L-3,L-4}')$$);
SELECT * FROM gc.asked;
SELECT id, data, contact->>'callable' AS callable FROM sim.contacts('leads') WHERE id IN ('L-3', 'L-4');
CALL sim.faults('[{"method": "POST", "path": "*/contacts/bulk", "nth": 2, "calls_before": [{"path": "/_sim/contacts", "body": {"listId": "leads", "id": "L-6", "callable": true}}]}]');
CALL sim.try($$UPDATE gc.leads SET callable = false WHERE contact_id = ANY ('{L-6,L-7}')$$);
CALL sim.faults('[]');
-- One by itself is a POST, however it is named; of none there is nobody to ask for.
CALL sim.forget();
CALL sim.try($$UPDATE gc.leads SET first_name = 'Z' WHERE contact_id = 'L-1'$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'Z' WHERE contact_id IN ('L-2', NULL)$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'Z' WHERE contact_id = ANY ('{}'::text[])$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'Z' WHERE contact_id IN ('no-1', 'no-2')$$);
SELECT request, status, count FROM gc.asked;
-- A job takes a thousand.
CALL gc.seed(1200);
CALL sim.try($$UPDATE gc.leads SET first_name = 'many' WHERE contact_id = ANY (ARRAY(SELECT 'L-' || g FROM generate_series(1, 1200) g))$$);
SELECT rows, count(*) FROM sim.requests() WHERE path LIKE '%bulk/update' GROUP BY 1 ORDER BY 1;
SELECT data->>'first_name' AS first_name, count(*) FROM sim.contacts('leads') GROUP BY 1;

--
-- What goes row by row
--
CALL gc.seed();
SELECT gc.is_direct(s), s
FROM unnest(ARRAY[
  $$UPDATE gc.leads SET first_name = 'a' WHERE state = 'NY'$$,
  $$DELETE FROM gc.leads WHERE state IN ('NY', 'NV') OR first_name = 'a'$$,
  $$UPDATE gc.leads SET first_name = 'a' WHERE contact_id IN ('a', 'b')$$,
  -- everything, or nothing
  $$UPDATE gc.leads SET first_name = 'a'$$,
  $$DELETE FROM gc.leads$$,
  $$DELETE FROM gc.leads WHERE false$$,
  -- what is not said exactly
  $$DELETE FROM gc.leads WHERE state <> 'NY'$$,
  $$DELETE FROM gc.leads WHERE state = 'NY' AND upper(first_name) = 'A'$$,
  $$DELETE FROM gc.leads WHERE seen < now()$$,
  $$DELETE FROM gc.leads WHERE callable$$,
  -- contacts by name: one, by the key, with other conditions, to be removed
  $$UPDATE gc.leads SET first_name = 'a' WHERE contact_id = 'a'$$,
  $$UPDATE gc.leads SET first_name = 'a' WHERE crm_id IN ('a', 'b')$$,
  $$UPDATE gc.leads SET first_name = 'a' WHERE contact_id IN ('a', 'b') AND state = 'NY'$$,
  $$DELETE FROM gc.leads WHERE contact_id IN ('a', 'b')$$,
  -- what differs from row to row
  $$UPDATE gc.leads SET first_name = state WHERE state = 'NY'$$,
  $$UPDATE gc.leads SET score = random() WHERE state = 'NY'$$,
  $$UPDATE gc.leads SET first_name = (SELECT 'a' || state) WHERE state = 'NY'$$,
  -- what is to be seen of each
  $$UPDATE gc.leads SET first_name = 'a' WHERE state = 'NY' RETURNING contact_id$$,
  $$DELETE FROM gc.leads WHERE state = 'NY' RETURNING 1$$,
  $$UPDATE gc.leads SET callable = false WHERE state = 'NY'$$,
  -- more than a table
  $$DELETE FROM gc.leads USING pg_class WHERE state = relname$$,
  $$DELETE FROM gc.leads WHERE state IN (SELECT relname FROM pg_class)$$]) WITH ORDINALITY u (s, n)
ORDER BY n;
-- The key does not change, whichever way.
CALL sim.try($$UPDATE gc.leads SET crm_id = 'a' WHERE state = 'NY'$$);
-- The word that conditions are exact, and the option, of the table or else of the server.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET exact_filters 'false');
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$), gc.is_direct($$DELETE FROM gc.leads WHERE state IS NULL$$) AS "of NULL";
ALTER FOREIGN TABLE gc.leads OPTIONS (SET exact_filters 'true', DROP direct_modify);
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER SERVER genesys OPTIONS (ADD direct_modify 'true');
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER SERVER genesys OPTIONS (DROP direct_modify);
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD direct_modify 'true', ADD scan_method 'export');
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP scan_method);
-- What is sent at COMMIT goes row by row.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD deliver 'commit');
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP deliver);
-- Row triggers, generated columns, a view's CHECK OPTION.
CREATE FUNCTION gc.trip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER late AFTER DELETE ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.trip();
SELECT gc.is_direct($$DELETE FROM gc.leads WHERE state = 'NY'$$), gc.is_direct($$UPDATE gc.leads SET score = 1 WHERE state = 'NY'$$) AS "update";
DROP TRIGGER late ON gc.leads;
CREATE VIEW gc.open AS SELECT crm_id, first_name, state FROM gc.leads WHERE first_name = 'open';
CREATE VIEW gc.checked AS SELECT crm_id, first_name, state FROM gc.leads WHERE first_name = 'open' WITH CHECK OPTION;
SELECT gc.is_direct($$UPDATE gc.open SET state = 'NY' WHERE state = 'NV'$$), gc.is_direct($$UPDATE gc.checked SET state = 'NY' WHERE state = 'NV'$$) AS checked;
DROP VIEW gc.open, gc.checked;
ALTER FOREIGN TABLE gc.leads ADD COLUMN twice numeric OPTIONS (field 'phone') GENERATED ALWAYS AS (score * 2) STORED;
SELECT gc.is_direct($$UPDATE gc.leads SET score = 1 WHERE state = 'NY'$$);
ALTER FOREIGN TABLE gc.leads DROP COLUMN twice;

-- Some things are known only with the values and the list: then the plan below is taken, and
-- EXPLAIN ANALYZE says so.  A number that a double does not hold; a pattern; a column that
-- the list compares as another type; a value that cannot be looked for afterwards.
CREATE FUNCTION gc.job_of(statement text, value text) RETURNS bool
LANGUAGE plpgsql AS $$
BEGIN
  BEGIN EXECUTE 'DEALLOCATE s'; EXCEPTION WHEN OTHERS THEN NULL; END;
  EXECUTE 'PREPARE s AS ' || statement;
  CALL sim.forget();
  EXECUTE format('EXECUTE s(%s)', value);
  RETURN EXISTS (SELECT FROM sim.requests() WHERE path ~ 'bulk/(update|remove)$');
END $$;
SET plan_cache_mode = force_generic_plan;
CALL gc.seed();
SELECT gc.job_of($$UPDATE gc.leads SET first_name = 'a' WHERE score <= $1$$, '2') AS said,
       gc.job_of($$UPDATE gc.leads SET first_name = 'b' WHERE score <= $1$$, '3.0000000000000000001') AS not_a_double;
SELECT gc.job_of($$UPDATE gc.leads SET state = 'a' WHERE first_name LIKE $1$$, $$'name 4%'$$) AS said,
       gc.job_of($$UPDATE gc.leads SET state = 'b' WHERE first_name LIKE $1$$, $$'n_me 5'$$) AS not_a_pattern;
SELECT gc.job_of($$UPDATE gc.leads SET first_name = $1 WHERE state = 'NY'$$, $$'a'$$) AS said,
       gc.job_of($$UPDATE gc.leads SET phone = $1 WHERE state = 'NY'$$, $$'+1'$$) AS phone,
       gc.job_of($$UPDATE gc.leads SET seen = $1 WHERE state = 'NY'$$, $$'2026-01-01Z'$$) AS moment,
       gc.job_of($$UPDATE gc.leads SET score = $1 WHERE state = 'NY'$$, $$NULL$$) AS no_number;
SELECT id, data FROM sim.contacts('leads') WHERE id IN ('L-1', 'L-2', 'L-3', 'L-4', 'L-5', 'L-10');
RESET plan_cache_mode;
DEALLOCATE s;
CALL sim.list('texts', '{crm_id,score,phone}');
CREATE FOREIGN TABLE gc.texts (crm_id text, score int) SERVER genesys OPTIONS (object 'contacts', list_name 'texts', key 'crm_id', direct_modify 'true', exact_filters 'true');
INSERT INTO gc.texts VALUES ('a', 9), ('b', 10);
CALL sim.forget();
SELECT sim.analyzed($$DELETE FROM gc.texts WHERE score < 10$$);
SELECT id FROM sim.contacts('texts');
DROP FOREIGN TABLE gc.texts;
-- What is wrong with a value is said as ever, and of the contact that it is for.
CALL sim.try($$UPDATE gc.leads SET first_name = repeat('x', 600) WHERE state = 'NY'$$);
CALL sim.try($$UPDATE gc.leads SET first_name = repeat('x', 600) WHERE state = 'nowhere'$$);

--
-- Under each word of the platform that is not published
--
-- An edit that replaces the cells: the one contact that shows it is made whole again.
CALL gc.seed();
CALL sim.set('{"bulk_edit_data": "replace"}');
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'NY'$$);
CALL sim.try($$UPDATE gc.leads SET callable = false WHERE contact_id IN ('L-1', 'L-2')$$);
SELECT * FROM gc.asked;
SELECT id, data, contact->>'callable' AS callable FROM sim.contacts('leads') WHERE id IN ('L-1', 'L-2', 'L-5', 'L-10');
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'NY'$$);
CALL sim.faults('[]');
-- One that has nothing else to lose cannot show it: the next one is asked, and if there is none, it is refused.
DO $$ BEGIN FOR i IN 1..12 LOOP CALL sim.touch('leads', 'L-' || i, '{"data": {"crm_id": null, "state": null, "score": null, "phone": null}}'); END LOOP; END $$;
CALL sim.forget();
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE first_name LIKE 'name%'$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE contact_id IN ('L-1', 'L-2', 'L-14')$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE contact_id IN ('L-1', 'L-2')$$);
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE first_name LIKE 'name%' AND state IS NULL$$);
SELECT * FROM gc.asked;
SELECT count(*) FILTER (WHERE data ? 'state') AS whole, count(*) FILTER (WHERE data->>'first_name' = 'X') AS changed FROM sim.contacts('leads');
CALL sim.set('{"bulk_edit_data": "patch"}');
-- Contacts in use are passed over: it is told, whether the job counts them or not.
CREATE PROCEDURE gc.in_use(switches jsonb)
LANGUAGE plpgsql AS $$
BEGIN
  CALL gc.seed();
  CALL sim.set(switches);
  CALL sim.touch('leads', 'L-10', '{"inUse": true}');
  CALL sim.touch('leads', 'L-15', '{"inUse": true}');
  CALL sim.try('UPDATE gc.leads SET first_name = ''X'' WHERE state = ''NY''');
  CALL sim.try('UPDATE gc.leads SET first_name = ''Y'' WHERE contact_id IN (''L-1'', ''L-10'')');
  CALL sim.try('DELETE FROM gc.leads WHERE state = ''NY''');
  RAISE INFO '%', (SELECT string_agg(id || ' ' || (data->>'first_name'), ', ') FROM sim.contacts('leads') WHERE id IN ('L-1', 'L-5', 'L-10', 'L-15', 'L-20'));
END $$;
SET client_min_messages = error;
CALL gc.in_use('{"bulk_in_use": "skip", "bulk_completed": "changed"}');
CALL gc.in_use('{"bulk_in_use": "skip", "bulk_completed": "all"}');
CALL gc.in_use('{"bulk_in_use": "fail", "bulk_completed": "changed"}');
CALL gc.in_use('{"bulk_in_use": "skip", "in_use_writes": "take"}');
-- One that is not among the first is found by a search.
CALL gc.seed();
CALL sim.set('{"bulk_completed": "all", "in_use_writes": "409"}');
CALL sim.touch('leads', 'L-19', '{"inUse": true}');
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'CA'$$);
-- All of those that would show what an edit does are in use.
CALL gc.seed();
CALL sim.set('{"bulk_completed": "changed", "in_use_writes": "409"}');
DO $$ BEGIN FOR i IN 1..6 LOOP CALL sim.touch('leads', 'L-' || i, '{"inUse": true}'); END LOOP; END $$;
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'CA'$$);
RESET client_min_messages;
-- Searches that lag: a job waits until they show what this cluster has written, and what is
-- still shown of those that were removed is waited out.
CALL gc.seed();
CALL sim.set('{"read_lag_ms": 300}');
ALTER SERVER genesys OPTIONS (SET read_lag '400ms');
INSERT INTO gc.leads (crm_id, first_name, state) VALUES ('L-21', 'new', 'NY');
CALL sim.try($$UPDATE gc.leads SET first_name = 'X' WHERE state = 'NY'$$);
CALL sim.try($$UPDATE gc.leads SET state = 'NV' WHERE state = 'NY'$$);
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NV'$$);
SELECT count(*), count(*) FILTER (WHERE data->>'state' <> 'CA') AS others FROM sim.contacts('leads');
ALTER SERVER genesys OPTIONS (SET read_lag '0');
CALL sim.set('{"read_lag_ms": 0}');
-- A contact that came meanwhile is none of those; one that goes meanwhile is not counted.
CALL gc.seed();
CALL sim.faults('[{"method": "GET", "path": "*/bulk/jobs/*", "nth": 1, "calls_before": [
                    {"path": "/_sim/contacts", "body": {"listId": "leads", "id": "L-20", "deleted": true}}]}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
SELECT count(*) FROM sim.contacts('leads') WHERE data->>'state' = 'NY';
CALL sim.faults('[]');
-- A job that fails half way.
CALL gc.seed();
CALL sim.set('{"bulk_fail_after": 2}');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
CALL sim.set('{"bulk_fail_after": 0}');
-- K5: more jobs than the list may have: waited for within retry_timeout.
CALL gc.seed();
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "conflict": "K5"}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
-- K2: a list that is locked for a moment.
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "conflict": "K2", "times": 1}]');
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
SELECT request, status, count FROM gc.asked WHERE request LIKE '%remove';
CALL sim.faults('[]');

--
-- Failures
--
-- A submission without an answer is not repeated: it is unknown whether it took effect.
CALL gc.seed();
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "drop": "after"}]');
CALL sim.forget();
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
SELECT request, status, count FROM gc.asked WHERE request LIKE '%remove';
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "body_json": {"id": "", "state": "InProgress"}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'CA'$$);
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "body_json": [1]}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'CA'$$);
CALL sim.faults('[{"method": "POST", "path": "*/bulk/remove", "status": 403, "body_json": {"code": "missing.permissions", "status": 403}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'CA'$$);
-- A job that nobody knows any more, or of which nothing can be seen.
CALL gc.afresh(100);
CALL sim.faults('[{"method": "GET", "path": "*/bulk/jobs/*", "status": 404, "body_json": {"code": "resource.not.found", "status": 404}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
CALL sim.faults('[{"method": "GET", "path": "*/bulk/jobs/*", "body_json": {"id": "a", "state": "Complete"}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
CALL sim.faults('[{"method": "GET", "path": "*/bulk/jobs/*", "body_json": {"id": "a", "state": "Dreaming"}}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
-- An answer that got lost on the way is asked for again.
CALL gc.afresh();
CALL sim.faults('[{"method": "GET", "path": "*/bulk/jobs/*", "nth": 1, "drop": "before"}]');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
CALL sim.faults('[]');
-- One that does not get on is waited for as long as ready_timeout says, from its last step.
CALL gc.seed();
CALL sim.set('{"bulk_job_polls": 0, "bulk_job_ms": 600000}');
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD ready_timeout '300ms');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP ready_timeout);

--
-- ROLLBACK, limits, figures
--
CALL gc.afresh();
-- What a job did stays done, and the counts say it.
BEGIN;
UPDATE gc.leads SET first_name = 'X' WHERE state = 'NY';
SAVEPOINT s;
DELETE FROM gc.leads WHERE state = 'NY';
ROLLBACK TO s;
ROLLBACK;
-- PREPARE TRANSACTION is refused after it.
BEGIN;
UPDATE gc.leads SET first_name = 'X' WHERE state = 'CA';
SET LOCAL client_min_messages = error;
PREPARE TRANSACTION 'x';
-- max_requests holds for all that is asked.
CALL gc.seed();
SET gc_fdw.max_requests = 3;
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
RESET gc_fdw.max_requests;
-- EXPLAIN ANALYZE counts what was asked.
CALL gc.afresh();
SELECT gc_fdw.disconnect();
SELECT sim.analyzed($$DELETE FROM gc.leads WHERE state = 'NY'$$);
-- As part of another statement, whose rows are those that are counted.
CALL gc.seed();
WITH gone AS (DELETE FROM gc.leads WHERE state = 'NY')
SELECT 'main' AS query;
SELECT count(*) FROM sim.contacts('leads');
-- The audit has it.
SELECT operation, status, list_id, total, accepted, in_doubt, requests, correlation_id IS NOT NULL AS answered
FROM gc_fdw.audit_log ORDER BY at DESC LIMIT 1;
-- Beside another part that writes, it goes row by row: each is about what was there before.
INSERT INTO gc.leads (crm_id, state) VALUES ('old-1', 'CA'), ('old-2', 'TX');
WITH gone AS (DELETE FROM gc.leads WHERE state = 'CA')
INSERT INTO gc.leads (crm_id, state) VALUES ('new-1', 'CA');
WITH gone AS (DELETE FROM gc.leads WHERE state = 'OR')
UPDATE gc.leads SET state = 'OR' WHERE state = 'TX';
SELECT id, data->>'state' AS state FROM sim.contacts('leads') WHERE data->>'state' <> 'NY';
-- updatable 'false' is refused as ever.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD updatable 'false');
CALL sim.try($$DELETE FROM gc.leads WHERE state = 'NY'$$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP updatable);

-- Partitions: a job for each that can be told by one; the others go row by row.
CALL sim.list('east', '{crm_id,state,phone}');
CALL sim.list('west', '{crm_id,state,phone}');
CREATE TABLE gc.all_leads (list text, crm_id text, state text) PARTITION BY LIST (list);
CREATE FOREIGN TABLE gc.east (list text OPTIONS (attribute 'list_name'), crm_id text, state text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id', direct_modify 'true', exact_filters 'true');
CREATE FOREIGN TABLE gc.west (list text OPTIONS (attribute 'list_name'), crm_id text, state text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'west', key 'crm_id');
ALTER TABLE gc.all_leads ATTACH PARTITION gc.east FOR VALUES IN ('east');
ALTER TABLE gc.all_leads ATTACH PARTITION gc.west FOR VALUES IN ('west');
INSERT INTO gc.all_leads SELECT l, l || g, 'NY' FROM unnest('{east,west}'::text[]) l, generate_series(1, 3) g;
CALL sim.forget();
CALL sim.try($$UPDATE gc.all_leads SET state = 'NV' WHERE state = 'NY'$$);
SELECT request, status, count FROM gc.asked WHERE request !~ '(search|/bulk|jobs/)$';
CALL sim.try($$DELETE FROM gc.all_leads WHERE state = 'NV'$$);
SELECT (SELECT count(*) FROM sim.contacts('east')) AS east, (SELECT count(*) FROM sim.contacts('west')) AS west;
DROP TABLE gc.all_leads;

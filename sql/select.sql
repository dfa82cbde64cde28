\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- SELECT: what a scan gives, and what it costs
--
CALL sim.list('leads', '{crm_id,first_name,score,since,active,phone,work/phone.1}', '{phone,work/phone.1}');
CREATE FOREIGN TABLE gc.leads (
  crm_id text,
  first_name text,
  score numeric,
  since timestamptz,
  active boolean,
  phone text
) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';

-- A plan as JSON, without what PostgreSQL 18 adds to each node.
CREATE FUNCTION sim.plan(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan text;
BEGIN
  EXECUTE 'EXPLAIN (COSTS OFF, FORMAT json) ' || statement INTO plan;
  RETURN regexp_replace(plan, ',\s*"Disabled": false', '', 'g');
END $$;

-- Nothing is asked at plan time, nor of a list that nobody reads.
EXPLAIN (COSTS OFF) SELECT * FROM gc.leads WHERE first_name = 'x';
SELECT sim.plan('SELECT count(crm_id) FROM gc.leads');
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO gc.leads (crm_id) VALUES ('x');
PREPARE find AS SELECT * FROM gc.leads WHERE score > 1;
DEALLOCATE find;
SELECT * FROM sim.requests();
-- Nor by a scan that is never begun.
SELECT 1 AS one WHERE EXISTS (SELECT 1 FROM gc.leads WHERE false);
SELECT * FROM sim.requests();

--
-- How many rows, how many requests
--
-- None
SELECT * FROM gc.leads;
SELECT request, rows FROM sim.traffic();
-- One
INSERT INTO gc.leads VALUES ('L-1', 'Ana', 1.50, '2026-01-02 03:04:05+00', true, '+14155550101');
SELECT * FROM gc.leads;
-- A hundred: one page, and no look at a second one
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.leads (crm_id, first_name, score) SELECT 'L-' || g, 'name ' || g, g FROM generate_series(2, 100) g;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
SELECT count(*) > 0 AS there FROM gc.leads;
CALL sim.forget();
SELECT count(*), count(DISTINCT crm_id), sum(score) FROM gc.leads;
SELECT request, rows FROM sim.traffic();
-- A hundred and one
INSERT INTO gc.leads (crm_id, first_name, score) VALUES ('L-101', 'name 101', 101);
CALL sim.forget();
SELECT count(*), count(DISTINCT crm_id), sum(score) FROM gc.leads;
SELECT rows, count(*) FROM sim.requests() GROUP BY 1 ORDER BY 1 DESC;
-- Two hundred and fifty
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.leads (crm_id, first_name, score) SELECT 'L-' || g, 'name ' || g, g FROM generate_series(102, 250) g;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
SELECT count(*) > 0 AS there FROM gc.leads;
CALL sim.forget();
SELECT count(*), count(DISTINCT crm_id), sum(score) FROM gc.leads;
SELECT rows, count(*) FROM sim.requests() GROUP BY 1 ORDER BY 1 DESC;
-- fetch_size
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD fetch_size '30');
CALL sim.forget();
SELECT count(*), count(DISTINCT crm_id), sum(score) FROM gc.leads;
SELECT rows, count(*) FROM sim.requests() GROUP BY 1 ORDER BY 1 DESC;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP fetch_size);
-- U7: LIMIT costs what it reads: a reader who stops early has asked for one page.
CALL sim.forget();
SELECT count(*) FROM (SELECT * FROM gc.leads LIMIT 10) s;
SELECT request, rows FROM sim.traffic();
SELECT EXISTS (SELECT FROM gc.leads);

--
-- What the server does itself
--
SELECT crm_id, first_name FROM gc.leads WHERE score BETWEEN 48 AND 51 ORDER BY score DESC;
SELECT crm_id FROM gc.leads WHERE first_name ILIKE 'NAME 2_' ORDER BY crm_id COLLATE "C" LIMIT 3 OFFSET 1;
SELECT crm_id FROM gc.leads WHERE first_name IS NULL OR active OR crm_id IN ('L-7', 'L-8') ORDER BY 1;
SELECT length(crm_id) AS length, count(*), min(score), max(score) FROM gc.leads GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM gc.leads WHERE 1 / (score - 1000) < 0;
-- Joined with itself, and with a local table that makes it be read again.
SELECT count(*) FROM gc.leads a JOIN gc.leads b ON a.score + 1 = b.score;
CREATE TABLE gc.wanted (crm_id text);
INSERT INTO gc.wanted VALUES ('L-3'), ('L-5'), ('L-251');
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
CALL sim.forget();
SELECT w.crm_id, l.first_name FROM gc.wanted w LEFT JOIN gc.leads l USING (crm_id) ORDER BY 1;
SELECT rows, count(*) FROM sim.requests() GROUP BY 1 ORDER BY 1 DESC;
SELECT w.crm_id, (SELECT first_name FROM gc.leads l WHERE l.crm_id = w.crm_id) AS first_name FROM gc.wanted w ORDER BY 1;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;
-- Whole rows, no columns, system columns
SELECT l FROM gc.leads l WHERE score = 1.5;
SELECT count(*) FROM gc.leads l WHERE l IS NOT NULL;
SELECT count(*) FROM (SELECT FROM gc.leads OFFSET 0) s;
SELECT DISTINCT tableoid::regclass FROM gc.leads;
-- Cursors
BEGIN;
CALL sim.forget();
DECLARE c CURSOR FOR SELECT crm_id FROM gc.leads;
SELECT count(*) FROM sim.requests();
FETCH 2 FROM c;
SELECT count(*) FROM sim.requests();
MOVE 247 FROM c;
FETCH 2 FROM c;
FETCH 2 FROM c;
CLOSE c;
-- Two at once take turns.
DECLARE a CURSOR FOR SELECT crm_id FROM gc.leads;
DECLARE b CURSOR FOR SELECT score FROM gc.leads;
FETCH a; FETCH b; FETCH a; FETCH b;
COMMIT;
-- A savepoint rolled back takes the cursor's requests along, and no other's.
BEGIN;
DECLARE a CURSOR FOR SELECT crm_id FROM gc.leads;
FETCH a;
SAVEPOINT s;
DECLARE b CURSOR FOR SELECT crm_id FROM gc.leads;
FETCH b;
ROLLBACK TO s;
MOVE 148 FROM a;
FETCH a;
COMMIT;
-- A cursor that outlives the savepoint it was first read in reads on, whatever is scanned meanwhile.
BEGIN;
DECLARE c CURSOR FOR SELECT crm_id FROM gc.leads;
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
SELECT count(crm_id) FROM gc.leads;
MOVE 100 FROM c;
FETCH 1 FROM c;
SAVEPOINT s;
MOVE 100 FROM c;
ROLLBACK TO s;
MOVE 46 FROM c;
FETCH ALL FROM c;
COMMIT;
-- The same in blocks that catch their errors.
DO $$
DECLARE c CURSOR FOR SELECT crm_id FROM gc.leads; id text; seen text[] := '{}'; others int;
BEGIN
  OPEN c;
  LOOP
    BEGIN
      FETCH c INTO id;
      EXIT WHEN NOT FOUND;
      seen := seen || id;
      RAISE 'next';
    EXCEPTION WHEN raise_exception THEN
      IF cardinality(seen) IN (1, 120) THEN
        SELECT count(crm_id) INTO others FROM gc.leads;
      END IF;
    END;
  END LOOP;
  RAISE INFO '% of %', (SELECT count(DISTINCT s) FROM unnest(seen) s), others;
END $$;
-- INSERT … SELECT from another list
CALL sim.list('copy', '{crm_id,first_name,phone}');
CREATE FOREIGN TABLE gc.copy (crm_id text, first_name text) SERVER genesys OPTIONS (object 'contacts', list_name 'copy', key 'crm_id');
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.copy SELECT crm_id, upper(first_name) FROM gc.leads;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
SELECT count(*), min(first_name) FROM gc.copy;
-- … and from the list that is written: it is read to its end first, so that no row is met again.
CALL sim.list('self', '{crm_id,first_name,phone}');
CREATE FOREIGN TABLE gc.self (crm_id text, first_name text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'self', key 'crm_id', batch_size '10', fetch_size '20');
INSERT INTO gc.self SELECT 'S-' || g, 'x' FROM generate_series(1, 100) g;
INSERT INTO gc.self SELECT 'T' || crm_id, first_name FROM gc.self;
SELECT count(*), count(*) FILTER (WHERE crm_id LIKE 'TS-%') AS new FROM gc.self;
-- Through another table of the same list
CREATE FOREIGN TABLE gc.same (crm_id text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'self', key 'crm_id', fetch_size '20');
INSERT INTO gc.self SELECT 'U' || crm_id FROM gc.same WHERE crm_id LIKE 'S-%';
SELECT count(crm_id) FROM gc.same;
-- Through a partitioned table
CREATE TABLE gc.parts (crm_id text, first_name text) PARTITION BY LIST (first_name);
ALTER TABLE gc.parts ATTACH PARTITION gc.self DEFAULT;
INSERT INTO gc.parts SELECT 'V' || crm_id, 'x' FROM gc.parts WHERE crm_id LIKE 'S-%';
SELECT count(crm_id) FROM gc.same;
ALTER TABLE gc.parts DETACH PARTITION gc.self;
-- In a join of the list with itself
INSERT INTO gc.self SELECT 'W' || a.crm_id FROM gc.self a JOIN gc.self b ON a.crm_id = substr(b.crm_id, 2) WHERE b.crm_id LIKE 'TS-%';
SELECT left(crm_id, 1) AS kind, count(*) FROM gc.self GROUP BY 1 ORDER BY 1;
-- In WITH, where each part sees what was there before, also by the value of a sub-select; of the list itself, too.
CREATE TABLE gc.initial AS SELECT 'W'::text AS letter;
WITH gone AS (DELETE FROM gc.self WHERE first_name = (SELECT letter FROM gc.initial))
INSERT INTO gc.self SELECT 'W' || g, 'W' FROM generate_series(1, 30) g;
WITH gone AS (DELETE FROM gc.self WHERE first_name = (SELECT min(first_name) FROM gc.self))
INSERT INTO gc.self SELECT 'Y' || g, 'W' FROM generate_series(1, 15) g;
SELECT left(crm_id, 1) AS kind, first_name, count(*) FROM gc.self WHERE first_name IS NOT NULL GROUP BY 1, 2 ORDER BY 1;
-- In PL/pgSQL, with a function that scans while a scan goes on.
CREATE FUNCTION gc.name_of(id text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  RETURN (SELECT first_name FROM gc.leads WHERE crm_id = id);
END $$;
SELECT crm_id, gc.name_of(crm_id) FROM gc.copy WHERE crm_id IN ('L-9', 'L-10') ORDER BY 1;
DO $$
DECLARE r record; n int := 0;
BEGIN
  FOR r IN SELECT * FROM gc.leads LOOP
    n := n + 1;
    EXIT WHEN n = 120;
  END LOOP;
  RAISE INFO '% rows', n;
END $$;

--
-- Attributes
--
CREATE FOREIGN TABLE gc.attributes (
  contact_id text OPTIONS (attribute 'id'),
  callable boolean OPTIONS (attribute 'callable'),
  numbers jsonb OPTIONS (attribute 'phone_number_status'),
  media jsonb OPTIONS (attribute 'contactable_status'),
  calls jsonb OPTIONS (attribute 'call_records'),
  attempt timestamptz OPTIONS (attribute 'last_attempt:phone'),
  result text OPTIONS (attribute 'last_result:phone'),
  work_attempt timestamp OPTIONS (attribute 'last_attempt:work/phone.1'),
  work_result text OPTIONS (attribute 'last_result:work/phone.1'),
  list_id text OPTIONS (attribute 'list_id'),
  list_name varchar OPTIONS (attribute 'list_name'),
  zones jsonb OPTIONS (attribute 'time_zones'),
  created timestamptz OPTIONS (attribute 'date_created'),
  sms jsonb OPTIONS (attribute 'latest_sms_evaluations'),
  email jsonb OPTIONS (attribute 'latest_email_evaluations'),
  raw jsonb OPTIONS (attribute 'raw'),
  crm_id text
) SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
\x
SELECT contact_id, callable, numbers, media, calls, attempt, result, work_attempt, work_result, list_id, list_name, zones,
  created > now() - interval '1 hour' AS created, sms, email, raw - 'dateCreated' - 'data' AS raw, raw->'data'->'crm_id' AS cell, crm_id
FROM gc.attributes WHERE contact_id = 'L-2';
CALL sim.touch('leads', 'L-2', '{"callable": false,
  "callRecords": {"phone": {"lastAttempt": "2026-03-01T10:00:00.250Z", "lastResult": "disposition.classification.callable.busy"},
                  "work/phone.1": {"lastAttempt": "2026-03-02T10:00:00Z"}},
  "contactColumnTimeZones": {"phone": {"timeZone": "America/New_York", "columnType": "PHONE"}},
  "phoneNumberStatus": {"phone": {"callable": false}, "work/phone.1": {"callable": true}},
  "contactableStatus": {"Voice": {"contactable": false}},
  "latestSmsEvaluations": {"phone": {"timestamp": "2026-03-01T10:00:00Z", "result": "x"}},
  "latestEmailEvaluations": {}}');
SELECT contact_id, callable, numbers, media, calls, attempt, result, work_attempt, work_result, list_id, list_name, zones,
  created > now() - interval '1 hour' AS created, sms, email, raw - 'dateCreated' - 'data' AS raw, raw->'data'->'crm_id' AS cell, crm_id
FROM gc.attributes WHERE contact_id = 'L-2';
\x
-- Only constants: the list alone, with its rows counted.
SELECT list_name, count(*) FROM gc.attributes GROUP BY 1;
-- A list whose id is asked for by name says so.
SELECT DISTINCT list_id, list_name FROM gc.attributes;

--
-- contact_lists
--
CALL sim.list('others', '{id,zip,mail,mobile}', '{mobile}', '{"version": 7, "trimWhitespace": false,
  "automaticTimeZoneMapping": true, "zipCodeColumnName": "zip", "attemptLimits": {"id": "limits-1"},
  "emailColumns": [{"columnName": "mail", "type": "private"}], "division": {"id": "home", "name": "Home"},
  "columnDataTypeSpecifications": [{"columnName": "id", "columnDataType": "NUMERIC"}]}');
CREATE FOREIGN TABLE gc.lists (
  id text, name text, division text, version int, column_names text[], phone_columns jsonb, email_columns jsonb,
  whatsapp_columns jsonb, column_types jsonb, attempt_limits_id text, automatic_time_zone_mapping boolean,
  zip_code_column text, trim_whitespace boolean, size bigint, status text, import_state text, import_percent int,
  import_failure text, date_created timestamptz, date_modified timestamptz
) SERVER genesys OPTIONS (object 'contact_lists');
\x
SELECT id, name, division, version, column_names, phone_columns, email_columns, whatsapp_columns, column_types,
  attempt_limits_id, automatic_time_zone_mapping, zip_code_column, trim_whitespace, size, status
FROM gc.lists WHERE name = 'others';
\x
SELECT name, size, status, import_state, import_percent, import_failure, date_created IS NOT NULL AS created FROM gc.lists ORDER BY 1;
-- The status is derived from that of the last import.
CALL sim.faults('[{"path": "*/contactlists", "body_json": {"pageSize": 100, "pageNumber": 1, "total": 4, "pageCount": 1, "entities": [
  {"id": "a", "name": "busy", "importStatus": {"state": "IN_PROGRESS", "percentComplete": 40}},
  {"id": "b", "name": "broken", "importStatus": {"state": "FAILED", "percentComplete": 0, "failureReason": "IMPORT_INVALID_DATA"}},
  {"id": "c", "name": "done", "importStatus": {"state": null, "percentComplete": 100}},
  {"id": "d", "name": "idle", "size": null, "columnNames": ["a", "b c"], "whatsAppColumns": [{"columnName": "a"}]}]}}]');
SELECT name, size, status, import_state, import_percent, import_failure, column_names, whatsapp_columns FROM gc.lists;
CALL sim.faults('[]');
-- Some of the columns, under other names
CREATE FOREIGN TABLE gc.names (fields text[] OPTIONS (attribute 'column_names'), called text OPTIONS (field 'name')) SERVER genesys OPTIONS (object 'contact_lists');
SELECT called, cardinality(fields) FROM gc.names WHERE fields[1] = 'id' ORDER BY 1;
INSERT INTO gc.names VALUES ('{a}', 'b');
\echo :SQLSTATE

--
-- Tables that differ from their list
--
-- Fewer columns: the others are not looked at.
CREATE FOREIGN TABLE gc.few (phone text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
SELECT phone, count(*) FROM gc.few GROUP BY 1 ORDER BY 1;
-- No columns at all
CREATE FOREIGN TABLE gc.none () SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
SELECT count(n), count(*) FROM gc.none n;
-- Dropped and added columns
ALTER FOREIGN TABLE gc.leads DROP since, ADD since text, ALTER score TYPE text;
SELECT * FROM gc.leads WHERE crm_id = 'L-1';

-- A cell that does not parse: where it is, but not what it is, since that is personal.
INSERT INTO gc.copy (crm_id, first_name) VALUES ('C-1', '12'), ('C-2', 'twelve');
CREATE FOREIGN TABLE gc.bad (crm_id text, first_name numeric) SERVER genesys OPTIONS (object 'contacts', list_name 'copy');
SELECT * FROM gc.bad;
\echo :SQLSTATE
-- Only if it is asked for
SELECT count(crm_id) FROM gc.bad;
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE timestamptz;
SELECT * FROM gc.bad;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE boolean;
SELECT * FROM gc.bad;
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE smallint;
SELECT * FROM gc.bad;
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE varchar(3);
SELECT * FROM gc.bad;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE jsonb;
SELECT * FROM gc.bad;
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE int[];
SELECT * FROM gc.bad;
CREATE DOMAIN gc.short AS text CHECK (length(value) < 3);
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE gc.short;
SELECT * FROM gc.bad;
\echo :SQLSTATE
SET gc_fdw.show_values = on;
SELECT * FROM gc.bad;
ALTER FOREIGN TABLE gc.bad ALTER first_name TYPE numeric;
SELECT * FROM gc.bad;
RESET gc_fdw.show_values;
DROP FOREIGN TABLE gc.bad;
DROP DOMAIN gc.short;

-- A list that goes away while the session knows it, and one that comes in its place.
CALL sim.reset();
CALL sim.list('leads', '{crm_id,first_name,phone}');
CREATE FOREIGN TABLE gc.again (crm_id text) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
SELECT * FROM gc.again;
SELECT sim.control('POST', 'reset', '{}');
CALL sim.try('SELECT * FROM gc.again');
CALL sim.list('leads', '{crm_id,phone}', NULL, '{"id": "another id"}');
INSERT INTO gc.again VALUES ('x');
SELECT * FROM gc.again;
SELECT id FROM sim.contacts('another%20id');

--
-- EXPLAIN
--
CALL sim.reset();
CALL sim.list('leads', '{crm_id,first_name,phone}');
CREATE FOREIGN TABLE gc.explained (crm_id text, first_name text) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
-- Figures are exact: what the simulator recorded.
CREATE FUNCTION sim.explained(statement text, OUT node text, OUT path text, OUT call text, OUT rows int,
  OUT requests int, OUT recorded bigint, OUT retries int, OUT sent bigint, OUT recorded_bytes bigint, OUT received boolean)
LANGUAGE plpgsql AS $$
DECLARE plan json; p json;
BEGIN
  CALL sim.forget();
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || statement INTO plan;
  p := plan->0->'Plan';
  WHILE p->>'Requests' IS NULL AND p->'Plans' IS NOT NULL LOOP
    p := p->'Plans'->0;
  END LOOP;
  -- PostgreSQL 18 prints rows as 1.00.
  node := p->>'Node Type'; path := p->>'Path'; call := p->>'Remote Call';
  rows := (p->>'Actual Rows')::numeric; requests := p->>'Requests'; retries := p->>'Retries';
  sent := p->>'Bytes Sent'; received := (p->>'Bytes Received')::bigint > 0;
  SELECT count(*), sum(bytes) INTO recorded, recorded_bytes FROM sim.requests();
END $$;
\x
SELECT * FROM sim.explained('INSERT INTO gc.explained SELECT g, ''name'' FROM generate_series(1, 2500) g');
SELECT * FROM sim.explained('SELECT * FROM gc.explained');
SELECT * FROM sim.explained('SELECT * FROM gc.explained LIMIT 10');
SELECT * FROM sim.explained('SELECT count(*) FROM gc.explained WHERE crm_id = ''7''');
SELECT * FROM sim.explained('SELECT * FROM gc.lists');
CALL sim.faults('[{"path": "*/search", "nth": 3, "status": 503, "body": "no"}]');
SELECT * FROM sim.explained('SELECT * FROM gc.explained');
\x
CREATE FUNCTION sim.explain(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, COSTS OFF, BUFFERS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
    RETURN NEXT regexp_replace(regexp_replace(line, '(Bytes Received|Wait Time|Memory Usage|Memory): [0-9.]+', '\1: <n>'),
                               'rows=(\d+)\.00', 'rows=\1');
  END LOOP;
END $$;
SELECT sim.explain('SELECT first_name FROM gc.explained WHERE crm_id = ''7''');
SELECT sim.explain('INSERT INTO gc.explained VALUES (''x'', ''y''), (''z'', '''')');
SELECT sim.explain('INSERT INTO gc.explained VALUES (''x'', ''y'') RETURNING *');
SELECT sim.explain('SELECT name FROM gc.lists');
-- The next plan knows how many rows there are.
DO $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT json) SELECT * FROM gc.explained' INTO plan;
  RAISE INFO '% rows', plan->0->'Plan'->'Plan Rows';
END $$;

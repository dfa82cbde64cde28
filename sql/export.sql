\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Reading a contact list by export (DESIGN 4.4)
--
SET TimeZone = 'UTC';
SET DateStyle = 'ISO, YMD';
CALL sim.list('leads', '{Key,Name,Note,Score,Zip,Phone,Cell}', '{Phone,Cell}', '{"zipCodeColumnName": "Zip", "automaticTimeZoneMapping": true}');
-- The same table twice: by search, and by export.
SELECT format($$
  CREATE FOREIGN TABLE gc.%1$s (
    id text OPTIONS (attribute 'id'),
    key text OPTIONS (field 'Key'),
    name text OPTIONS (field 'Name'),
    note text OPTIONS (field 'Note'),
    score numeric OPTIONS (field 'Score'),
    zip text OPTIONS (field 'Zip'),
    phone text OPTIONS (field 'Phone'),
    cell text OPTIONS (field 'Cell'),
    callable boolean OPTIONS (attribute 'callable'),
    status jsonb OPTIONS (attribute 'phone_number_status'),
    records jsonb OPTIONS (attribute 'call_records'),
    phone_last_attempt timestamptz OPTIONS (attribute 'last_attempt:Phone'),
    phone_last_result text OPTIONS (attribute 'last_result:Phone'),
    list_id text OPTIONS (attribute 'list_id'),
    list_name text OPTIONS (attribute 'list_name'),
    zones jsonb OPTIONS (attribute 'time_zones')
  ) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key', scan_method %2$L)
$$, name, method) FROM (VALUES ('searched', 'search'), ('exported', 'export')) t(name, method) \gexec

-- None
SELECT count(*) FROM gc.exported;
-- What CSV finds hard to say
INSERT INTO gc.searched (key, name, note, score, phone) VALUES
  ('plain', 'Ana', 'a note', 1.50, '+14155550101'),
  ('comma', 'Doe, Jane', ',', 2, NULL),
  ('quote', 'Ann "Nan" Lee', '"', -3, NULL),
  ('quotes', '""', '"","', 0, NULL),
  ('newline', E'two\nlines', E'\n', NULL, NULL),
  ('crlf', E'two\r\nlines', E'\r\nthree\r\n\r\n', NULL, NULL),
  ('end', '\.', E'\\.\n\\.\n', NULL, NULL),
  ('backslash', '\', '\n\\', NULL, NULL),
  ('spaces', ' x ', E'\t', NULL, NULL),
  ('null', NULL, 'NULL', NULL, NULL),
  ('empty', '', '\N', NULL, NULL),
  ('long', repeat('x', 512), repeat('"', 512), NULL, NULL),
  ('letters', 'Zoë Åström', '電話 Ωmega ' || chr(128512), NULL, NULL),
  ('formula', '=1+1', '''', NULL, NULL);
-- … and what only the platform writes
CALL sim.touch('leads', 'plain', '{"callRecords": {"Phone": {"lastAttempt": "2026-03-04T05:06:07.890Z", "lastResult": "busy"}, "Cell": {"lastResult": "no \"answer\""}}}');
CALL sim.touch('leads', 'comma', '{"callable": false, "phoneNumberStatus": {"Phone": {"callable": false}, "Cell": {"callable": true}}}');
CALL sim.touch('leads', 'quote', '{"contactColumnTimeZones": {"Phone": {"timeZone": "Europe/Paris", "columnType": "PHONE"}, "Zip": {"timeZone": "Asia/Tokyo", "columnType": "ZIP"}}}');
SELECT id, name, note, score, phone FROM gc.exported WHERE key NOT IN ('long', 'crlf') ORDER BY id COLLATE "C";
SELECT id, callable, status, records, phone_last_attempt, phone_last_result, list_id, list_name, zones
FROM gc.exported WHERE key IN ('plain', 'comma', 'quote') ORDER BY id COLLATE "C";
SELECT id, length(name) AS name, length(note) AS note FROM gc.exported WHERE key IN ('long', 'crlf') ORDER BY id COLLATE "C";

-- The same by search and by export, whatever the form of the file is.
CREATE PROCEDURE sim.compare(switches jsonb) LANGUAGE plpgsql AS $$
DECLARE missing text; extra text; n int;
BEGIN
  CALL sim.set(switches);
  SELECT count(*) INTO n FROM gc.exported;
  SELECT string_agg(s.key, ',') INTO missing FROM (SELECT * FROM gc.searched EXCEPT SELECT * FROM gc.exported) s;
  SELECT string_agg(s.key, ',') INTO extra FROM (SELECT * FROM gc.exported EXCEPT SELECT * FROM gc.searched) s;
  RAISE INFO '%: % rows, missing %, extra %', switches, n, missing, extra;
END $$;
CALL sim.compare('{}');
CALL sim.compare('{"export_columns": "old"}');
CALL sim.compare('{"export_header": "plain"}');
CALL sim.compare('{"export_header": "bare", "export_lines": "lf"}');
CALL sim.compare('{"export_quote": "all", "export_columns": "new"}');
CALL sim.compare('{"export_uri": "absolute"}');
CALL sim.compare('{"export_uri": "storage"}');
CALL sim.compare('{"download_redirect": "off", "export_uri": "relative"}');
CALL sim.compare('{"export_stale": "off"}');
CALL sim.set('{"export_header": "quoted", "export_lines": "crlf", "export_quote": "minimal", "download_redirect": "on", "export_stale": "on", "export_ms": 0}');

-- What it costs: a look at what was there before, the export, a look at what is there now, the file.
CALL sim.forget();
EXPLAIN (COSTS OFF) SELECT key FROM gc.exported;
SELECT * FROM sim.requests();
SELECT count(*) FROM gc.exported;
SELECT method, regexp_replace(path, '[-0-9a-f]{36}', '<id>', 'g') AS path, status FROM sim.requests() ORDER BY seq;
-- The storage is shown no token.
SELECT count(*) FROM sim.requests() WHERE path ~ '^/storage' AND headers::text ~* 'authorization';
-- A condition that the platform knows goes with it, and is looked at again here.
EXPLAIN (COSTS OFF) SELECT key FROM gc.exported WHERE name = 'Ana';
SELECT key FROM gc.exported WHERE name = 'Ana';
SELECT rows FROM sim.requests() WHERE path ~ '^/storage' ORDER BY seq DESC LIMIT 1;

--
-- What is not in an export, and what is in nothing else
--
ALTER FOREIGN TABLE gc.exported ADD created timestamptz OPTIONS (attribute 'date_created');
ALTER FOREIGN TABLE gc.exported ADD contactable jsonb OPTIONS (attribute 'contactable_status');
CALL sim.try('SELECT * FROM gc.exported');
CALL sim.try('SELECT key FROM gc.exported WHERE created > now()');
CALL sim.try('SELECT contactable FROM gc.exported');
SELECT count(key) FROM gc.exported;
ALTER FOREIGN TABLE gc.exported DROP created, DROP contactable;
ALTER FOREIGN TABLE gc.searched ADD wrapup text OPTIONS (attribute 'last_wrapup:Phone');
CALL sim.try('SELECT wrapup FROM gc.searched');
SELECT count(key) FROM gc.searched;
ALTER FOREIGN TABLE gc.searched OPTIONS (SET scan_method 'auto');
EXPLAIN (COSTS OFF) SELECT key, wrapup FROM gc.searched;
SELECT key, wrapup FROM gc.searched WHERE key = 'plain';
ALTER FOREIGN TABLE gc.searched DROP wrapup;
EXPLAIN (COSTS OFF) SELECT key FROM gc.searched;
CALL sim.try($$ALTER FOREIGN TABLE gc.searched OPTIONS (SET scan_method 'exports')$$);
-- The option on the server means its lists.
ALTER SERVER genesys OPTIONS (ADD scan_method 'export');
CREATE FOREIGN TABLE gc.lists (name text) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc.lists;
ALTER SERVER genesys OPTIONS (DROP scan_method);

--
-- Files that the platform would not write
--
CREATE PROCEDURE sim.file(content text) LANGUAGE sql AS $$
  CALL sim.faults(jsonb_build_array(jsonb_build_object('path', '/storage/', 'times', 1000, 'status', 200, 'body', content)))
$$;
CREATE PROCEDURE sim.read(content text, columns text DEFAULT 'id, key') LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.file(content);
  CALL sim.try(format('SELECT %s FROM gc.exported', columns));
END $$;
-- A header alone; columns that nobody knows, in another order; quotes and the mark in the other order
CALL sim.file(E'inin-outbound-id,Key\n');
SELECT id, key FROM gc.exported;
CALL sim.file(E'Extra,Key,inin-outbound-id\n1,k1,i1\n2,k2,i2');
SELECT id, key FROM gc.exported;
CALL sim.file(chr(65279) || E'"""inin-outbound-id""",Key\ri,"k"\r');
SELECT id, key FROM gc.exported;
CALL sim.file('"' || chr(65279) || E'""inin-outbound-id""",Key\ni,k\n\n');
SELECT id, key FROM gc.exported;
-- Nothing at all; a page of some gateway
CALL sim.read('');
CALL sim.read(chr(65279));
CALL sim.read('<html>');
-- A column that is missing, or there twice
CALL sim.read(E'inin-outbound-id,Name\ni,n\n');
CALL sim.read(E'Key\nk\n');
CALL sim.read(E'inin-outbound-id,Key,Key\ni,k,k\n');
CALL sim.read(E'inin-outbound-id,Key,ContactCallable\ni,k,1\n', 'status');
-- Records of another length, and what ends before its end: never fewer rows in silence
CALL sim.read(E'inin-outbound-id,Key\ni,k\nj\n');
CALL sim.read(E'inin-outbound-id,Key\ni,k,\n');
-- (a line \. is the end of the data to some versions of the server, and a cell to others)
CALL sim.file(E'inin-outbound-id,Key\ni,k\n\\.\nj,k\n');
\set VERBOSITY terse
SELECT id FROM gc.exported;
CALL sim.file(E'inin-outbound-id,Key\ni,k\n\\.\n');
SELECT id FROM gc.exported;
\set VERBOSITY default
CALL sim.read(E'inin-outbound-id,Key\ni,"k\nj,k\n');
CALL sim.read(E'inin-outbound-id,Key\r\ni,k\nj,k\r\n');
-- A cell that is no number, and one in the wrong encoding: whose, and never what it holds
CALL sim.read(E'inin-outbound-id,Score\ni,1\nj,secret\n', 'id, score');
SET gc_fdw.show_values = on;
CALL sim.read(E'inin-outbound-id,Score\nj,secret\n', 'id, score');
RESET gc_fdw.show_values;
CALL sim.read(E'inin-outbound-id,ContactCallable\ni,maybe\n', 'callable');
CALL sim.file(E'inin-outbound-id,Key,ContactCallable,Callable-Phone,Callable-Cell\ni,k,false,false,\nj,k,TRUE,,\n');
SELECT id, callable, status FROM gc.exported;

--
-- Waiting, and what is in the way
--
CREATE PROCEDURE sim.refuse(method text, status int, code text, nth int, times int) LANGUAGE sql AS $$
  CALL sim.faults(jsonb_build_array(jsonb_build_object('method', method, 'path', '/export', 'nth', nth, 'times', times,
    'status', status, 'body', jsonb_build_object('status', status, 'code', code, 'message', 'No.')::text)))
$$;
CALL sim.refuse('GET', 400, 'bad.request', 2, 3);
SELECT count(*) FROM gc.exported;
CALL sim.refuse('GET', 404, 'contact.list.not.found', 1, 1);
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.refuse('POST', 403, 'missing.permissions', 1, 1);
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.faults('[{"method": "GET", "path": "/export", "status": 200, "body": "{\"uri\": \"/api/v2/downloads/x\"}"}]');
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.faults('[{"method": "GET", "path": "/export", "nth": 2, "status": 200, "body": "{\"uri\": \"http://192.0.2.1/x\", \"exportTimestamp\": \"2999-01-01T00:00:00.000Z\"}"}]');
CALL sim.try('SELECT count(*) FROM gc.exported');
-- None was there before, it was said; then there is one from long ago, which is not used.
CALL sim.faults('[{"method": "GET", "path": "/export", "nth": 1, "times": 1, "status": 404, "body": "{\"code\": \"no.available.list.export.uri\"}"},
                  {"method": "GET", "path": "/export", "nth": 2, "times": 1, "status": 200, "body": "{\"uri\": \"/api/v2/downloads/old\", \"exportTimestamp\": \"2026-01-01T00:00:00.000Z\"}"},
                  {"path": "/downloads/old", "status": 200, "body": "inin-outbound-id,Key\n"}]');
SELECT count(*) FROM gc.exported;
-- The file has been replaced when we come for it: there is a newer one.
CALL sim.faults('[{"path": "/downloads/", "times": 2, "status": 404}]');
SELECT count(*) FROM gc.exported;
CALL sim.faults('[{"path": "/downloads/", "times": 3, "status": 404}]');
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.faults('[{"path": "/storage/", "times": 3, "status": 403}]');
CALL sim.try('SELECT count(*) FROM gc.exported');
-- The storage has hiccups before the first byte.
CALL sim.faults('[{"path": "/storage/", "times": 2, "status": 503}]');
SELECT count(*) FROM gc.exported;
CALL sim.faults('[{"path": "/storage/", "times": 1, "drop": "before"}]');
SELECT count(*) FROM gc.exported;
-- An export of somebody else's is on its way: it is waited for, and not used.
CALL sim.refuse('POST', 409, 'export.in.progress', 1, 2);
SELECT count(*) FROM gc.exported;
CALL sim.refuse('POST', 400, 'export.in.progress', 1, 2);
SELECT count(*) FROM gc.exported;
ALTER SERVER genesys OPTIONS (SET retry_timeout '100ms');
CALL sim.refuse('POST', 409, 'export.in.progress', 1, 100);
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.faults('[]');
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
-- It is not ready in time; what was there before is not used.
CALL sim.set('{"export_ms": 600000}');
ALTER FOREIGN TABLE gc.exported OPTIONS (ADD ready_timeout '150ms');
CALL sim.try('SELECT count(*) FROM gc.exported');
CALL sim.set('{"export_stale": "off", "export_busy": "restart"}');
CALL sim.try('SELECT count(*) FROM gc.exported');

--
-- Which way is taken: the cheaper one (DESIGN 4.4)
--
CALL sim.set('{"export_ms": 0}');
CALL sim.list('sized', '{key,name,phone}', '{phone}');
CREATE FOREIGN TABLE gc.sized (id text OPTIONS (attribute 'id'), key text, name text, created timestamptz OPTIONS (attribute 'date_created'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'sized', key 'key', fetch_size '1');
INSERT INTO gc.sized (key, name) SELECT 'S-' || i, 'Name ' || i % 50 FROM generate_series(1, 500) i;
-- A long list by export, its first rows and few of them by search; by search what an export does not have.
EXPLAIN (COSTS OFF) SELECT key, name FROM gc.sized;
EXPLAIN (COSTS OFF) SELECT key FROM gc.sized LIMIT 3;
EXPLAIN (COSTS OFF) SELECT key FROM gc.sized WHERE name = 'Name 3';
EXPLAIN (COSTS OFF) SELECT key, created FROM gc.sized;
EXPLAIN (COSTS OFF) SELECT key FROM gc.sized WHERE key IN ('S-1', 'S-2');
SELECT count(key), count(DISTINCT name) FROM gc.sized;
-- What is expected of it, at the quota that the simulator tells of.
CREATE FUNCTION gc.expected(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line ~ 'Expected|Path' THEN RETURN NEXT ltrim(line); END IF;
  END LOOP;
END $$;
SELECT gc.expected('SELECT key, created FROM gc.sized');
SELECT gc.expected('SELECT key FROM gc.sized WHERE key = ''S-1''');
SELECT gc.expected('SELECT key FROM gc.sized');
ALTER SERVER genesys OPTIONS (SET requests_per_minute '60');
SELECT gc.expected('SELECT key, created FROM gc.sized');
ALTER SERVER genesys OPTIONS (SET requests_per_minute '1000000');
-- Costs of the user's own.
ALTER FOREIGN TABLE gc.sized OPTIONS (ADD fdw_startup_cost '1000', ADD fdw_tuple_cost '5');
CREATE FUNCTION gc.costs(query text, OUT startup numeric, OUT total numeric) LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  startup := plan->0->'Plan'->>'Startup Cost';
  total := plan->0->'Plan'->>'Total Cost';
END $$;
SELECT * FROM gc.costs('SELECT key, created FROM gc.sized');
ALTER FOREIGN TABLE gc.sized OPTIONS (DROP fdw_startup_cost, DROP fdw_tuple_cost);
SELECT * FROM gc.costs('SELECT key, created FROM gc.sized');
-- A list that grew since it was looked at: its first page says so, and the rest comes by export.
CALL sim.list('grown', '{key,phone}', '{phone}');
CREATE FOREIGN TABLE gc.grown (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'grown', key 'key', fetch_size '1');
SELECT count(key) FROM gc.grown;
INSERT INTO gc.grown SELECT 'G-' || i FROM generate_series(1, 40) i;
CREATE FOREIGN TABLE gc.grown_too (key text) SERVER genesys OPTIONS (object 'contacts', list_name 'grown', key 'key', fetch_size '1');
SELECT count(key) FROM gc.grown_too;
INSERT INTO gc.grown SELECT 'G-' || i FROM generate_series(1, 300) i;
EXPLAIN (COSTS OFF) SELECT count(key) FROM gc.grown_too;
CALL sim.forget();
SELECT count(key) FROM gc.grown_too;
SELECT count(*) FILTER (WHERE path LIKE '%/search') AS searches, count(*) FILTER (WHERE path LIKE '%/export' AND method = 'POST') AS exports
FROM sim.requests();
-- That one walk has gone over says nothing of the next one, which may ask for less.
CALL sim.forget();
SELECT begins, (SELECT count(key) FROM gc.grown_too WHERE key LIKE begins || '%') FROM unnest('{G-,G-29,G-300}'::text[]) begins;
SELECT count(*) FILTER (WHERE path LIKE '%/search') AS searches, count(*) FILTER (WHERE path LIKE '%/export' AND method = 'POST') AS exports
FROM sim.requests();
-- So it does where max_requests would not let the search go on.
CALL sim.list('capped', '{key,phone}', '{phone}');
CREATE FOREIGN TABLE gc.capped (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'capped', key 'key', fetch_size '1');
CREATE FOREIGN TABLE gc.capped_too (key text) SERVER genesys OPTIONS (object 'contacts', list_name 'capped', key 'key', fetch_size '1');
SELECT count(key) FROM gc.capped_too;
INSERT INTO gc.capped SELECT 'C-' || i FROM generate_series(1, 50) i;
SET gc_fdw.max_requests = 40;
CALL sim.forget();
EXPLAIN (COSTS OFF) SELECT count(key) FROM gc.capped_too;
SELECT count(key) FROM gc.capped_too;
SELECT count(*) FILTER (WHERE path LIKE '%/search') AS searches, count(*) FILTER (WHERE path LIKE '%/export' AND method = 'POST') AS exports
FROM sim.requests();
-- The storage's answer is one of the five that an export takes.
SELECT count(key) FROM gc.exported;
SET gc_fdw.max_requests = 4;
CALL sim.try('SELECT count(key) FROM gc.exported');
SET gc_fdw.max_requests = 5;
CALL sim.try('SELECT count(key) FROM gc.exported');
RESET gc_fdw.max_requests;

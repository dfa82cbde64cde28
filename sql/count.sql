\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- COUNT(*), ORDER BY and LIMIT: pushed only where nothing is checked again (U7, DESIGN 4.4)
--
CALL sim.list('leads', '{key,name,phone,age,since,code,short,amount}', '{phone}',
  '{"columnDataTypeSpecifications": [{"columnName": "age", "columnDataType": "NUMERIC"},
                                     {"columnName": "since", "columnDataType": "TIMESTAMP"},
                                     {"columnName": "amount", "columnDataType": "NUMERIC"},
                                     {"columnName": "code", "columnDataType": "NUMERIC"}]}');
CREATE FOREIGN TABLE gc.leads (contact_id text OPTIONS (attribute 'id'), key text, name text, age numeric, since timestamptz,
    code integer NOT NULL, short text, amount numeric)
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key');
SET timezone = 'UTC';
-- In the order of the rows, whatever the size of a request is
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.leads (key, name, age, since, code, short, amount)
SELECT 'K-' || i, CASE WHEN i % 10 > 0 THEN 'Name ' || i % 7 END, CASE WHEN i % 50 > 0 THEN i END,
       timestamptz '2026-01-01' + i * interval '1 hour', i * 7 % 250, 'S-' || i % 3, i % 4 + 0.04
FROM generate_series(1, 500) i;
INSERT INTO gc.leads (key, name, age, code) VALUES ('K-upper', 'NAME 3', -1, 7), ('K-odd', '50%_\', 0.5, 7);
ALTER SERVER genesys OPTIONS (DROP max_in_flight);
CREATE FOREIGN TABLE gc.exact (contact_id text OPTIONS (attribute 'id'), key text, name text, age numeric, since timestamptz,
    code integer NOT NULL, short varchar(8), amount numeric(6,1))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key', exact_filters 'true');
-- The user's word has to be true.
CALL sim.set('{"text_compare": "exact"}');

-- A query's rows; what it asked; whether a local table with the same contents gives the same.
CREATE FUNCTION gc.asked() RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(string_agg(format('%s pages of up to %s', n, most), ', '), 'nobody is asked')
  FROM (SELECT count(*) AS n, max(rows) AS most FROM sim.requests() WHERE path LIKE '%/contacts/%' HAVING count(*) > 0) r
$$;
CREATE PROCEDURE gc.ask(query text) LANGUAGE plpgsql AS $$
DECLARE far text; near text;
BEGIN
  CALL sim.forget();
  EXECUTE format('SELECT string_agg(q::text, '' '') FROM (%s) q', query) INTO far;
  RAISE INFO '%: %', left(far, 60), gc.asked();
  EXECUTE format('SELECT string_agg(q::text, '' '') FROM (%s) q', regexp_replace(query, 'gc\.(leads|exact)', 'gc.near', 'g')) INTO near;
  IF near IS DISTINCT FROM far THEN RAISE WARNING 'but a local table says %', left(near, 60); END IF;
END $$;
CREATE TABLE gc.near AS SELECT * FROM gc.exact;

--
-- COUNT(*) of all
--
CALL gc.ask('SELECT count(*) FROM gc.leads');
CALL gc.ask('SELECT count(*) + 1 AS more, now() IS NULL AS no FROM gc.leads');
CALL gc.ask('SELECT count(*) FROM gc.leads HAVING count(*) > 500');
CALL gc.ask('SELECT 1 FROM gc.leads HAVING count(*) > 1000');
CALL gc.ask('SELECT count(*), CASE WHEN count(*) > 5 THEN (SELECT max(i) + count(*) FROM generate_series(1, 3) i) END FROM gc.leads');
CALL gc.ask('SELECT g, (SELECT count(*) + g FROM gc.leads) FROM generate_series(1, 3) g');
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.leads HAVING count(*) > 500;
EXPLAIN (COSTS OFF, VERBOSE) SELECT 'n', count(*) * 2 FROM gc.leads;
EXPLAIN SELECT count(*) FROM gc.leads;
-- Of objects without a list, and of a list without contacts
CREATE FOREIGN TABLE gc.lists (name text) SERVER genesys OPTIONS (object 'contact_lists');
CREATE FOREIGN TABLE gc.jobs (list_id text) SERVER genesys OPTIONS (object 'import_jobs');
CALL sim.list('empty', '{key,phone}');
CREATE FOREIGN TABLE gc.empty (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'empty');
SELECT (SELECT count(*) FROM gc.lists) AS lists, (SELECT count(*) FROM gc.jobs) AS jobs, (SELECT count(*) FROM gc.empty) AS contacts;
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.lists;
-- A listing may give more than what it is asked for.
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.lists WHERE name = 'leads';
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.jobs;

--
-- COUNT(*) of some: whether there is a text is exact without anybody's word
--
CALL gc.ask('SELECT count(*) FROM gc.leads WHERE name IS NULL');
CALL gc.ask('SELECT count(*) FROM gc.leads WHERE name IS NOT NULL');
CALL gc.ask('SELECT count(*) FROM gc.leads WHERE name IS NULL OR key IS NULL');
CALL gc.ask('SELECT count(*) FROM gc.leads WHERE age IS NULL');
CALL gc.ask($$ SELECT count(*) FROM gc.leads WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.leads WHERE name IS NOT NULL AND age < 10 $$);
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.leads WHERE name IS NOT NULL;

--
-- … the rest by the user's word
--
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name IN ('Name 3', 'name 4', '', NULL) $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name LIKE 'Name 3' OR name LIKE 'Na%' OR name LIKE '%AME%' OR name LIKE '%\_\\' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name ^@ 'NA' $$);
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE age < 100');
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE age <= 100 AND 90.5 < age');
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE age >= 499 OR age = 1 OR age IN (2, 3.0)');
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE code > 245');
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' AND (age < 100 OR age > 200) AND key IS NOT NULL $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = '' $$);
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.exact WHERE name = 'Name 3' AND age < 100;
-- What is not exact by anybody's word is counted here.
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name LIKE '_ame 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name LIKE 'N%3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name LIKE '%' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name <> 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name > 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE lower(name) = 'name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE since > '2026-01-10' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE (name = 'Name 3' AND age < 100) OR (name = 'Name 4' AND age > 400) $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE NOT (name = 'Name 3') $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE short = 'S-1' $$);
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE amount = 1');
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE age = code');
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' AND random() < 2 $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' AND now() > '2026-01-01' $$);
-- Contacts by name are looked up by id, since a search may not show them yet.
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE key = 'K-3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE contact_id IN ('K-3', 'K-4', 'nobody') $$);
-- Other aggregates, groups, joins and rows that are cut off count rows.
CALL gc.ask($$ SELECT count(name) FROM gc.exact WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*), max(age) FROM gc.exact WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FILTER (WHERE age < 100) FROM gc.exact WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(DISTINCT name) FROM gc.exact WHERE name ^@ 'Name' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' GROUP BY name $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' GROUP BY () $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name = 'Name 3' GROUP BY ROLLUP (code) ORDER BY 1 DESC LIMIT 1 $$);
CALL gc.ask($$ SELECT count(*), generate_series(1, 2) FROM gc.exact WHERE name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM gc.exact a JOIN gc.exact b USING (key) WHERE a.name = 'Name 3' AND b.name = 'Name 3' $$);
CALL gc.ask($$ SELECT count(*) FROM (SELECT FROM gc.exact WHERE name = 'Name 3' LIMIT 5) s $$);
CALL gc.ask($$ SELECT count(*) FROM (SELECT DISTINCT name FROM gc.exact WHERE name ^@ 'Name') s $$);
CALL gc.ask($$ SELECT count(*) FROM (SELECT FROM gc.exact UNION ALL SELECT FROM gc.exact) s $$);
CALL gc.ask('SELECT count(*) FROM gc.exact WHERE false');
-- Each part of an Append is a count, which waits for its answer.
CALL gc.ask($$ SELECT count(*) FROM gc.exact WHERE name LIKE 'Na%' UNION ALL SELECT count(*) FROM gc.leads UNION ALL SELECT count(*) FROM gc.exact WHERE name LIKE 'N%3' $$);

-- Values that only the execution knows: said exactly, not at all, or not exactly.
SET plan_cache_mode = force_generic_plan;
PREPARE by_name(text) AS SELECT count(*) FROM gc.exact WHERE name LIKE $1;
EXPLAIN (COSTS OFF) EXECUTE by_name('Name 3');
CREATE PROCEDURE gc.execute(name text, VARIADIC "values" text[]) LANGUAGE plpgsql AS $$
DECLARE value text; n bigint;
BEGIN
  FOREACH value IN ARRAY "values" LOOP
    CALL sim.forget();
    EXECUTE format('EXECUTE %s(%s)', name, value) INTO n;
    RAISE INFO '%: % rows, %', left(value, 30), n, gc.asked();
  END LOOP;
END $$;
CALL gc.execute('by_name', '''Name 3''', '''%ame%''', '''N%3''', '''_ame 3''', '''''', 'NULL', '''%''', '''absent''');
PREPARE by_age(numeric) AS SELECT count(*) FROM gc.exact WHERE age < $1 AND name IS NOT NULL;
CALL gc.execute('by_age', '50', '''NaN''', '50.0000000000000000001', '1e40', 'NULL');
PREPARE by_names(text[]) AS SELECT count(*) FROM gc.exact WHERE name = ANY ($1) OR age = 1;
CALL gc.execute('by_names', '''{Name 3,Name 4}''', '''{}''', '''{NULL,""}''', 'NULL');
-- More than fit one request
SELECT quote_literal(array_agg('Name ' || i)) AS names FROM generate_series(1, 2000) i \gset
CALL gc.execute('by_names', :'names');
RESET plan_cache_mode;
-- Rescans, with values of the row above and without.
CALL gc.ask($$ SELECT g, (SELECT count(*) FROM gc.exact WHERE name = 'Name ' || g) FROM generate_series(0, 3) g $$);
CALL gc.ask($$ SELECT p, n FROM (VALUES ('Name 3'), (NULL), ('N%3'), ('%3')) v (p), LATERAL (SELECT count(*) AS n FROM gc.exact WHERE name LIKE p) s $$);
CALL gc.ask($$ SELECT p, n FROM (VALUES (1), (2)) v (p) LEFT JOIN LATERAL (SELECT count(*) AS n FROM gc.exact HAVING count(*) > 500) s ON p > 1 $$);
-- The list has the column as another type than the table says: it is counted here.
CREATE FOREIGN TABLE gc.typed (age text, name integer OPTIONS (field 'phone')) SERVER genesys
  OPTIONS (object 'contacts', list_id 'leads', exact_filters 'true');
CALL sim.forget();
SELECT count(*) FROM gc.typed WHERE age = '15';
SELECT count(*) FROM gc.typed WHERE age IS NULL;
SELECT count(*) FROM gc.typed WHERE name < 15;
SELECT gc.asked();
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.typed WHERE age = '15';

-- Partitions, views
CREATE TABLE gc.parts (LIKE gc.near) PARTITION BY LIST (code);
ALTER TABLE gc.parts ATTACH PARTITION gc.exact DEFAULT;
SELECT count(*) FROM gc.parts;
SET enable_partitionwise_aggregate = on;
SELECT count(*) FROM gc.parts;
SELECT count(*) FROM gc.parts WHERE name = 'Name 3';
RESET enable_partitionwise_aggregate;
ALTER TABLE gc.parts DETACH PARTITION gc.exact;
CREATE VIEW gc.threes AS SELECT * FROM gc.exact WHERE name = 'Name 3';
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.threes WHERE age < 100;
-- A way that is forced is kept to, max_requests too.
ALTER FOREIGN TABLE gc.exact OPTIONS (ADD scan_method 'export');
EXPLAIN (COSTS OFF) SELECT count(*) FROM gc.exact;
ALTER FOREIGN TABLE gc.exact OPTIONS (SET scan_method 'ids');
CALL sim.try('SELECT count(*) FROM gc.exact');
ALTER FOREIGN TABLE gc.exact OPTIONS (DROP scan_method);
SET gc_fdw.max_requests = 1;
SELECT count(*) FROM gc.exact WHERE name ^@ 'Name';
RESET gc_fdw.max_requests;
-- What is written in the same statement
CALL sim.list('own', '{key,phone}');
CREATE FOREIGN TABLE gc.own (key text, phone text) SERVER genesys OPTIONS (object 'contacts', list_id 'own', key 'key');
INSERT INTO gc.own SELECT 'N-' || count(*) FROM gc.own;
INSERT INTO gc.own SELECT 'N-' || count(*) FROM gc.own;
WITH made AS (INSERT INTO gc.own VALUES ('N-2'), ('N-3') RETURNING key) SELECT (SELECT count(*) FROM gc.own) AS before, count(*) AS made FROM made;
SELECT count(*), count(key) FROM gc.own;
-- An answer without a total, and a list that is gone
CALL sim.faults('[{"path": "*/search", "body_json": {"entities": [], "pageCount": 1}, "times": 1}]');
CALL sim.try('SELECT count(*) FROM gc.own');
CALL sim.faults('[{"path": "*/search", "status": 404, "body_json": {"code": "contact.list.not.found", "status": 404}, "times": 1}]');
CALL sim.try('SELECT count(*) FROM gc.own');
SELECT count(*) FROM gc.own;

--
-- LIMIT: no more rows than are wanted, where none of them will be dropped
--
CALL gc.ask('SELECT key FROM gc.leads LIMIT 3');
CALL gc.ask('SELECT key FROM gc.leads LIMIT 2 OFFSET 3');
CALL gc.ask('SELECT key FROM gc.leads OFFSET 498 LIMIT 2');
CALL gc.ask('SELECT key FROM gc.leads WHERE name IS NULL LIMIT 2');
CALL gc.ask($$ SELECT key FROM gc.leads WHERE name = 'Name 3' LIMIT 2 $$);
CALL gc.ask($$ SELECT key FROM gc.exact WHERE name = 'Name 3' AND age < 100 LIMIT 2 $$);
CALL gc.ask($$ SELECT key FROM gc.exact WHERE name = 'Name 3' AND since < '2027-01-01' LIMIT 2 $$);
CALL gc.ask('SELECT age FROM gc.exact ORDER BY age LIMIT 2');
CALL gc.ask('SELECT key, count(*) OVER () FROM gc.exact LIMIT 2');
CALL gc.ask('SELECT DISTINCT key FROM gc.exact ORDER BY 1 LIMIT 2');
EXPLAIN SELECT key FROM gc.leads LIMIT 3;
-- Without its own limit a value that is not known may be said, too.
PREPARE by_few(text) AS SELECT count(*) FROM (SELECT FROM gc.exact WHERE name LIKE $1 LIMIT 5) s;
SET plan_cache_mode = force_generic_plan;
CALL gc.execute('by_few', '''Name 3''', '''N%3''');
RESET plan_cache_mode;

--
-- ORDER BY: of numbers that are always there, by the user's word
--
CALL gc.ask('SELECT code FROM gc.exact ORDER BY code LIMIT 4');
CALL gc.ask('SELECT code FROM gc.exact ORDER BY code DESC LIMIT 4 OFFSET 1');
CALL gc.ask($$ SELECT code FROM gc.exact WHERE name = 'Name 3' ORDER BY code DESC LIMIT 2 $$);
CALL gc.ask($$ SELECT code FROM gc.exact WHERE name <> 'Name 3' ORDER BY code LIMIT 2 $$);
CALL gc.ask('SELECT code, key FROM gc.exact ORDER BY code, key LIMIT 3');
CALL gc.ask('SELECT code FROM gc.leads ORDER BY code LIMIT 4');
EXPLAIN (COSTS OFF) SELECT code FROM gc.exact ORDER BY code DESC LIMIT 4;
EXPLAIN (COSTS OFF) SELECT code FROM gc.exact ORDER BY code, key LIMIT 3;
-- Not of texts, of what may be empty, nor in an order of the user's own
EXPLAIN (COSTS OFF) SELECT code FROM gc.exact ORDER BY name LIMIT 4;
EXPLAIN (COSTS OFF) SELECT code FROM gc.exact ORDER BY age LIMIT 4;
EXPLAIN (COSTS OFF) SELECT code FROM gc.exact ORDER BY -code LIMIT 4;
-- All rows in their order, page by page, nobody twice, with as many equal ones as there are.
ALTER FOREIGN TABLE gc.exact OPTIONS (ADD scan_method 'search', ADD fetch_size '30');
CALL sim.forget();
BEGIN;
SET enable_sort = off;
CREATE TABLE gc.sorted AS SELECT row_number() OVER () AS n, * FROM (SELECT code, key FROM gc.exact ORDER BY code DESC) s;
COMMIT;
SELECT count(*), count(DISTINCT key), bool_and(code <= before) FROM (SELECT *, lag(code, 1, 1000) OVER (ORDER BY n) AS before FROM gc.sorted) s;
SELECT gc.asked();
-- A cell for which the user's word is not true is an error, not a wrong order.
CREATE FOREIGN TABLE gc.numbers (age numeric NOT NULL, since text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', exact_filters 'true');
CALL sim.try('SELECT age FROM gc.numbers ORDER BY age LIMIT 20');
CREATE FOREIGN TABLE gc.odd (age numeric NOT NULL, note numeric OPTIONS (field 'code') NOT NULL) SERVER genesys
  OPTIONS (object 'contacts', list_id 'odd', exact_filters 'true');
CALL sim.list('odd', '{key,phone,age,code}', '{phone}', '{"columnDataTypeSpecifications": [{"columnName": "age", "columnDataType": "NUMERIC"}]}');
INSERT INTO gc.odd VALUES (1, 1), (2, 1), ('NaN', 1), (3, 1);
CALL sim.try('SELECT age FROM gc.odd ORDER BY age LIMIT 4');
SELECT age FROM gc.odd ORDER BY note DESC, age + 0 LIMIT 4;
-- Tables that inherit from it have rows of their own.
CREATE TABLE gc.heir (note text) INHERITS (gc.exact);
INSERT INTO gc.heir (key, name, code) VALUES ('heir', 'Name 3', 1);
SELECT count(*) FROM gc.exact;
SELECT count(*) FROM ONLY gc.exact;
DROP SERVER genesys CASCADE;

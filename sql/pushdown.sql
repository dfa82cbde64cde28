\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Contacts by id, and conditions that the platform checks (U7, U8, U11, DESIGN 4.4)
--
CALL sim.list('leads', '{key,name,phone,age,seen}', '{phone}',
  '{"columnDataTypeSpecifications": [{"columnName": "age", "columnDataType": "NUMERIC"},
                                     {"columnName": "seen", "columnDataType": "TIMESTAMP"}]}');
CREATE FOREIGN TABLE gc.leads (contact_id text OPTIONS (attribute 'id'), key text, name text, age numeric, seen timestamptz)
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key');
SET timezone = 'UTC';
INSERT INTO gc.leads (key, name, age, seen)
SELECT 'K-' || i, CASE WHEN i % 10 > 0 THEN 'Name ' || i % 7 END, i, timestamptz '2026-01-01' + i * interval '1 hour'
FROM generate_series(1, 1500) i;
-- A contact that was loaded elsewhere, under an id of its own.
INSERT INTO gc.leads (contact_id, key, name) VALUES ('K-5', 'K-5', 'Name 5');
CREATE FOREIGN TABLE gc.other (contact_id text OPTIONS (attribute 'id'), k text OPTIONS (field 'key'), name text)
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
INSERT INTO gc.other VALUES ('elsewhere', 'K-5', 'another id');

-- What was asked, in short.
CREATE FUNCTION gc.asked(OUT call text, OUT rows bigint, OUT times bigint) RETURNS SETOF record LANGUAGE sql AS $$
  SELECT method || ' ' || regexp_replace(regexp_replace(path, '.*/contacts/', ''), '^(?!search$|bulk$).*', 'one'), sum(rows), count(*)
  FROM sim.requests()
  WHERE path LIKE '%/contacts/%' GROUP BY 1 ORDER BY 1;
$$;
CREATE PROCEDURE gc.ask(query text) LANGUAGE plpgsql AS $$
DECLARE n bigint; c record;
BEGIN
  CALL sim.forget();
  EXECUTE format('SELECT count(*) FROM (%s OFFSET 0) q', query) INTO n;
  RAISE INFO '% rows', n;
  FOR c IN SELECT * FROM gc.asked() LOOP RAISE INFO '  %: % rows in % requests', c.call, c.rows, c.times; END LOOP;
END $$;

--
-- By id
--
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = 'K-7' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE 'K-7' = contact_id AND name = 'Name 1' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = 'nobody' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = '' OR contact_id = NULL $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id IN ('K-1', 'K-2', 'K-2', 'nobody', '', NULL) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 120) i)) $$);
-- However many, it takes less than the whole list: 1,500 contacts would be 15 pages.
SELECT string_agg(quote_literal('K-' || i), ', ') AS ids FROM generate_series(1, 400) i \gset
CALL gc.ask(format('SELECT * FROM gc.leads WHERE contact_id IN (%s)', :'ids'));
-- How many a sub-select will give is a guess: that it takes more is no reason to search, which may miss what is new.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 1500) i)) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = ANY ('{}') $$);
-- By key: by id, and by a search for those that were loaded elsewhere, once each.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE key = 'K-5' $$);
SELECT contact_id, name FROM gc.leads WHERE key = 'K-5' ORDER BY 1;
CALL gc.ask($$ SELECT * FROM gc.leads WHERE key IN ('K-5', 'K-6') $$);
-- One that only a search takes for it, since that does not tell case apart.
INSERT INTO gc.other VALUES ('lower', 'k-6', 'another key');
SELECT contact_id, key FROM gc.leads WHERE key = ANY (ARRAY['K-5', 'K-6']) ORDER BY 1;
DELETE FROM gc.other WHERE contact_id = 'lower';
-- What search does not show yet.
CALL sim.set('{"read_lag_ms": 60000}');
INSERT INTO gc.leads (key, name) VALUES ('K-new', 'new');
SELECT key, name FROM gc.leads WHERE key = 'K-new';
CALL sim.set('{"read_lag_ms": 0}');
-- An id is a text of its own.
INSERT INTO gc.leads (key) VALUES ('K:a@b.c');
SELECT contact_id FROM gc.leads WHERE contact_id = 'K:a@b.c';

--
-- Joins: a look-up for each row of a small table; the whole list for a large one
--
CREATE TABLE gc.few AS SELECT 'K-' || i AS k FROM generate_series(1, 3) i;
ANALYZE gc.few;
CALL gc.ask($$ SELECT * FROM gc.few JOIN gc.leads ON contact_id = k $$);
CALL gc.ask($$ SELECT * FROM gc.few LEFT JOIN gc.leads ON contact_id = k AND age > 1 $$);
CALL gc.ask($$ SELECT FROM gc.few WHERE (SELECT age FROM gc.leads WHERE contact_id = k) < 3 $$);
-- A row that names nobody, after one that named many.
CREATE TABLE gc.groups (n integer, ids text[]);
INSERT INTO gc.groups SELECT 1, array_agg('K-' || i) FROM generate_series(1, 3000) i;
INSERT INTO gc.groups VALUES (2, NULL), (3, '{K-1,nobody}'), (4, NULL);
ANALYZE gc.groups;
SELECT n, (SELECT count(*) FROM gc.leads WHERE contact_id = ANY (ids)) FROM gc.groups ORDER BY n;
-- Columns that are equal to each other: the plan may compare any of them with the other table's.
INSERT INTO gc.leads (key, name) VALUES ('same', 'same');
INSERT INTO gc.few VALUES ('same');
ANALYZE gc.few;
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
SELECT k, contact_id FROM gc.few JOIN gc.leads ON name = contact_id AND contact_id = k;
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;
DELETE FROM gc.few WHERE k = 'same';
ANALYZE gc.few;
CREATE TABLE gc.many AS SELECT 'K-' || i AS k FROM generate_series(1, 1000) i;
ANALYZE gc.many;
SELECT count(key) FROM gc.leads;
CALL gc.ask($$ SELECT * FROM gc.many JOIN gc.leads ON contact_id = k $$);
-- A rescan whose parameters did not change asks for nothing.
SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off;
CALL gc.ask($$ SELECT * FROM gc.few JOIN gc.leads ON name <> k WHERE age < 5 $$);
RESET enable_hashjoin; RESET enable_mergejoin; RESET enable_material;

--
-- Conditions
--
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = 'Name 3' $$);
-- The platform ignores case; PostgreSQL does not.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = 'name 3' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name IN ('Name 3', 'Name 4', NULL) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name LIKE 'Name 1%' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name LIKE '%6' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name LIKE '_ame 5%' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name LIKE 'Name\_%' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name ^@ 'Name 2' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name IS NULL $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name IS NOT NULL AND age <= 50 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE age < 10 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE age BETWEEN 10 AND 19 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE age IN (1, 2, 3) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE 1490 < age $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE seen < '2026-01-02' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE seen >= '2026-03-04 11:00' $$);
-- AND, OR: as far as it can be said in two levels.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = 'Name 3' AND (age = 3 OR age = 10 OR name LIKE 'X%') $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE (name = 'Name 3' AND age < 100) OR (name = 'Name 4' AND age > 1400) $$);
-- What would lose rows, or means something else there, is not pushed.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name <> 'Name 3' AND name > 'Name 4' AND lower(name) = 'name 6' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name ILIKE 'NAME 3' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE NOT (name = 'Name 3') $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = 'Name 3' OR random() < 0 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = 'Name 3' COLLATE "C" $$);
-- A column that the list holds as another type is compared here.
CREATE FOREIGN TABLE gc.typed (age text, name integer OPTIONS (field 'phone')) SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
CALL gc.ask($$ SELECT * FROM gc.typed WHERE age = '15' $$);
CALL gc.ask($$ SELECT * FROM gc.typed WHERE name = 15 $$);

-- A column that cuts or rounds its cells equals values that they do not.
INSERT INTO gc.leads (key, name, age) VALUES ('cut', '123456789012   ', 9000.004);
CREATE FOREIGN TABLE gc.narrow (name varchar(12), age numeric(12,2)) SERVER genesys OPTIONS (object 'contacts', list_id 'leads');
SELECT * FROM gc.narrow WHERE name = '123456789012';
SELECT * FROM gc.narrow WHERE name IN ('123456789012', 'x');
SELECT * FROM gc.narrow WHERE name LIKE '1%012';
SELECT * FROM gc.narrow WHERE name LIKE '%789012';
SELECT * FROM gc.narrow WHERE age = 9000;
CALL gc.ask($$ SELECT * FROM gc.narrow WHERE name = 'Name 3' $$);
-- A number that is too long for the platform is compared here.
SELECT count(*) FROM gc.leads WHERE age = 1e100 OR age < -1e-70;

-- What is too long for a request is compared here, or is nobody's id.
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = repeat('x', 1000000) AND age = 3 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE name = ANY (ARRAY(SELECT repeat('x', 500) || i FROM generate_series(1, 1000) i) || 'Name 3'::text) AND age = 3 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = repeat('x', 100000) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id IN ('K-3', repeat('x', 1000000)) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE key = repeat('x', 100000) $$);

--
-- Parameters: of generic plans, PL/pgSQL, NULL among them
--
SET plan_cache_mode = force_generic_plan;
PREPARE by_name(text, numeric) AS SELECT count(*) FROM gc.leads WHERE name = $1 AND age < $2;
CALL sim.forget();
EXECUTE by_name('Name 3', 100);
EXECUTE by_name('Name 4', 50);
EXECUTE by_name(NULL, 50);
SELECT * FROM gc.asked();
PREPARE by_id(text) AS SELECT key FROM gc.leads WHERE contact_id = $1;
CALL sim.forget();
EXECUTE by_id('K-3');
EXECUTE by_id(NULL);
SELECT * FROM gc.asked();
RESET plan_cache_mode;
DO $$
DECLARE wanted text := 'Name 3'; n bigint;
BEGIN
  SELECT count(*) INTO n FROM gc.leads WHERE name = wanted AND age < 20;
  RAISE INFO '% rows', n;
END $$;

--
-- EXPLAIN asks nobody
--
CALL sim.forget();
EXPLAIN (COSTS OFF) SELECT * FROM gc.leads WHERE contact_id = 'K-1';
EXPLAIN (COSTS OFF) SELECT * FROM gc.leads WHERE key = ANY ('{K-1,K-2}');
EXPLAIN (COSTS OFF) SELECT * FROM gc.leads WHERE name = 'Name "3"' AND age < 100 AND name <> 'x';
-- Without the recheck, whose sides stand differently in each version.
CREATE FUNCTION gc.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
    IF line NOT LIKE '%Filter: (%' THEN RETURN NEXT line; END IF;
  END LOOP;
END $$;
SELECT * FROM gc.plan('SELECT * FROM gc.few JOIN gc.leads ON contact_id = k');
SELECT * FROM gc.asked();
--
-- scan_method: a way that is forced is the only one
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD scan_method 'ids');
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = 'K-7' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE key IN ('K-5', 'K-6') AND age < 6 $$);
CALL gc.ask($$ SELECT * FROM gc.few JOIN gc.leads ON contact_id = k $$);
CALL gc.ask($$ SELECT * FROM gc.many JOIN gc.leads ON key = k WHERE k = 'K-9' $$);
CALL gc.ask($$ SELECT * FROM gc.few LEFT JOIN gc.leads ON contact_id = k $$);
CALL gc.ask($$ SELECT k FROM gc.few WHERE (SELECT age FROM gc.leads WHERE contact_id = k) < 3 $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 1500) i)) $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE false $$);
-- Nobody is asked where no contact is named, not by EXPLAIN either.
CALL sim.forget();
CALL sim.try('SELECT count(*) FROM gc.leads');
CALL sim.try($$SELECT * FROM gc.leads WHERE name = 'Name 3'$$);
CALL sim.try($$SELECT * FROM gc.leads WHERE contact_id <> 'K-7'$$);
CALL sim.try('SELECT * FROM gc.leads LEFT JOIN gc.few ON contact_id = k');
CALL sim.try('SELECT * FROM gc.few FULL JOIN gc.leads ON contact_id = k');
CALL sim.try('INSERT INTO gc.leads (key) SELECT key FROM gc.leads JOIN gc.few ON contact_id = k');
CALL sim.try('EXPLAIN SELECT * FROM gc.leads');
CREATE FOREIGN TABLE gc.nameless (name text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', scan_method 'ids');
CALL sim.try($$SELECT * FROM gc.nameless WHERE name = 'K-7'$$);
CREATE FOREIGN TABLE gc.keyed (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'key', scan_method 'ids');
CALL sim.try('SELECT * FROM gc.keyed');
SELECT * FROM gc.asked();
-- By search alone: ids are not looked up, not in joins either.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET scan_method 'search');
CALL gc.ask($$ SELECT * FROM gc.leads WHERE key = 'K-7' $$);
CALL gc.ask($$ SELECT * FROM gc.leads WHERE contact_id = 'K-7' $$);
CALL gc.ask($$ SELECT * FROM gc.few JOIN gc.leads ON contact_id = k $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP scan_method);
-- Of a server, it means contacts and nothing else.
ALTER SERVER genesys OPTIONS (ADD scan_method 'ids');
CREATE FOREIGN TABLE gc.lists (name text) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc.lists;
CALL sim.try('SELECT count(*) FROM gc.leads');
ALTER SERVER genesys OPTIONS (DROP scan_method);

--
-- A list that changes while it is read (DESIGN 4.4): no contact twice, and it is said that the total moved
--
CALL sim.list('moving', '{key,phone}');
CREATE FOREIGN TABLE gc.moving (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'moving', key 'key', fetch_size '10');
INSERT INTO gc.moving SELECT 'M-' || i FROM generate_series(1, 15) i;
CREATE PROCEDURE gc.move() LANGUAGE sql AS $$
  SELECT sim.control('POST', 'faults', jsonb_build_array(jsonb_build_object('path', '*/search', 'nth', 2, 'body_json',
    jsonb_build_object('pageNumber', 2, 'pageSize', 10, 'pageCount', 2, 'total', 16, 'contactsCount', 16, 'entities',
      (SELECT jsonb_agg(jsonb_build_object('id', 'M-' || i, 'data', jsonb_build_object('key', 'M-' || i))) FROM generate_series(10, 15) i))))::text);
$$;
CALL gc.move();
SELECT count(*), count(DISTINCT key) FROM gc.moving;
ALTER FOREIGN TABLE gc.moving OPTIONS (ADD on_drift 'ignore');
CALL gc.move();
SELECT count(*), count(DISTINCT key) FROM gc.moving;
ALTER FOREIGN TABLE gc.moving OPTIONS (SET on_drift 'error');
CALL gc.move();
CALL sim.try('SELECT * FROM gc.moving');
ALTER FOREIGN TABLE gc.moving OPTIONS (SET on_drift 'worry');
--
-- use_remote_estimate: the planner asks how many rows there are, and how many a constant leaves
--
CALL sim.list('asked', '{key,name,phone}', '{phone}');
CREATE FOREIGN TABLE gc.estimated (key text, name text) SERVER genesys OPTIONS (object 'contacts', list_name 'asked', key 'key');
INSERT INTO gc.estimated SELECT 'E-' || i, 'Name ' || i % 5 FROM generate_series(1, 200) i;
CREATE FUNCTION gc.planned(query text, OUT rows bigint, OUT requests bigint) LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  CALL sim.forget();
  EXECUTE 'EXPLAIN (FORMAT JSON) ' || query INTO plan;
  rows := plan->0->'Plan'->>'Plan Rows';
  requests := (SELECT count(*) FROM sim.requests());
END $$;
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated WHERE name = 'Name 3' $$);
ALTER FOREIGN TABLE gc.estimated OPTIONS (ADD use_remote_estimate 'on');
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated WHERE name = 'Name 3' $$);
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated $$);
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated WHERE name = 'Name 3' AND length(key) = random() $$);
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated WHERE name = current_user $$);
SELECT * FROM gc.planned($$ SELECT * FROM gc.estimated WHERE name = 'nobody' $$);
--
-- U11: the requests that a sub-select's ids are expected to take, also where an outer query has it
--
CREATE FUNCTION gc.expected(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
    IF line ~ 'Path|Expected Requests' THEN RETURN NEXT trim(line); END IF;
  END LOOP;
END $$;
SELECT gc.expected($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 260) i)) $$);
SELECT gc.expected($$ SELECT * FROM gc.leads WHERE key = ANY (ARRAY(SELECT ('K-' || i)::varchar FROM generate_series(1, 260) i)) $$);
SELECT gc.expected($$ SELECT * FROM (SELECT DISTINCT contact_id FROM gc.leads) q
  WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 260) i)) $$);
-- By so many an export is cheaper.
SELECT gc.expected($$ SELECT * FROM gc.leads WHERE contact_id = ANY (ARRAY(SELECT 'K-' || i FROM generate_series(1, 5000) i)) $$);
DROP SERVER genesys CASCADE;

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Types: one canonical text for a value, whatever the session's settings, and back
--
CREATE TYPE gc.colour AS ENUM ('red', 'dark green');
CREATE DOMAIN gc.percent AS int CHECK (value BETWEEN 0 AND 100);
CREATE DOMAIN gc.day AS date;
CREATE TYPE gc.pair AS (a int, b text);
CREATE TABLE gc.samples (
  id text, t text, v varchar(20), c char(8), b boolean, i2 int2, i4 int4, i8 int8, n numeric, n2 numeric(8,2),
  f4 float4, f8 float8, d date, ts timestamp, tz timestamptz, u uuid, j json, jb jsonb, e gc.colour, p gc.percent, dd gc.day,
  iv interval, by bytea, tm time, ttz timetz, ip inet, pr gc.pair, tr tstzrange);
INSERT INTO gc.samples VALUES
  ('plain', 'text', 'varchar', 'char', true, 1, -2, 3, 4.50, 5.6, 1.5, -2.25, '2026-01-31', '2026-01-31 09:05:00', '2026-01-31 09:05:00.5+02',
   '7d444840-9dc0-11d1-b245-5ffdce74fad2', '{"a" : 1}', '{"b": [1, null]}', 'dark green', 50, '2026-02-03', '1 year 2 mons 3 days 04:05:06', '\xdeadbeef',
   '12:34:56.789', '12:34:56+02', '10.0.0.1/8', '(1,"x y")', '["2026-01-31 09:05:00+02",)'),
  ('least', ' ', '  x', 'x', false, -32768, -2147483648, -9223372036854775808, 'NaN', -999999.99, '-3.4028235e38', '-1.7976931348623157e308', '4713-01-01 BC',
   '4713-01-01 00:00:00 BC', '4713-01-02 00:00:00+00 BC', '00000000-0000-0000-0000-000000000000', '[]', 'null', 'red', 0, '-infinity', '-178000000 years', '\x00', '00:00', '00:00+15', '::1', '(,)', 'empty'),
  ('most', repeat('x', 512), repeat('é', 20), '12345678', true, 32767, 2147483647, 9223372036854775807, ('1' || repeat('0', 400) || '.000000000000000000001')::numeric, 0,
   '3.4028235e38', '1.7976931348623157e308', '5874897-12-31', '294276-12-31 23:59:59.999999', '294276-12-31 23:59:59.999999+00', 'ffffffff-ffff-ffff-ffff-ffffffffffff',
   '"\u00e9\n"', '{"é": 1e400}', 'red', 100, 'infinity', '1 mon -1 days +00:00:00.000001', '\x275c', '24:00', '24:00-15', '2001:db8::/32', '(2147483647,"""")', '(,)'),
  ('tiny', NULL, NULL, NULL, NULL, NULL, 0, NULL, 'Infinity', NULL, '1e-45', '5e-324', '0001-01-01', '2026-01-31 23:59:59.000001', '1900-01-01 00:00:00+00:19:32', NULL, NULL, NULL, NULL, NULL, NULL, '0', NULL, NULL, NULL, NULL, NULL, NULL),
  ('minus', NULL, NULL, NULL, NULL, NULL, NULL, NULL, -0.0, NULL, '-0', 'NaN', 'infinity', 'infinity', '-infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  ('half', NULL, NULL, NULL, NULL, NULL, NULL, NULL, '-Infinity', NULL, '0.1', '0.1', '1999-12-31', '1999-12-31 12:00', '1999-12-31 23:59:59.999999-08', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO gc.samples VALUES ('nothing');
CREATE TABLE gc.arrays (
  id text, ta text[], va varchar(5)[], ia int[], na numeric[], fa float8[], ba boolean[], da date[], tza timestamptz[], ja jsonb[], jsa json[], ea gc.colour[], ua uuid[], pa gc.percent[], iva interval[]);
INSERT INTO gc.arrays (id, ja, jsa) VALUES
  ('json', ARRAY['"abc"', '[1,2]', 'null', '12', '{"a":1}', NULL, '[]', '""']::jsonb[], ARRAY['"abc"', '[1, 2]', 'null', '12', NULL]::json[]),
  ('json-2', ARRAY[ARRAY['[1,2]', 'null'], ARRAY[NULL, '["[1]"]']]::jsonb[], ARRAY[ARRAY['[1, 2]'], ARRAY['null']]::json[]);
INSERT INTO gc.arrays VALUES
  ('plain', '{a,b}', '{x}', '{1,2}', '{1.50,-2}', '{0.5}', '{t,f}', '{2026-01-31}', '{"2026-01-31 09:05:00+02"}', '{"{\"a\": 1}"}', '{"{\"a\" : 1}"}', '{red,"dark green"}', '{7d444840-9dc0-11d1-b245-5ffdce74fad2}', '{1,100}', '{1 day}'),
  ('none', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
  ('odd', '{"a \"b\" \\ c","{}","",NULL,"NULL",é,"😀","[1]"}', '{NULL}', '{{1,2},{3,NULL}}', '{NaN,Infinity,-Infinity,1e-20,1e20}', '{NaN,Infinity,-Infinity,0.1,1e300,-0}', '{{t},{NULL}}', '{infinity,0044-03-15 BC}', '{infinity,-infinity,NULL}',
   '{"{\"b\": \"[\"}","\"s \\\\ \\\"q\\\"\"",NULL,0.10,false}', '{"\"s\""}', '{NULL}', '{{{00000000-0000-0000-0000-000000000000}}}', '{NULL}', '{-1 day,"00:00:00.5"}');

-- For each of the two a list and a foreign table of the same columns.
DO $$
DECLARE name text; columns text[];
BEGIN
  FOREACH name IN ARRAY '{samples,arrays}'::text[] LOOP
    columns := ARRAY(SELECT attname FROM pg_attribute WHERE attrelid = ('gc.' || name)::regclass AND attnum > 0 ORDER BY attnum);
    columns := columns || '{phone}'::text[];
    CALL sim.list(name, columns);
    EXECUTE (SELECT format('CREATE FOREIGN TABLE gc.remote_%s (%s) SERVER genesys OPTIONS (object %L, list_id %L, key %L)',
                           name, string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum), 'contacts', name, 'id')
             FROM pg_attribute WHERE attrelid = ('gc.' || name)::regclass AND attnum > 0);
  END LOOP;
END $$;

-- What is stored, by one session …
INSERT INTO gc.remote_samples TABLE gc.samples;
INSERT INTO gc.remote_arrays TABLE gc.arrays;
CREATE VIEW gc.cells AS
  SELECT list, id, key AS column, value
  FROM (VALUES ('samples'), ('arrays')) l (list), sim.contacts(list), jsonb_each_text(data) WHERE value <> '';
CREATE TABLE gc.stored AS TABLE gc.cells;
SELECT s.column, s.id, CASE WHEN length(value) > 80 THEN left(value, 40) || '… ' || length(value) ELSE value END AS cell
FROM gc.stored s JOIN pg_attribute a ON a.attname = s.column AND a.attrelid = ('gc.' || s.list)::regclass
WHERE s.column <> 'id' ORDER BY list DESC, a.attnum, s.id COLLATE "C";

-- … and by others, is the same; and reads back as it was.
CREATE PROCEDURE gc.same(settings text) LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gc.remote_samples TABLE gc.samples;
  INSERT INTO gc.remote_arrays TABLE gc.arrays;
  RAISE INFO '%: % cells stored otherwise, % samples and % arrays read otherwise', settings,
    (SELECT count(*) FROM gc.stored FULL JOIN gc.cells USING (list, id, "column", value) WHERE cells IS NULL OR stored IS NULL),
    (SELECT count(*) FROM gc.samples s FULL JOIN gc.remote_samples r USING (id) WHERE s::text IS DISTINCT FROM r::text),
    (SELECT count(*) FROM gc.arrays s FULL JOIN gc.remote_arrays r USING (id) WHERE s::text IS DISTINCT FROM r::text);
END $$;
CALL gc.same('these');
SET DateStyle = 'SQL, DMY';
SET TimeZone = 'Asia/Kathmandu';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = 3;
SET bytea_output = 'escape';
CALL gc.same('SQL, Kathmandu, escape');
SET DateStyle = 'German, MDY';
SET TimeZone = 'America/Los_Angeles';
SET IntervalStyle = 'iso_8601';
SET extra_float_digits = 0;
CALL gc.same('German, Los Angeles, iso_8601');
SET DateStyle = 'Postgres, DMY';
SET TimeZone = 'Europe/London';
SET IntervalStyle = 'postgres_verbose';
SET extra_float_digits = -15;
CALL gc.same('Postgres, London, verbose, no digits');
-- The settings are as they were.
SHOW DateStyle; SHOW TimeZone; SHOW IntervalStyle; SHOW extra_float_digits; SHOW bytea_output;
RESET DateStyle; RESET TimeZone; RESET IntervalStyle; RESET extra_float_digits; RESET bytea_output;
-- RETURNING shows the same.
CREATE TABLE gc.returned AS TABLE gc.samples WITH NO DATA;
WITH r AS (INSERT INTO gc.remote_samples TABLE gc.samples RETURNING *) INSERT INTO gc.returned TABLE r;
SELECT id FROM gc.returned r FULL JOIN gc.samples s USING (id) WHERE r::text IS DISTINCT FROM s::text;

-- What a cell does not keep: that a text was empty, where an array began.
INSERT INTO gc.remote_arrays (id, ia) VALUES ('bounds', '[0:1]={7,8}');
INSERT INTO gc.remote_samples (id, t, by) VALUES ('empty', '', '');
SELECT a.ia, s.t, s.by FROM gc.remote_arrays a, gc.remote_samples s WHERE a.id = 'bounds' AND s.id = 'empty';

-- What others may have stored: read without regard to DateStyle and TimeZone, a time without zone as UTC.
CALL sim.list('others', '{id,a,b,c,d,e,f,g}');
CREATE FOREIGN TABLE gc.others (id text, a text, b text, c text, d text, e text, f text, g text) SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'id');
INSERT INTO gc.others VALUES ('1', ' 42 ', '2026-01-31T09:05:00.123+0200', '2026-01-31 09:05:00', '2026/02/01', 'yes', '[ "1" , 2, null ]', ' ');
CREATE FOREIGN TABLE gc.typed (id smallint, a numeric, b timestamptz, c timestamptz, d date, e boolean, f int[], g text) SERVER genesys OPTIONS (object 'contacts', list_id 'others', key 'id');
SET TimeZone = 'Asia/Kathmandu';
SET DateStyle = 'ISO, DMY';
SELECT *, g = ' ' AS space FROM gc.typed;
RESET TimeZone; RESET DateStyle;
-- A domain over an array is held against its CHECK, as others are.
CREATE DOMAIN gc.few AS int[] CHECK (cardinality(value) < 4);
ALTER FOREIGN TABLE gc.typed ALTER f TYPE gc.few;
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '[1,2,3,4]');
SELECT f FROM gc.typed;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.typed ALTER f TYPE int[];
-- Others may have stored JSON bare.
ALTER FOREIGN TABLE gc.typed ALTER f TYPE jsonb[];
INSERT INTO gc.others (id, f) VALUES ('1', '[1, true, {"a": [1]}, "\"b\"", null]');
SELECT f FROM gc.typed;
ALTER FOREIGN TABLE gc.typed ALTER f TYPE int[];
-- Arrays that are none
INSERT INTO gc.others (id, f) VALUES ('1', '[1, [2]]');
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '[[1], [2, 3]]');
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '[1');
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '[1] 2');
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '{1,2}');
SELECT f FROM gc.typed;
INSERT INTO gc.others (id, f) VALUES ('1', '[[[[[[[1]]]]]]]');
SELECT f FROM gc.typed;

--
-- Text of every kind survives
--
CALL sim.list('texts', '{id,value}');
CREATE FOREIGN TABLE gc.texts (id text, value text) SERVER genesys OPTIONS (object 'contacts', list_id 'texts', key 'id');
CREATE TABLE gc.odd (id text, value text);
INSERT INTO gc.odd VALUES
  ('emoji', '👍🏽👨‍👩‍👧‍👦🇳🇴'), ('rtl', 'שלום مرحبا'), ('mark', U&'\200F\200E\FEFF'), ('lines', U&'a\2028b\2029c\0085d'),
  ('combining', U&'e\0301 A\030A\0327'), ('composed', U&'\00E9 \00C5'), ('quotes', '"''`“”\"\\''\n'), ('slash', '</script>\/'), ('json', '{"a": "\u0000"}'),
  ('percent', '%s %n &amp; <b> + %20'), ('high', U&'\+10FFFF\+01F600\FFFD\FFFF'), ('cjk', '漢字かな한글'), ('tabs', E'\t \r\n \f\v\b'), ('spaces', '  a  '), ('del', E'\x7f');
INSERT INTO gc.odd SELECT 'control', string_agg(chr(c), '' ORDER BY c) FROM generate_series(1, 31) c;
INSERT INTO gc.odd SELECT 'range-' || low, string_agg(chr(c), '' ORDER BY c)
FROM generate_series(32, 3000, 500) low, generate_series(low, low + 499) c GROUP BY low;
INSERT INTO gc.texts TABLE gc.odd;
SELECT id FROM gc.odd o FULL JOIN gc.texts t USING (id) WHERE o.value IS DISTINCT FROM t.value;
SELECT id FROM gc.odd o FULL JOIN sim.contacts('texts') t USING (id) WHERE o.value IS DISTINCT FROM t.data->>'value';
-- The platform may write its JSON with escapes.
CALL sim.faults('[{"path": "*/search", "body": "{\"total\":1,\"pageCount\":1,\"pageSize\":100,\"entities\":[{\"id\":\"\\u0078\",\"data\":{\"val\\u0075e\":\"\\ud83d\\ude00\\/\\\"\\\\\\b\\f\\n\\r\\t\\u00e9\",\"id\":null}}]}"}]');
SELECT id, value, encode(convert_to(value, 'UTF8'), 'hex') AS bytes FROM gc.texts;
CALL sim.faults('[{"path": "*/search", "body": "{\"total\":1,\"pageCount\":1,\"pageSize\":100,\"entities\":[{\"id\":\"x\",\"data\":{\"value\":\"a\\u0000b\"}}]}"}]');
SELECT value FROM gc.texts;
\echo :SQLSTATE
CALL sim.faults('[{"path": "*/search", "body": "{\"total\":1,\"pageCount\":1,\"pageSize\":100,\"entities\":[{\"id\":\"x\",\"data\":{\"value\":\"\\ud800\"}}]}"}]');
SELECT value FROM gc.texts;
-- Values that are no strings are read as their JSON text.
CALL sim.faults('[{"path": "*/search", "body_json": {"total": 1, "pageCount": 1, "pageSize": 100, "entities": [{"id": "1", "data": {"id": 1, "a": 1.50, "e": true, "f": [1, 2], "g": {"x": 1}}}]}}]');
SELECT id, a, e, f, g FROM gc.typed;
CALL sim.faults('[]');

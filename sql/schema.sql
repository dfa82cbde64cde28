\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- F1: a table whose list has become another one, and schema_diff()
--
CALL sim.list('leads', '{crm_id,First Name,phone,email,score,seen}', '{phone}',
  '{"id": "list-1", "columnDataTypeSpecifications": [{"columnName": "score", "columnDataType": "NUMERIC"}, {"columnName": "seen", "columnDataType": "TIMESTAMP"}]}');
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'),
  crm_id text,
  first_name text OPTIONS (field 'First Name'),
  phone text OPTIONS (format 'e164'),
  email text OPTIONS (format 'email'),
  score numeric,
  seen timestamptz,
  phone_last_attempt timestamptz OPTIONS (attribute 'last_attempt:phone'),
  callable boolean OPTIONS (attribute 'callable')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.leads (crm_id) VALUES ('one');
-- Columns of the list that the table does not have matter to nobody.
CREATE FOREIGN TABLE gc.few (crm_id text) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.few VALUES ('few');

-- All differences are told at once, before any row is sent: 42703 if a column is missing, …
CREATE FOREIGN TABLE gc.drifted (
  crm_id text, fone text, score boolean, seen numeric, firstname text OPTIONS (field 'FirstName'), entirely_different text,
  last timestamptz OPTIONS (attribute 'last_attempt:home')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CALL sim.forget();
INSERT INTO gc.drifted (crm_id, score) SELECT 'drifted-' || g, true FROM generate_series(1, 3000) g;
\echo :SQLSTATE
COPY gc.drifted (crm_id) FROM PROGRAM 'echo drifted';
SELECT * FROM sim.traffic();
-- … 42804 if only types differ.
CREATE FOREIGN TABLE gc.types (crm_id text, score boolean, seen interval) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.types VALUES ('t', true, '1 day');
\echo :SQLSTATE
-- Which types a column of the list takes: text can be anything.
CREATE DOMAIN gc.points AS bigint;
CREATE TYPE gc.grade AS ENUM ('1', '2');
CREATE FUNCTION sim.fits(type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  c text;
  taken text;
BEGIN
  FOREACH c IN ARRAY '{score,seen,email}'::text[] LOOP
    EXECUTE format('CREATE FOREIGN TABLE gc.typed (crm_id text, %I %s) SERVER genesys
                    OPTIONS (object ''contacts'', list_name ''leads'', key ''crm_id'')', c, type);
    BEGIN
      INSERT INTO gc.typed (crm_id) VALUES ('typed');
      taken := concat_ws(', ', taken, c);
    EXCEPTION WHEN datatype_mismatch THEN
      NULL;
    END;
    DROP FOREIGN TABLE gc.typed;
  END LOOP;
  RETURN taken;
END $$;
SELECT t, sim.fits(t)
FROM unnest('{text,varchar(20),smallint,numeric,"double precision",gc.points,gc.grade,boolean,date,timestamp,timestamptz,time,interval,uuid,jsonb,json,int[],inet,int4range,bytea}'::text[]) t;

--
-- When the list is looked at
--
-- Once in list_freshness: a statement that writes in that time goes by what is known; '0' looks each time.
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('two');
SELECT * FROM sim.traffic();
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD list_freshness '0');
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('three');
INSERT INTO gc.leads (crm_id) SELECT 'x' WHERE false;
-- Who reads never looks again.
SELECT count(crm_id) FROM gc.leads;
SELECT * FROM sim.traffic();
ALTER FOREIGN TABLE gc.leads OPTIONS (SET list_freshness '50ms');
SELECT pg_sleep(0.1);
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('four');
SELECT * FROM sim.traffic();
-- A look that finds the list as it was costs no memory, its version aside.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET list_freshness '0');
CREATE FUNCTION sim.memory() RETURNS bigint LANGUAGE sql AS $$
  SELECT sum(used_bytes)::bigint FROM pg_backend_memory_contexts WHERE name = 'gc_fdw connection' $$;
CREATE PROCEDURE sim.look(times int) LANGUAGE plpgsql AS $$
BEGIN
  FOR i IN 1..times LOOP
    INSERT INTO gc.leads (crm_id) SELECT 'x' WHERE false;
  END LOOP;
END $$;
CALL sim.look(10);
SELECT sim.memory() AS before \gset
CALL sim.look(100);
SELECT sim.memory() - :before AS grown;
-- Of several lists in one statement each is looked at, once.
CALL sim.list('east', '{crm_id,region}');
CREATE TABLE gc.regions (crm_id text, region text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE gc.east PARTITION OF gc.regions FOR VALUES IN ('e')
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id', list_freshness '0');
INSERT INTO gc.regions VALUES ('r1', 'e');
CALL sim.forget();
INSERT INTO gc.regions SELECT 'r' || g, 'e' FROM generate_series(1, 2500) g;
SELECT request, rows, count(*) FROM sim.traffic() GROUP BY 1, 2 ORDER BY 1, 2 DESC;

-- The name passes to another list, while the one that had it lives on: nothing goes to the old one.
CREATE PROCEDURE sim.rename_list(id text, name text) LANGUAGE plpgsql AS $$
DECLARE
  base text := (SELECT url FROM sim.settings);
  command text := format('base=%s; list=$base/api/v2/outbound/contactlists/%s; '
    'token=$(curl -sS -u id:secret -d grant_type=client_credentials "$base/oauth/token" | sed ''s/.*"access_token":"\([^"]*\)".*/\1/''); '
    'curl -sS -H "Authorization: Bearer $token" "$list" | sed ''s/"name":"[^"]*"/"name":"%s"/'' | '
    'curl -sSf -o /dev/null -X PUT -H "Authorization: Bearer $token" -H Content-Type:application/json --data-binary @- "$list"',
    base, id, name);
BEGIN
  PERFORM sim.control('GET', 'faults'); -- which makes the table
  EXECUTE format('COPY pg_temp.sim_answer FROM PROGRAM %L', command);
END $$;
ALTER FOREIGN TABLE gc.leads OPTIONS (SET list_freshness '0');
CALL sim.rename_list('list-1', 'leads of old');
CALL sim.list('leads', '{crm_id,First Name,phone,score,seen}', '{phone}', '{"id": "list-2"}');
INSERT INTO gc.leads (crm_id) VALUES ('five');
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.leads DROP email;
INSERT INTO gc.leads (crm_id) VALUES ('five');
SELECT id FROM sim.contacts('list-1') WHERE id = 'five';
SELECT id FROM sim.contacts('list-2');
-- A look at it that fails leaves what is known; a list that is gone is known no longer, to readers either.
CALL sim.faults('[{"path": "/api/v2/outbound/contactlists", "status": 400, "times": 1}]');
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('six') $$);
CALL sim.rename_list('list-2', 'gone');
SELECT count(*) FROM gc.few;
INSERT INTO gc.leads (crm_id) VALUES ('six');
\echo :SQLSTATE
SELECT count(*) FROM gc.few;
CALL sim.rename_list('list-2', 'leads');

-- What the platform itself says of columns makes the session look again: a write, …
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP list_freshness);
INSERT INTO gc.leads (crm_id) VALUES ('seven');
CALL sim.faults('[{"path": "*/contacts", "times": 1, "status": 400, "body_json": {"code": "invalid.contact.columns", "message": "The contact columns do not match."}}]');
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('seven') $$);
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('seven');
SELECT * FROM sim.traffic();
-- … a search, …
CALL sim.faults('[{"path": "*/search", "times": 1, "status": 400, "body_json": {"code": "column.does.not.match.contact.list", "message": "No such column."}}]');
CALL sim.try($$ SELECT crm_id FROM gc.leads WHERE first_name = 'x' $$);
CALL sim.forget();
SELECT crm_id FROM gc.leads WHERE first_name = 'x';
SELECT * FROM sim.traffic();
-- … an export.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD scan_method 'export');
CALL sim.faults('[{"path": "*/export", "method": "POST", "times": 1, "status": 400, "body_json": {"code": "column.does.not.match.contact.list", "message": "No such column."}}]');
CALL sim.try($$ SELECT crm_id FROM gc.leads WHERE first_name = 'x' $$);
CALL sim.forget();
SELECT crm_id FROM gc.leads WHERE first_name = 'x';
SELECT request FROM sim.traffic() LIMIT 1;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP scan_method);

--
-- schema_diff
--
CREATE TABLE gc.source (crm_id text, first_name text, phone text, email text, score int);
INSERT INTO gc.source SELECT 'k' || g, 'Ana', '+1415555' || g, 'a@example.com', g FROM generate_series(1000, 3499) g;
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id, first_name, phone, score FROM gc.source');
-- Columns: none that the table has, none that is written, types, those that are there twice, the key that is not.
SELECT * FROM gc_fdw.schema_diff('gc.leads', $$ SELECT 1 AS crm, 'x' AS first_name, now() AS phone_last_attempt, true AS score, 'a' AS phone, 'b' AS phone $$);
-- What the table and the list do not agree on comes first.
SELECT * FROM gc_fdw.schema_diff('gc.drifted', 'SELECT crm_id FROM gc.source');
-- Values that strict verification refuses are counted by column and never shown, whatever the table's option says.
ALTER FOREIGN TABLE gc.leads ALTER first_name SET NOT NULL;
UPDATE gc.source SET phone = '030' WHERE score % 500 = 0;
UPDATE gc.source SET first_name = NULL WHERE score % 1000 = 1;
UPDATE gc.source SET first_name = '' WHERE score = 2002;
UPDATE gc.source SET first_name = repeat('x', 513) WHERE score = 2003;
UPDATE gc.source SET crm_id = 'not good' WHERE score = 2004;
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id, first_name, phone FROM gc.source;');
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD verification 'relaxed');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id, first_name, phone FROM gc.source');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id FROM gc.source');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP verification);
-- K1, K8: keys that come more than once, a NULL among none of them; the first five are named.
CREATE VIEW gc.keyed AS SELECT k AS crm_id, 'x' AS first_name FROM (VALUES ('a'), ('b'), ('a'), (NULL), (NULL)) v(k);
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'TABLE gc.keyed -- and no more');
SELECT * FROM gc_fdw.schema_diff('gc.leads', $$ SELECT 'k' || n % 7 AS crm_id, 'x' AS first_name FROM generate_series(1, 20) n $$);
-- By the contact id where the table has no key, or the query does not give it.
CREATE FOREIGN TABLE gc.by_id (contact_id text OPTIONS (attribute 'id'), crm_id text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
SELECT * FROM gc_fdw.schema_diff('gc.by_id', $$ SELECT * FROM (VALUES ('a', '1'), ('a', '2'), (NULL, '3'), ('b c', '4')) v(contact_id, crm_id) $$);
-- One look at the list, however many rows.
CALL sim.forget();
SELECT count(*) FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id, first_name FROM gc.source');
SELECT * FROM sim.traffic();
-- What is no query that reads.
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'DELETE FROM gc.source RETURNING *');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'WITH gone AS (DELETE FROM gc.source RETURNING *) SELECT * FROM gone');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id FROM gc.source FOR UPDATE');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT 1; SELECT 2');
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'ANALYZE');
SELECT * FROM gc_fdw.schema_diff('gc.leads', '');
-- … and not a table's name; a NULL is not taken for a query without a fault.
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'gc.source');
\echo :SQLSTATE
SELECT * FROM gc_fdw.schema_diff('gc.leads', NULL);
\echo :SQLSTATE
SELECT * FROM gc_fdw.schema_diff(NULL, 'SELECT 1');
SELECT count(*) FROM gc.source;
-- What is no foreign table of contacts.
SELECT * FROM gc_fdw.schema_diff('gc.source', 'SELECT 1');
CREATE FOREIGN TABLE gc.lists (id text) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc_fdw.schema_diff('gc.lists', 'SELECT 1');
-- It runs with the caller's rights, and is for those who may insert and were given it.
CREATE ROLE regress_schema;
GRANT USAGE ON SCHEMA gc TO regress_schema;
CREATE USER MAPPING FOR regress_schema SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SET ROLE regress_schema;
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id FROM gc.source');
RESET ROLE;
GRANT EXECUTE ON FUNCTION gc_fdw.schema_diff(regclass, text) TO regress_schema;
SET ROLE regress_schema;
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id FROM gc.source');
RESET ROLE;
GRANT INSERT (crm_id) ON gc.leads TO regress_schema;
SET ROLE regress_schema;
SELECT * FROM gc_fdw.schema_diff('gc.leads', 'SELECT crm_id FROM gc.source');
SELECT * FROM gc_fdw.schema_diff('gc.leads', $$ SELECT 'a' AS crm_id $$);
RESET ROLE;
DROP USER MAPPING FOR regress_schema SERVER genesys;
DROP OWNED BY regress_schema;
DROP ROLE regress_schema;

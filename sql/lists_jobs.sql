\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Contact lists of dialect "jobs": fields, schema versions, a status
--
SET TimeZone = 'UTC';
ALTER SERVER genesys OPTIONS (SET dialect 'jobs', ADD ready_timeout '5s');
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER genesys INTO gc;
-- The requests of a statement, and the body of the last one
CREATE FUNCTION sim.asked() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT regexp_replace(request, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g') || ' ' || status
  FROM sim.traffic() WHERE request NOT LIKE 'POST /oauth%' $$;
CREATE FUNCTION sim.sent(verb text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT body::jsonb FROM sim.requests() WHERE method = verb AND path ~ '/outbound/lists(/[^/]+)?$' ORDER BY seq DESC LIMIT 1 $$;
-- L, A1, A2: it does not answer, is PROCESSING, is READY; only then the INSERT returns
CALL sim.set('{"provision_ms": 1600, "record_bodies": "on"}');
CALL sim.forget();
INSERT INTO gc.contact_lists (name, description, column_names, phone_columns, email_columns, column_types)
VALUES ('Leads ä', 'of the fair', '{id,First Name,Phone,Mail,Age,Met,Born,Vip}', '[{"columnName": "Phone", "type": "cell"}]',
  '[{"columnName": "Mail", "type": "work"}]',
  '[{"columnName": "id", "columnDataType": "TEXT", "required": true}, {"columnName": "Age", "columnDataType": "NUMERIC"}, {"columnName": "Met", "columnDataType": "TIMESTAMP"},
    {"columnName": "Born", "columnDataType": "DATE", "format": "yyyy-MM-dd"}, {"columnName": "Vip", "columnDataType": "BOOLEAN"}]')
RETURNING id IS NOT NULL AS id, version, status, name, description, division, phone_columns, size;
SELECT * FROM sim.asked() WITH ORDINALITY a(asked, n) WHERE n < 4;
SELECT count(*) BETWEEN 2 AND 4 AS asked_until_it_was, bool_or(asked LIKE '% 404') AS was_not
FROM sim.asked() asked WHERE asked LIKE 'GET /lists/<id>%';
SELECT jsonb_pretty(sim.sent('POST'));
SELECT name, description, version, status, column_names, phone_columns, email_columns, size FROM gc.contact_lists;
SELECT type FROM gc.contact_lists, jsonb_array_elements(column_types) type;
-- What the dialect lacks is NULL.
SELECT name, division, whatsapp_columns, attempt_limits_id, automatic_time_zone_mapping AS zones, zip_code_column, trim_whitespace FROM gc.contact_lists;
-- A listing alone has no status: a call for each list, where a column needs it
CALL sim.forget();
SELECT name, size FROM gc.contact_lists;
SELECT * FROM sim.asked();
CALL sim.forget();
SELECT name, status FROM gc.contact_lists;
SELECT * FROM sim.asked();
-- B6: its table has NOT NULL where the schema says "required"
IMPORT FOREIGN SCHEMA outbound LIMIT TO ("leads_ä") FROM SERVER genesys INTO gc OPTIONS (key 'id', attributes 'all');
SELECT attname, format_type(atttypid, atttypmod) AS type, attnotnull, attfdwoptions FROM pg_attribute
WHERE attrelid = 'gc."leads_ä"'::regclass AND attnum BETWEEN 1 AND 8 ORDER BY attnum;
INSERT INTO gc."leads_ä" (id, first_name, phone, age) VALUES ('1', 'Ann', '+14155550100', 33);
CALL sim.try($$INSERT INTO gc."leads_ä" (first_name) VALUES ('Bob')$$);
SELECT id, first_name, phone, age FROM gc."leads_ä";
-- create_list_parent() takes it.
SELECT gc_fdw.create_list_parent('gc', 'leads');
SELECT list_name, id FROM gc.leads;
DROP TABLE gc.leads;
IMPORT FOREIGN SCHEMA outbound LIMIT TO ("leads_ä") FROM SERVER genesys INTO gc OPTIONS (key 'id', attributes 'all');

-- A3: once more is the same list, whatever is left out; another one says in what
CALL sim.set('{"provision_ms": 0}');
CALL sim.forget();
INSERT INTO gc.contact_lists (name, column_names, phone_columns)
VALUES ('Leads ä', '{id,First Name,Phone,Mail,Age,Met,Born,Vip}', '[{"type": "home", "columnName": "Phone"}]')
RETURNING id = (SELECT id FROM gc.contact_lists WHERE name = 'Leads ä') AS the_same, version, status;
SELECT count(*) FROM sim.asked() asked WHERE asked LIKE 'POST%';
CALL sim.try($$INSERT INTO gc.contact_lists (name, description, column_names, phone_columns, column_types)
  VALUES ('Leads ä', 'x', '{id,Phone}', '[{"columnName": "id", "type": "cell"}]', '[{"columnName": "Phone", "columnDataType": "TEXT", "required": true}]')$$);
-- Another session was quicker (K6); an answer that is lost is looked for
CALL sim.faults('[{"method": "GET", "path": "/api/v2/outbound/contactlists", "status": 200, "body": "{\"entities\": [], \"pageCount\": 0}", "times": 2}]');
ALTER SERVER genesys OPTIONS (SET read_lag '5s');
INSERT INTO gc.contact_lists (name, column_names, phone_columns)
VALUES ('Leads ä', '{id,First Name,Phone,Mail,Age,Met,Born,Vip}', '[{"type": "home", "columnName": "Phone"}]') RETURNING version;
ALTER SERVER genesys OPTIONS (SET read_lag '0');
CALL sim.faults('[{"method": "POST", "path": "/api/v2/outbound/lists", "drop": "after", "times": 1}]');
INSERT INTO gc.contact_lists (name, column_names, phone_columns)
VALUES ('Lost', '{id,Phone}', '[{"columnName": "Phone", "type": "cell"}]') RETURNING name, version;
-- So is one that does not tell the list's id: it is waited for, too.
CALL sim.faults('[{"method": "POST", "path": "/api/v2/outbound/lists", "effect": true, "status": 200, "body": "{}", "times": 1}]');
INSERT INTO gc.contact_lists (name, column_names, phone_columns)
VALUES ('Silent', '{id,Phone}', '[{"columnName": "Phone", "type": "cell"}]') RETURNING name, version, status;
DELETE FROM gc.contact_lists WHERE name = 'Silent';
CALL sim.faults('[]');
SELECT count(*) FROM gc.contact_lists WHERE name = 'Lost';

-- A4: what the dialect does not take is refused before any request
CALL sim.forget();
CREATE PROCEDURE sim.refused(columns text[], more text DEFAULT NULL, value text DEFAULT NULL, phones jsonb DEFAULT '[{"columnName": "p", "type": "cell"}]')
LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.try(format('INSERT INTO gc.contact_lists (name, column_names, phone_columns%s) VALUES (''x'', %L, %L%s)',
    ', ' || more, columns, phones, CASE WHEN more IS NOT NULL THEN ', ' || quote_nullable(value) END));
END $$;
CALL sim.refused(string_to_array(rpad('p', 101, ',c'), ','));
CALL sim.refused('{p,a,p}');
CALL sim.refused('{p}', phones => '[]');
CALL sim.refused('{p}', phones => '[{"columnName": "q", "type": "cell"}]');
CALL sim.refused('{p}', phones => '[{"columnName": "p", "type": "cell", "callableTimeColumn": "q"}]');
CALL sim.refused('{p,a}', 'column_types', '[{"columnName": "a", "columnDataType": "INTEGER"}]');
CALL sim.refused('{p,a}', 'column_types', '[{"columnName": "a", "columnDataType": "NUMERIC", "min": 0}]');
CALL sim.refused('{p,a}', 'column_types', '[{"columnName": "a", "columnDataType": "TEXT", "required": "yes"}]');
CALL sim.refused('{p,a}', 'column_types', '[{"columnName": "a", "columnDataType": "TEXT", "format": 1}]');
CALL sim.refused('{p,a}', 'column_types', '[{"columnName": "p", "columnDataType": "NUMERIC"}]');
CALL sim.refused('{p}', 'division', 'Home');
CALL sim.refused('{p}', 'trim_whitespace', 'false');
CALL sim.refused('{p}', 'whatsapp_columns', '[]');
CALL sim.refused('{p}', 'status', 'READY');
SELECT * FROM sim.asked();

-- ready_timeout, and a list that ends up in ERROR
CALL sim.set('{"provision_ms": 60000}');
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (ADD ready_timeout '700ms');
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Slow', '{id,p}', '[{"columnName": "p", "type": "cell"}]')$$);
CALL sim.set('{"provision_ms": 0}');
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (SET ready_timeout '5s');
CREATE PROCEDURE sim.status(list text, status text, reads int DEFAULT NULL) LANGUAGE sql AS $$
  SELECT sim.control('POST', 'liststatus', (jsonb_build_object('listId', l.id, 'status', status) || coalesce(jsonb_build_object('reads', reads), '{}'))::text)
  FROM (SELECT DISTINCT id FROM gc.contact_lists WHERE name = list) l $$;
CALL sim.faults('[{"method": "GET", "path": "/api/v2/outbound/lists/", "status": 200, "body_json": {"id": "e", "name": "Err", "status": "ERROR", "schema": {"version": 1, "fields": []}}}]');
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Err', '{id,p}', '[{"columnName": "p", "type": "cell"}]')$$);
CALL sim.faults('[]');
CALL sim.status('Err', 'ERROR');
SELECT name, status FROM gc.contact_lists WHERE name = 'Err';
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Err', '{id,p}', '[{"columnName": "p", "type": "cell"}]')$$);
-- One that is there and PROCESSING is waited for.
CALL sim.status('Lost', 'PROCESSING', 2);
CALL sim.forget();
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Lost', '{id,Phone}', '[{"columnName": "Phone", "type": "cell"}]') RETURNING status;
SELECT count(*) FROM sim.asked() asked WHERE asked LIKE 'GET /lists/%';

--
-- UPDATE: fields are added, by a new version of the schema
--
-- Somebody else, who has not seen what this session does
\set ECHO none
SELECT format('CREATE SERVER other FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url %1$L, login_url %1$L, dialect ''jobs'', requests_per_second ''0'', jitter ''0'', read_lag ''0'', list_freshness ''1h'')', url) FROM sim.settings \gexec
\set ECHO all
CREATE USER MAPPING FOR CURRENT_USER SERVER other OPTIONS (client_id 'id', client_secret 'secret');
CREATE SCHEMA theirs;
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists, "leads_ä") FROM SERVER other INTO theirs OPTIONS (key 'id');
SELECT count(*) FROM theirs."leads_ä";
-- F1: what the list lacks says how it gets it.
ALTER FOREIGN TABLE gc."leads_ä" ADD COLUMN city text OPTIONS (field 'Residence');
ALTER FOREIGN TABLE theirs."leads_ä" ADD COLUMN city text OPTIONS (field 'Residence');
CALL sim.try('SELECT * FROM gc."leads_ä"');
CALL sim.try($$INSERT INTO gc."leads_ä" (id, city) VALUES ('2', 'Bonn')$$);
SELECT * FROM gc_fdw.schema_diff('gc."leads_ä"', $$SELECT 'a' AS id$$);
CALL sim.set('{"provision_ms": 600, "schema_lag_ms": 300}');
CALL sim.forget();
UPDATE gc.contact_lists SET column_names = column_names || '{Residence,Score}', column_types = column_types || '[{"columnName": "Score", "columnDataType": "NUMERIC", "required": true}]',
  description = 'grown' WHERE name = 'Leads ä'
RETURNING version, status, description, column_names, column_types -> -1 AS last_type, size;
SELECT * FROM sim.asked() WITH ORDINALITY a(asked, n) WHERE n < 5;
SELECT count(*) BETWEEN 1 AND 3 AS asked_until_it_was FROM sim.asked() WITH ORDINALITY a(asked, n) WHERE n >= 5;
SELECT s.sent - 'id' - 'schema' AS list, s.sent #> '{schema,version}' AS version, f.field FROM (SELECT sim.sent('PUT') AS sent) s, jsonb_array_elements(sent #> '{schema,fields}') WITH ORDINALITY f(field, n) WHERE n > 7;
CALL sim.set('{"provision_ms": 0, "schema_lag_ms": 0}');
-- B6: what is required, and has no column in the table, is missed before a contact is sent or staged, …
CALL sim.forget();
CALL sim.try($$INSERT INTO gc."leads_ä" (id, city) VALUES ('2', 'Bonn')$$);
CALL sim.try($$COPY gc."leads_ä" (id, city) FROM PROGRAM 'echo 2,Bonn' (FORMAT csv)$$);
CALL sim.try($$SELECT gc_fdw.submit_import('gc."leads_ä"', 'SELECT ''2'' AS id')$$);
SELECT * FROM sim.asked() asked WHERE asked NOT LIKE 'GET %';
SELECT * FROM gc_fdw.schema_diff('gc."leads_ä"', $$SELECT 'a' AS id$$);
-- … unless that is left to the platform; contacts that are there are changed and deleted.
BEGIN;
SELECT count(gc_fdw.submit_import('gc."leads_ä"', 'SELECT ''2'' AS id', verification => 'relaxed'));
ROLLBACK;
UPDATE gc."leads_ä" SET city = 'Ulm' WHERE id = '1';
ALTER FOREIGN TABLE gc."leads_ä" OPTIONS (ADD verification 'relaxed');
-- This session loads it, and another does, which knew the list as it was: to read it, and to write to it.
INSERT INTO gc."leads_ä" (id, city) VALUES ('2', 'Bonn'), ('passing', 'Bonn');
ALTER FOREIGN TABLE gc."leads_ä" OPTIONS (DROP verification);
DELETE FROM gc."leads_ä" WHERE id = 'passing';
SELECT id, city FROM theirs."leads_ä" ORDER BY id;
UPDATE gc.contact_lists SET column_names = column_names || '{Street}' WHERE name = 'Leads ä' RETURNING version;
ALTER FOREIGN TABLE theirs."leads_ä" ADD COLUMN street text OPTIONS (field 'Street'), ADD COLUMN score numeric OPTIONS (field 'Score');
INSERT INTO theirs."leads_ä" (id, street, score) VALUES ('3', 'Ring 1', 2);
SELECT id, data FROM sim.contacts((SELECT DISTINCT id FROM gc.contact_lists WHERE name = 'Leads ä')) ORDER BY id;
-- B6: a field that is required is, from then on.
ALTER FOREIGN TABLE gc."leads_ä" ADD COLUMN score numeric OPTIONS (field 'Score');
CALL sim.try($$INSERT INTO gc."leads_ä" (id, score) VALUES ('4', NULL)$$);
DROP FOREIGN TABLE theirs."leads_ä";
IMPORT FOREIGN SCHEMA outbound LIMIT TO ("leads_ä") FROM SERVER genesys INTO theirs OPTIONS (key 'id');
SELECT attname FROM pg_attribute WHERE attrelid = 'theirs."leads_ä"'::regclass AND attnotnull AND attnum > 0;

-- What it is already costs no write, and is waited for while it is PROCESSING.
CALL sim.forget();
UPDATE gc.contact_lists SET column_names = column_names, column_types = column_types, phone_columns = '[{"columnName": "Phone", "type": "cell"}]', description = 'grown' WHERE name = 'Leads ä' RETURNING version, status;
CALL sim.status('Leads ä', 'PROCESSING', 3);
UPDATE gc.contact_lists SET description = 'grown' WHERE name = 'Leads ä' RETURNING version, status;
SELECT * FROM sim.asked() asked WHERE asked LIKE 'PUT%';
-- A name, too
UPDATE gc.contact_lists SET name = 'Leads 2', description = NULL WHERE name = 'Leads ä' RETURNING name, description, version;
CALL sim.forget();
CREATE FOREIGN TABLE gc.renamed (id text, list text OPTIONS (attribute 'list_name')) SERVER genesys OPTIONS (object 'contacts', list_name 'Leads 2', key 'id');
SELECT * FROM gc.renamed WHERE id = '2';
SELECT * FROM sim.asked();

-- F1: fields are neither removed nor changed.
CREATE PROCEDURE sim.changed(what text) LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.try(format('UPDATE gc.contact_lists SET %s WHERE name = %L', what, 'Leads 2'));
END $$;
CALL sim.forget();
CALL sim.changed($$column_names = array_remove(column_names, 'Street')$$);
CALL sim.changed($$column_names = array_replace(column_names, 'Street', 'Road')$$);
CALL sim.changed($$column_types = NULL$$);
CALL sim.changed($$column_types = column_types || '[{"columnName": "Street", "columnDataType": "NUMERIC"}]'$$);
CALL sim.changed($$column_types = column_types || '[{"columnName": "Street", "columnDataType": "TEXT", "required": true}]'$$);
CALL sim.changed($$phone_columns = '[]'$$);
CALL sim.changed($$email_columns = email_columns || '[{"columnName": "Street", "type": "work"}]'$$);
-- Nor is what no list has.
CALL sim.changed($$phone_columns = phone_columns || '[{"columnName": "Mobile", "type": "cell"}]'$$);
CALL sim.changed($$column_names = column_names || '{A}', phone_columns = phone_columns || '[{"type": "cell"}]'$$);
CALL sim.changed($$column_names = column_names || '{A}', column_types = column_types || '[{"columnName": "A", "columnDataType": "INTEGER"}]'$$);
CALL sim.changed($$column_names = column_names || '{A}', column_types = column_types || '[{"columnName": "A", "columnDataType": "TEXT", "maxLength": 7}]'$$);
CALL sim.changed($$column_names = column_names || ARRAY(SELECT 'c' || g FROM generate_series(1, 50) g)$$);
CALL sim.changed($$column_names = NULL$$);
CALL sim.changed($$division = 'Home'$$);
CALL sim.changed($$trim_whitespace = NULL$$);
CALL sim.changed($$status = 'READY'$$);
SELECT * FROM sim.asked() asked WHERE asked LIKE 'PUT%';
-- A column that is named twice is there once.
UPDATE gc.contact_lists SET column_names = column_names || '{Street}' WHERE name = 'Leads 2' RETURNING version;
-- What the platform says of it
CALL sim.faults('[{"method": "PUT", "path": "/lists/", "status": 400, "body_json": {"status": 400, "code": "invalid.update", "message": "Fields can be added at the end, and not be changed or removed."}}]');
CALL sim.changed($$column_names = column_names || '{Zip}'$$);
-- A name that is taken (K6)
CALL sim.faults('[]');
CALL sim.changed($$name = 'Lost'$$);

-- I3, K4: who was quicker is not overwritten; other fields of theirs stay, …
CREATE FUNCTION sim.meanwhile() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE 'UPDATE theirs.contact_lists SET ' || TG_ARGV[0] || ' WHERE name = ''Leads 2''';
  RETURN NEW;
END $$;
CREATE TRIGGER meanwhile BEFORE UPDATE ON gc.contact_lists FOR EACH ROW EXECUTE FUNCTION
  sim.meanwhile($$column_names = column_names || '{Theirs}', column_types = column_types || '[{"columnName": "Theirs", "columnDataType": "DATE"}]'$$);
UPDATE gc.contact_lists SET column_names = column_names || '{Ours}', column_types = column_types || '[{"columnName": "Ours", "columnDataType": "BOOLEAN"}]' WHERE name = 'Leads 2'
RETURNING version, column_names[11:] AS names;
-- … and the same field of another type is an error.
CREATE OR REPLACE TRIGGER meanwhile BEFORE UPDATE ON gc.contact_lists FOR EACH ROW EXECUTE FUNCTION
  sim.meanwhile($$column_names = column_names || '{Same}', column_types = column_types || '[{"columnName": "Same", "columnDataType": "DATE"}]'$$);
CALL sim.changed($$column_names = column_names || '{Same}', column_types = column_types || '[{"columnName": "Same", "columnDataType": "BOOLEAN"}]'$$);
-- The same field, and of the same type: it is there.
CREATE OR REPLACE TRIGGER meanwhile BEFORE UPDATE ON gc.contact_lists FOR EACH ROW EXECUTE FUNCTION
  sim.meanwhile($$column_names = column_names || '{Both}'$$);
UPDATE gc.contact_lists SET column_names = column_names || '{Both}' WHERE name = 'Leads 2' RETURNING version, column_names[13:] AS names;
CREATE OR REPLACE TRIGGER meanwhile BEFORE UPDATE ON gc.contact_lists FOR EACH ROW EXECUTE FUNCTION sim.meanwhile($$description = 'theirs'$$);
CALL sim.changed($$description = 'ours'$$);
DROP TRIGGER meanwhile ON gc.contact_lists;
-- A version that is not the newest is read again, at most three times.
CALL sim.faults('[{"method": "PUT", "path": "/lists/", "status": 409, "times": 2, "body_json": {"status": 409, "code": "invalid.update.wrong.version", "message": "The resource has been modified since the last request. Please refresh and retry."}}]');
CALL sim.forget();
UPDATE gc.contact_lists SET description = 'third' WHERE name = 'Leads 2' RETURNING description;
SELECT * FROM sim.asked() asked WHERE asked NOT LIKE 'GET /contactlists?%';
CALL sim.faults('[{"method": "PUT", "path": "/lists/", "status": 409, "body_json": {"status": 409, "code": "invalid.update.wrong.version", "message": "The resource has been modified since the last request. Please refresh and retry."}}]');
CALL sim.forget();
CALL sim.changed($$description = 'never'$$);
SELECT count(*) FROM sim.asked() asked WHERE asked LIKE 'PUT%';
CALL sim.faults('[]');
-- D2: an answer that is lost: what was sent is there, and is not sent twice.
CALL sim.faults('[{"method": "PUT", "path": "/lists/", "drop": "after", "times": 1}]');
CALL sim.forget();
UPDATE gc.contact_lists SET column_names = column_names || '{Lost}' WHERE name = 'Leads 2' RETURNING version, column_names[15:] AS names;
CALL sim.faults('[]');
SELECT * FROM sim.asked() asked WHERE asked LIKE 'PUT%';
-- L, I3: readings lag. What was refused is read again, within read_lag, until it shows what somebody else has written.
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Lagging', '{id,p}', '[{"columnName": "p", "type": "cell"}]');
CREATE PROCEDURE sim.overtaken(sent jsonb, version int, theirs text) LANGUAGE sql AS $$
  SELECT sim.control('POST', 'faults', jsonb_build_array(jsonb_build_object('method', 'PUT', 'path', '/api/v2/outbound/lists/', 'nth', 1, 'conflict', 'K4',
    'calls_after', jsonb_build_array(jsonb_build_object('method', 'PUT', 'path', '/api/v2/outbound/lists/' || l.id, 'body',
      jsonb_set(sent, '{schema,version}', to_jsonb(version)) || jsonb_build_object('description', theirs)))))::text)
  FROM gc.contact_lists l WHERE l.name = 'Lagging' $$;
ALTER SERVER genesys OPTIONS (SET read_lag '5s');
CALL sim.set('{"schema_lag_ms": 900}');
CALL sim.overtaken(sim.sent('POST'), 1, 'theirs');
CALL sim.forget();
UPDATE gc.contact_lists SET column_names = column_names || '{Late}' WHERE name = 'Lagging' RETURNING version, description, column_names;
SELECT * FROM sim.asked() asked WHERE asked LIKE 'PUT%';
-- One that lags longer is an error.
CALL sim.set('{"schema_lag_ms": 60000}');
ALTER SERVER genesys OPTIONS (SET read_lag '600ms');
CALL sim.overtaken(sim.sent('PUT'), 3, 'theirs, too');
CALL sim.forget();
CALL sim.try($$UPDATE gc.contact_lists SET column_names = column_names || '{Later}' WHERE name = 'Lagging'$$);
SELECT * FROM sim.asked() asked WHERE asked LIKE 'PUT%';
ALTER SERVER genesys OPTIONS (SET read_lag '0');
CALL sim.set('{"schema_lag_ms": 0}');
CALL sim.faults('[]');
DELETE FROM gc.contact_lists WHERE name = 'Lagging';
-- It takes longer, or ends up in ERROR.
CALL sim.set('{"provision_ms": 60000}');
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (SET ready_timeout '700ms');
CALL sim.changed($$column_names = column_names || '{Slow}'$$);
CALL sim.changed($$column_names = column_names || '{Slow}'$$);
CALL sim.status('Leads 2', 'ERROR');
CALL sim.changed($$column_names = column_names$$);
CALL sim.set('{"provision_ms": 0}');
CALL sim.status('Leads 2', NULL);
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (SET ready_timeout '5s');

--
-- DELETE, as on the platform
--
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Used', '{id,p}', '[{"columnName": "p", "type": "cell"}]');
SELECT sim.make('campaigns', (SELECT jsonb_agg(jsonb_build_object('id', 'c-' || n, 'name', n, 'contactList', jsonb_build_object('id', l.id)))
  FROM gc.contact_lists l, (VALUES ('Spring'), ('Summer')) v(n) WHERE l.name = 'Used'));
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'Used'$$);
SELECT sim.make('campaigns', '[{"id": "c-Spring", "contactList": {"id": "other"}}, {"id": "c-Summer", "contactList": {"id": "other"}}]');
CALL sim.faults('[{"method": "DELETE", "path": "/contactlists/", "status": 400, "times": 2, "body_json": {"status": 400, "code": "contact.list.import.in.progress", "message": "The contact list has an import in progress."}}]');
CALL sim.forget();
DELETE FROM gc.contact_lists WHERE name = 'Used' RETURNING name, status;
SELECT * FROM sim.asked() asked WHERE asked LIKE 'DELETE%';
CALL sim.faults('[]');
SELECT name FROM gc.contact_lists WHERE name = 'Used';
DROP SCHEMA theirs CASCADE;
DROP SERVER other CASCADE;

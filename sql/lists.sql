\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Contact lists, provisioned, changed and deleted
--
SET TimeZone = 'UTC';
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER genesys INTO gc;
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (ADD ready_timeout '5s');
SELECT sim.make('divisions', '[{"id": "div-1", "name": "Sales"}, {"id": "div-2", "name": "Sales EMEA"}]');
-- The requests of a statement, and what the lists are at the platform
CREATE FUNCTION sim.asked() RETURNS SETOF text LANGUAGE sql AS $$
  SELECT regexp_replace(request, '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<id>', 'g') || ' ' || status
  FROM sim.traffic() WHERE request NOT LIKE 'POST /oauth%' $$;
CREATE FUNCTION sim.sent(verb text) RETURNS jsonb LANGUAGE sql AS $$
  SELECT body::jsonb FROM sim.requests() WHERE method = verb AND path ~ '/contactlists(/[^/]+)?$' ORDER BY seq DESC LIMIT 1 $$;

-- A1, A2: it is there when the INSERT returns: not asked for in the first half second, then until it answers
CALL sim.set('{"provision_ms": 900, "record_bodies": "on"}');
CALL sim.forget();
INSERT INTO gc.contact_lists (name, division, column_names, phone_columns, email_columns, whatsapp_columns, column_types,
  automatic_time_zone_mapping, zip_code_column, trim_whitespace, attempt_limits_id)
VALUES ('Leads ä', 'Sales', '{id,First Name,Phone,Mail,Zip,Age}', '[{"columnName": "Phone", "type": "cell"}]',
  '[{"columnName": "Mail", "type": "work"}]', '[{"columnName": "Phone", "type": "cell"}]',
  '[{"columnName": "Age", "columnDataType": "NUMERIC", "min": 0, "max": 150}]', true, 'Zip', false, 'al-1')
RETURNING id IS NOT NULL AS id, version, name, division, size, status, import_state;
SELECT * FROM sim.asked() WITH ORDINALITY a(asked, n) WHERE n < 4;
SELECT count(*) BETWEEN 1 AND 3 AS asked_until_it_was, bool_or(asked LIKE '% 404') AS was_not
FROM sim.asked() asked WHERE asked LIKE 'GET /contactlists/<id>%';
SELECT jsonb_pretty(sim.sent('POST'));
SELECT name, division, version, column_names, phone_columns, email_columns, whatsapp_columns, column_types,
  automatic_time_zone_mapping, zip_code_column, trim_whitespace, attempt_limits_id, size
FROM gc.contact_lists;
-- Its table is there at once, and takes contacts.
IMPORT FOREIGN SCHEMA outbound LIMIT TO ("leads_ä") FROM SERVER genesys INTO gc OPTIONS (key 'id');
INSERT INTO gc."leads_ä" (id, first_name, phone, age) VALUES ('1', 'Ann', '+14155550100', 33);
SELECT id, first_name, phone, age FROM gc."leads_ä";
-- A2: the contacts of a list that was made a moment ago may come later still, in this session and in others.
CALL sim.set('{"provision_ms": 0, "provision_contacts_ms": 2000}');
ALTER SERVER genesys OPTIONS (SET retry_timeout '30s');
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Later', '{id,phone}', '[{"columnName": "phone", "type": "cell"}]');
CREATE FOREIGN TABLE gc.later (id text, phone text) SERVER genesys OPTIONS (object 'contacts', list_name 'Later', key 'id');
CALL sim.forget();
INSERT INTO gc.later (id) VALUES ('1');
SELECT count(*) > 0 AS refused FROM sim.asked() asked WHERE asked LIKE 'POST %/contacts 404';
CALL sim.set('{"provision_status": 409}');
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Later 2', '{id,phone}', '[{"columnName": "phone", "type": "cell"}]');
ALTER FOREIGN TABLE gc.later OPTIONS (SET list_name 'Later 2');
CALL sim.forget();
INSERT INTO gc.later (id) VALUES ('1');
SELECT count(*) > 0 AS refused FROM sim.asked() asked WHERE asked LIKE 'POST %/contacts 409';
CALL sim.set('{"provision_status": 404}');
INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Later 3', '{id,phone}', '[{"columnName": "phone", "type": "cell"}]');
ALTER FOREIGN TABLE gc.later OPTIONS (SET list_name 'Later 3');
SELECT gc_fdw.disconnect();
CALL sim.forget();
INSERT INTO gc.later (id) VALUES ('1');
SELECT count(*) > 0 AS refused FROM sim.asked() asked WHERE asked LIKE 'POST %/contacts 404';
CALL sim.set('{"provision_contacts_ms": 0}');
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
-- At any other time it is an error, and at once.
CALL sim.list('old', '{id,phone}');
CREATE FOREIGN TABLE gc.old (id text, phone text) SERVER genesys OPTIONS (object 'contacts', list_name 'old', key 'id');
SELECT count(*) FROM gc.old;
CALL sim.faults('[{"method": "POST", "path": "*/contacts", "status": 404, "body_json": {"status": 404, "code": "contact.list.not.found", "message": "No."}}]');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.old (id) VALUES ('1')$$);
SELECT count(*) FROM sim.asked() asked WHERE asked LIKE 'POST %/contacts 404';
CALL sim.faults('[]');

-- A3: once more is the same list, whatever the order of its phone columns; one that differs says in what.
CALL sim.forget();
INSERT INTO gc.contact_lists (name, division, column_names, phone_columns, column_types, automatic_time_zone_mapping)
VALUES ('Leads ä', 'Sales', '{id,First Name,Phone,Mail,Zip,Age}', '[{"type": "cell", "columnName": "Phone"}]',
  '[{"columnName": "Age", "columnDataType": "NUMERIC"}]', true)
RETURNING id = (SELECT id FROM gc.contact_lists WHERE name = 'Leads ä') AS the_same, version, size;
SELECT * FROM sim.asked() asked WHERE asked LIKE 'POST%';
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns, trim_whitespace, automatic_time_zone_mapping)
  VALUES ('Leads ä', '{id,Phone}', '[{"columnName": "Phone", "type": "home"}]', true, true)$$);
-- Another session was quicker (K6), and its list is not to be seen yet.
CALL sim.faults('[{"method": "GET", "path": "/api/v2/outbound/contactlists", "status": 200, "body": "{\"entities\": [], \"pageCount\": 0}", "times": 2}]');
ALTER SERVER genesys OPTIONS (SET read_lag '5s');
INSERT INTO gc.contact_lists (name, column_names, phone_columns, automatic_time_zone_mapping)
VALUES ('Leads ä', '{id,First Name,Phone,Mail,Zip,Age}', '[{"columnName": "Phone", "type": "cell"}]', true) RETURNING version;
ALTER SERVER genesys OPTIONS (SET read_lag '0');
-- A name that is taken by what this client may not see
CALL sim.faults('[{"method": "GET", "path": "/api/v2/outbound/contactlists", "status": 200, "body": "{\"entities\": [], \"pageCount\": 0}"}]');
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns)
  VALUES ('Leads ä', '{id,Phone}', '[{"columnName": "Phone", "type": "cell"}]')$$);
CALL sim.faults('[]');
-- D2: an answer that is lost is looked for, and nothing is made twice.
CALL sim.faults('[{"method": "POST", "path": "/api/v2/outbound/contactlists", "drop": "after", "times": 1}]');
INSERT INTO gc.contact_lists (name, column_names, phone_columns)
VALUES ('Lost', '{id,Phone}', '[{"columnName": "Phone", "type": "cell"}]') RETURNING name, version;
CALL sim.faults('[]');
SELECT count(*) FROM gc.contact_lists WHERE name = 'Lost';

-- A4: what the platform does not take is refused before any request.
CALL sim.forget();
CREATE PROCEDURE sim.refused(name text, columns text[], more text DEFAULT NULL, value text DEFAULT NULL, phones jsonb DEFAULT '[{"columnName": "p", "type": "cell"}]')
LANGUAGE plpgsql AS $$
BEGIN
  CALL sim.try(format('INSERT INTO gc.contact_lists (name, column_names, phone_columns%s) VALUES (%L, %L, %L%s)',
    ', ' || more, name, columns, phones, CASE WHEN more IS NOT NULL THEN ', ' || quote_nullable(value) END));
END $$;
CALL sim.refused(NULL, '{p}');
CALL sim.refused(' ', '{p}');
CALL sim.refused(repeat('ä', 65), '{p}');
CALL sim.refused('x', NULL);
CALL sim.refused('x', string_to_array(rpad('p', 101, ',c'), ','));
CALL sim.refused('x', ARRAY['p', repeat('ä', 129)]);
CALL sim.refused('x', '{p,a,p}');
CALL sim.refused('x', '{p,""}');
CALL sim.refused('x', '{q}');
CALL sim.refused('x', '{p}', phones => '[]');
CALL sim.refused('x', '{p}', phones => '["p"]');
CALL sim.refused('x', '{p}', phones => '{"columnName": "p", "type": "cell"}');
CALL sim.refused('x', '{p}', phones => '[{"columnName": "p", "type": "cell"}, {"columnName": "p", "type": "home"}]');
SELECT jsonb_agg(jsonb_build_object('columnName', 'p' || g, 'type', 'cell')) AS phones FROM generate_series(1, 11) g \gset
CALL sim.refused('x', '{p1,p2,p3,p4,p5,p6,p7,p8,p9,p10,p11}', phones => :'phones');
CALL sim.refused('x', '{p}', 'email_columns', '[{"columnName": "mail", "type": "work"}]');
CALL sim.refused('x', '{p}', 'column_types', '[{"columnName": "p", "columnDataType": "DATE"}]');
CALL sim.refused('x', '{p}', 'zip_code_column', 'p');
SELECT * FROM sim.asked();
-- What it sets by itself cannot be given.
CALL sim.refused('x', '{p}', 'size', '1');
INSERT INTO gc.contact_lists (name, column_names, phone_columns, size) VALUES ('x', '{p}', '[{"columnName": "p", "type": "cell"}]', NULL) RETURNING size;
DELETE FROM gc.contact_lists WHERE name = 'x';
-- A division that is not there
CALL sim.refused('x', '{p}', 'division', 'Sale');

-- ready_timeout: the list was made, the statement says so, and a later one takes it.
CALL sim.set('{"provision_ms": 60000}');
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (SET ready_timeout '700ms');
BEGIN;
CALL sim.try($$INSERT INTO gc.contact_lists (name, column_names, phone_columns) VALUES ('Slow', '{id,p}', '[{"columnName": "p", "type": "cell"}]')$$);
ROLLBACK;
CALL sim.set('{"provision_ms": 0}');
ALTER FOREIGN TABLE gc.contact_lists OPTIONS (SET ready_timeout '5s');

--
-- UPDATE
--
CALL sim.forget();
UPDATE gc.contact_lists SET name = 'Leads 2', division = 'Sales EMEA', attempt_limits_id = 'al-2', trim_whitespace = true WHERE name = 'Leads ä'
RETURNING name, division, version, attempt_limits_id, trim_whitespace, size, status;
SELECT * FROM sim.asked();
SELECT sim.sent('PUT') - 'id' - 'selfUri' - 'dateCreated' - 'dateModified';
UPDATE gc.contact_lists SET attempt_limits_id = NULL WHERE name = 'Leads 2' RETURNING version, attempt_limits_id;
-- What it is already costs no write.
CALL sim.forget();
UPDATE gc.contact_lists SET name = 'Leads 2', column_names = column_names, phone_columns = '[{"type": "cell", "columnName": "Phone"}]' WHERE name = 'Leads 2' RETURNING version;
SELECT * FROM sim.asked() asked WHERE asked NOT LIKE 'GET%';
-- The session knows it by its new name, without asking; and its table still leads to it.
CALL sim.forget();
CREATE FOREIGN TABLE gc.renamed (id text, "First Name" text, list text OPTIONS (attribute 'list_name')) SERVER genesys OPTIONS (object 'contacts', list_name 'Leads 2', key 'id');
SELECT * FROM gc.renamed WHERE id = '1';
SELECT * FROM sim.asked();
-- F1: what is fixed says what can be done.
CALL sim.try($$UPDATE gc.contact_lists SET column_names = column_names || 'City'::text WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET phone_columns = '[{"columnName": "Phone", "type": "home"}]' WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET zip_code_column = NULL WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET column_types = NULL WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET size = 1 WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET division = NULL WHERE name = 'Leads 2'$$);
CALL sim.try($$UPDATE gc.contact_lists SET division = 'Home', name = 'Lost' WHERE name = 'Leads 2'$$);
CALL sim.faults('[{"method": "PUT", "path": "/contactlists/", "status": 400, "body_json": {"status": 400, "code": "cannot.update.phone.columns", "message": "Phone number columns are different"}}]');
CALL sim.try($$UPDATE gc.contact_lists SET trim_whitespace = false WHERE name = 'Leads 2'$$);
-- I3, K4: a version that is not the newest is read again, at most three times; some services say it with 400.
CALL sim.faults('[{"method": "PUT", "path": "/contactlists/", "status": 409, "times": 1, "body_json": {"status": 409, "code": "invalid.update.wrong.version"}},
  {"method": "PUT", "path": "/contactlists/", "status": 400, "times": 1, "body_json": {"status": 400, "message": "The version given does not match the current version."}}]');
CALL sim.forget();
UPDATE gc.contact_lists SET trim_whitespace = false WHERE name = 'Leads 2' RETURNING version;
SELECT * FROM sim.asked() asked WHERE asked NOT LIKE 'GET /contactlists?%';
CALL sim.faults('[{"method": "PUT", "path": "/contactlists/", "status": 409, "body_json": {"status": 409, "code": "invalid.update.wrong.version"}}]');
CALL sim.forget();
CALL sim.try($$UPDATE gc.contact_lists SET trim_whitespace = true WHERE name = 'Leads 2'$$);
SELECT count(*) FROM sim.asked() asked WHERE asked LIKE 'PUT%';
CALL sim.faults('[]');

--
-- DELETE
--
SELECT sim.make('campaigns', (SELECT jsonb_agg(jsonb_build_object('id', 'c-' || n, 'name', n, 'contactList', jsonb_build_object('id', l.id)))
  FROM gc.contact_lists l, (VALUES ('Spring'), ('Summer')) v(n) WHERE l.name = 'Leads 2'));
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'Leads 2'$$);
-- K7: by another code
CALL sim.set('{"list_in_use": "integrity"}');
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'Leads 2'$$);
-- Who may not see campaigns is told the rest.
CALL sim.set('{"list_in_use": "in_use"}');
CALL sim.faults('[{"method": "GET", "path": "/campaigns", "status": 403, "body_json": {"status": 403, "code": "missing.permissions"}}]');
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'Leads 2'$$);
CALL sim.faults('[]');
SELECT sim.make('campaigns', '[{"id": "c-Spring", "contactList": {"id": "other"}}, {"id": "c-Summer", "contactList": {"id": "other"}}]');
-- An import is waited for.
CALL sim.faults('[{"method": "DELETE", "path": "/contactlists/", "status": 400, "times": 2, "body_json": {"status": 400, "code": "contact.list.import.in.progress", "message": "The contact list has an import in progress."}}]');
CALL sim.forget();
DELETE FROM gc.contact_lists WHERE name = 'Leads 2' RETURNING name, size;
SELECT * FROM sim.asked() asked WHERE asked LIKE 'DELETE%';
ALTER SERVER genesys OPTIONS (SET retry_timeout '300ms');
CALL sim.faults('[{"method": "DELETE", "path": "/contactlists/", "status": 400, "body_json": {"status": 400, "code": "contact.list.import.in.progress", "message": "The contact list has an import in progress."}}]');
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'Lost'$$);
CALL sim.faults('[]');
ALTER SERVER genesys OPTIONS (SET retry_timeout '5s');
-- The session no longer knows it.
CALL sim.try('SELECT * FROM gc.renamed');
-- An answer that is lost: it was deleted all the same.
CALL sim.faults('[{"method": "DELETE", "path": "/contactlists/", "drop": "after", "times": 1}]');
DELETE FROM gc.contact_lists WHERE name = 'Lost' RETURNING name;
CALL sim.faults('[]');
-- Somebody else was quicker.

--
-- What is in the audit: the list, if it was one; nothing of contacts in the WARNING
--
INSERT INTO gc.contact_lists (name, column_names, phone_columns) SELECT n, '{id,p}', '[{"columnName": "p", "type": "cell"}]' FROM (VALUES ('A'), ('B')) v(n);
UPDATE gc.contact_lists SET trim_whitespace = false WHERE name = 'A';
UPDATE gc.contact_lists SET trim_whitespace = false WHERE name = 'A';
SELECT operation, a.list_id = l.id AS of_a, a.status, total, accepted, in_doubt, a.success_rate, correlation_id IS NOT NULL AS answered
FROM gc_fdw.audit_log a, gc.contact_lists l WHERE l.name = 'A' AND a.id IN (SELECT id FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 3)
ORDER BY a.id;
BEGIN;
UPDATE gc.contact_lists SET trim_whitespace = true WHERE name = 'A';
ROLLBACK;
-- Somebody else was quicker.
CALL sim.faults('[{"method": "DELETE", "path": "/contactlists/", "status": 404, "body_json": {"status": 404, "code": "resource.not.found"}}]');
CALL sim.try($$DELETE FROM gc.contact_lists WHERE name = 'A'$$);
CALL sim.faults('[]');

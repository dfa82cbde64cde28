\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- IMPORT FOREIGN SCHEMA: a table for each object and each list
--
-- What was made: tables, their columns, types and options.
CREATE VIEW sim.made AS
  SELECT c.relname AS table, a.attnum AS n, a.attname AS column, format_type(a.atttypid, a.atttypmod) AS type,
         array_to_string(a.attfdwoptions, ', ') AS options
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
  WHERE c.relnamespace = 'gc'::regnamespace;
CREATE VIEW sim.tables AS
  SELECT foreign_table_name AS name, string_agg(option_name || ' ' || option_value, ', ' ORDER BY option_name) AS options
  FROM information_schema.foreign_table_options WHERE foreign_table_schema = 'gc' GROUP BY 1;
CREATE PROCEDURE sim.drop_all() LANGUAGE plpgsql AS $$
DECLARE t regclass;
BEGIN
  FOR t IN SELECT oid FROM pg_class WHERE relnamespace = 'gc'::regnamespace LOOP
    EXECUTE format('DROP FOREIGN TABLE %s', t);
  END LOOP;
END $$;

CALL sim.list('Leads 2026', '{CRM_Lead_ID,FirstName,Score,SignedUp,Phone,WorkPhone}', '{Phone,WorkPhone}',
  '{"columnDataTypeSpecifications": [{"columnName": "Score", "columnDataType": "NUMERIC", "min": 0, "max": 100},
    {"columnName": "SignedUp", "columnDataType": "TIMESTAMP"}, {"columnName": "FirstName", "columnDataType": "TEXT", "maxLength": 40}]}');
CALL sim.list('surveys', '{id,email,phone}', '{phone}', '{"emailColumns": [{"columnName": "email", "type": "work"}]}');
CALL sim.forget();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'CRM_Lead_ID');
-- The key is set for the lists that have it.
SELECT * FROM sim.tables ORDER BY 1;
SELECT * FROM sim.made ORDER BY 1, 2;
SELECT * FROM sim.traffic();
\d gc.leads_2026
-- They work as they are.  J5: phone and email columns are checked.
INSERT INTO gc.leads_2026 (crm_lead_id, first_name, score, signed_up, phone) VALUES ('L-1', 'Ana', 99.50, '2026-01-02 03:04:05+06', '+14155550101');
INSERT INTO gc.leads_2026 (crm_lead_id, work_phone) VALUES ('L-2', '555 0102');
INSERT INTO gc.surveys (contact_id, email) VALUES ('S-1', 'ana');
SELECT * FROM gc.leads_2026;
SELECT id, data FROM sim.contacts('Leads%202026');
SELECT name, size FROM gc.contact_lists ORDER BY 1;
-- Once more into the same schema is PostgreSQL's to refuse, and leaves nothing half done.
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc;
CALL sim.drop_all();

-- attributes 'all': those that only a search gives, too.
IMPORT FOREIGN SCHEMA outbound LIMIT TO (surveys) FROM SERVER genesys INTO gc OPTIONS (attributes 'all');
SELECT * FROM sim.made ORDER BY 1, 2;
CALL sim.drop_all();
-- names 'exact'
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (names 'exact', key 'id', attributes 'common');
SELECT * FROM sim.tables ORDER BY name COLLATE "C";
SELECT * FROM sim.made WHERE "table" LIKE 'Leads%' ORDER BY n;
CALL sim.drop_all();
-- objects, LIMIT TO, EXCEPT: by the names that tables get
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
IMPORT FOREIGN SCHEMA outbound LIMIT TO (leads_2026, no_such) FROM SERVER genesys INTO gc;
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists, events) FROM SERVER genesys INTO gc;
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists) FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT name FROM sim.tables ORDER BY 1;
IMPORT FOREIGN SCHEMA outbound EXCEPT (contact_lists, surveys) FROM SERVER genesys INTO gc;
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
-- list_prefix: of the remote name
CALL sim.forget();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (list_prefix 'Leads');
SELECT name FROM sim.tables ORDER BY 1;
SELECT * FROM sim.traffic();
CALL sim.drop_all();

-- What is refused
IMPORT FOREIGN SCHEMA inbound FROM SERVER genesys INTO gc;
\echo :SQLSTATE
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (kye 'id');
\echo :SQLSTATE
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (batch_size '10');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (names 'camel');
\echo :SQLSTATE
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (attributes 'some');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key '');
-- D1: a phone column cannot be the key.
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'Phone');
\echo :SQLSTATE
-- A key that no list has is a misspelt one; of the lists looked at, one has to have it.
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'CRM_Leed_ID');
\echo :SQLSTATE
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'something else entirely');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'email', list_prefix 'Leads');
SELECT name FROM sim.tables;

--
-- Names
--
CALL sim.reset();
CALL sim.list('snake', ARRAY['FirstName', 'CRMLead', 'HTTPServerURL', 'lower', 'with space', 'a--b', '_lead_', 'Line2Address',
  'ALLCAPS', 'Größe', '2nd', 'select', '%%', 'Phone']);
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT n, "column", options FROM sim.made ORDER BY 1;
INSERT INTO gc.snake (contact_id, first_name, "2nd", "select", "größe") VALUES ('c', 'f', '2', 's', 'g');
SELECT data FROM sim.contacts('snake');
CALL sim.drop_all();

-- Names that collide get a suffix each, of their own id, so that none passes to another list.
CALL sim.reset();
CALL sim.list('Leads', '{id,phone}');
CALL sim.list('leads', '{id,phone}');
CALL sim.list('LEADS', '{id,phone}');
CALL sim.list('other', '{id,phone}');
-- Nor does a list take the name of an object, or of its suffixed form.
CALL sim.list('contact_lists', '{id,phone}');
CALL sim.list('Contacts', '{id,phone}');
CALL sim.list('Events', '{id,phone}');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc;
SELECT * FROM sim.tables ORDER BY 1;
SELECT name AS before FROM sim.tables WHERE options LIKE 'list_id LEADS,%' \gset
CALL sim.drop_all();
-- DNC lists are tables beside the contact lists, by the same rules.
CALL sim.reset();
CALL sim.list('Robinson', '{id,phone}');
SELECT sim.make('dnclists', '[{"id": "d-1", "name": "Robinson"}, {"id": "d-2", "name": "Do Not Call", "entries": ["+1"]}, {"id": "d-3", "name": "Events", "contactMethod": "Email"}]');
IMPORT FOREIGN SCHEMA outbound EXCEPT (campaigns, contact_lists, dnc_lists, events, import_jobs) FROM SERVER genesys INTO gc;
SELECT * FROM sim.tables ORDER BY 1;
\d gc.do_not_call
\d gc.events_*
SELECT * FROM gc.do_not_call;
CALL sim.drop_all();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (list_prefix 'Do', objects 'on');
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
-- Who may not see them gets the rest.
CALL sim.faults('[{"path": "/dnclists", "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc;
SELECT name FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
CALL sim.faults('[]');
-- The suffix is of the list itself, not of its company.
CALL sim.reset();
CALL sim.list('LEADS', '{id,phone}');
CALL sim.list('leads', '{id,phone}');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT name, options, name = :'before' AS as_before FROM sim.tables ORDER BY 1;
CALL sim.drop_all();
-- In names 'exact' these do not collide.
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off', names 'exact');
SELECT name FROM sim.tables ORDER BY name COLLATE "C";
CALL sim.drop_all();

-- Columns, the same: with each other and with attributes.
CALL sim.reset();
CALL sim.list('clash', '{FirstName,first_name,"FIRST NAME",callable,contact_id,Phone,phone_last_attempt}', '{Phone}');
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off', key 'contact_id');
SELECT n, "column", options FROM sim.made ORDER BY 1;
SELECT * FROM sim.tables;
CALL sim.drop_all();

-- Long names are cut to 63 bytes, between characters; then they may collide.
CALL sim.reset();
CALL sim.list('long', ARRAY[repeat('a', 63), repeat('b', 64), repeat('c', 70) || '1', repeat('c', 70) || '2', repeat('é', 40), 'x' || repeat('😀', 20), 'Phone']);
CALL sim.list(repeat('L', 64), ARRAY['Phone']);
CALL sim.list('long phone', ARRAY[repeat('Phone', 12)]);
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off');
SELECT "table", "column", octet_length("column"::text) AS bytes, char_length(options) AS options FROM sim.made ORDER BY 1, n;
INSERT INTO gc.long (contact_id, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb) VALUES ('x', 'b');
SELECT id, data FROM sim.contacts('long');
CALL sim.drop_all();

-- Quotes, backslashes and what SQL is made of stay what they are.
CALL sim.reset();
CALL sim.list('it''s "a" \ list; DROP', ARRAY['o''clock', 'dou"ble', 'back\slash', 'Phone']);
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off', names 'exact', key 'o''clock');
SELECT "table", "column", options FROM sim.made ORDER BY n;
SELECT * FROM sim.tables;
INSERT INTO gc."it's ""a"" \ list; DROP" ("o'clock", "dou""ble", "back\slash") VALUES ('12', '"', '\') RETURNING "o'clock", "dou""ble", "back\slash";
SELECT * FROM gc."it's ""a"" \ list; DROP";
CALL sim.drop_all();

-- A list of 50 columns, ten of them phones.
CALL sim.reset();
DO $$
DECLARE columns text[] := ARRAY(SELECT 'Column' || g FROM generate_series(1, 50) g);
BEGIN
  CALL sim.list('wide', columns, columns[41:]);
END $$;
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (objects 'off', attributes 'all');
SELECT count(*) AS columns, count(*) FILTER (WHERE options LIKE 'attribute=%') AS attributes FROM sim.made;
CALL sim.drop_all();

-- Over a hundred lists: all pages are read.
CALL sim.reset();
SELECT sim.make('lists', (SELECT jsonb_agg(jsonb_build_object('id', g::text, 'name', 'list ' || g, 'columnNames', '["id", "phone"]'::jsonb,
  'phoneColumns', '[{"columnName": "phone", "type": "cell"}]'::jsonb)) FROM generate_series(1, 230) g));
CALL sim.forget();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc;
SELECT count(*), min(name), max(name) FROM sim.tables;
SELECT request, rows FROM sim.traffic() WHERE request LIKE 'GET%';
SELECT count(*) FROM gc.contact_lists;
CALL sim.drop_all();

-- An organisation without lists: no key is missed there.
CALL sim.reset();
IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc OPTIONS (key 'id');
SELECT * FROM sim.tables;
SELECT count(*) FROM gc.contact_lists;

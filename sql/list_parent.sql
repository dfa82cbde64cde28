\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- create_list_parent(): one table over many lists
--
CALL sim.list('Spring', '{id,name,note,phone}');
CALL sim.list('Summer', '{id,name,phone}');
CALL sim.list('Herbst ä', '{id,phone,name}', '{phone}', more => '{"id": "h-1"}');
IMPORT FOREIGN SCHEMA outbound LIMIT TO (spring, summer, "herbst_ä") FROM SERVER genesys INTO gc OPTIONS (key 'id');
-- What IMPORT makes by default does not have the list's name.
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'leads')$$);
ALTER FOREIGN TABLE gc.spring ADD COLUMN list_name text OPTIONS (attribute 'list_name');
ALTER FOREIGN TABLE gc.summer ADD COLUMN list_name text OPTIONS (attribute 'list_name');
ALTER FOREIGN TABLE gc."herbst_ä" ADD COLUMN list text OPTIONS (attribute 'list_name');
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'leads')$$);
ALTER FOREIGN TABLE gc."herbst_ä" RENAME list TO list_name;
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'spring')$$);
SELECT gc_fdw.create_list_parent('gc', 'leads');
-- Those that have the common columns are partitions themselves, another has a table beside it.
\d gc.leads
SELECT inhrelid::regclass AS partition, pg_get_expr(relpartbound, oid) AS bound
FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'gc.leads'::regclass ORDER BY 1::text;
\d gc.leads_spring
-- Rows go where list_name says.
INSERT INTO gc.leads (id, name, phone, list_name) VALUES ('1', 'Ann', '+14155550101', 'Spring'), ('2', 'Ben', '+14155550102', 'Summer'),
  ('3', 'Cem', '+14155550103', 'Herbst ä'), ('4', 'Dan', '+14155550104', 'Spring');
SELECT list_name, id, name FROM gc.leads ORDER BY id;
SELECT id, data FROM sim.contacts('h-1');
INSERT INTO gc.leads (id, name, list_name) VALUES ('5', 'Eve', 'Winter');
-- By key, and in one list
UPDATE gc.leads SET name = 'Bea' WHERE id = '2' RETURNING list_name, name;
UPDATE gc.leads SET callable = false WHERE id = '4';
SELECT id, contact->'callable' AS callable FROM sim.contacts('Spring') ORDER BY 1;
EXPLAIN (COSTS OFF) SELECT name FROM gc.leads WHERE list_name = 'Summer' AND id = '2';
DELETE FROM gc.leads WHERE id = '3' RETURNING list_name;
SELECT count(*) FROM gc.leads;

-- Named lists, of any schema; each list once
CREATE SCHEMA other;
CREATE FOREIGN TABLE other.spring (id text, phone varchar, list_name text OPTIONS (attribute 'list_name')) SERVER genesys OPTIONS (object 'contacts', list_name 'Spring', key 'id');
CREATE FOREIGN TABLE other.summer (id text, crm text OPTIONS (field 'name'), list_name text OPTIONS (attribute 'list_name')) SERVER genesys OPTIONS (object 'contacts', list_name 'Summer', key 'crm');
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{other.spring,gc.spring}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{other.spring,gc.leads_spring}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{other.spring,other.summer}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{other.spring,gc.summer}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{NULL}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', NULL)$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('gc', 'two', '{pg_class}')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('sim', 'two')$$);
CALL sim.try($$SELECT gc_fdw.create_list_parent('nowhere', 'two', '{other.spring}')$$);
SELECT gc_fdw.create_list_parent('other', 'Odd "name"', '{other.spring}');
SELECT list_name, id FROM other."Odd ""name""" ORDER BY id;
-- Who does not own the tables cannot.
CREATE ROLE regress_reader;
GRANT USAGE, CREATE ON SCHEMA gc TO regress_reader;
GRANT USAGE ON SCHEMA gc_fdw TO regress_reader;
GRANT INSERT ON gc.spring TO regress_reader;
GRANT USAGE ON FOREIGN SERVER genesys TO regress_reader;
CREATE USER MAPPING FOR regress_reader SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
SET ROLE regress_reader;
SELECT gc_fdw.create_list_parent('gc', 'mine', '{gc.spring}');
RESET ROLE;
-- What is dropped with it: the partitions, and what was made beside a table; no contact.
DROP TABLE gc.leads;
SELECT relname FROM pg_class WHERE relnamespace = 'gc'::regnamespace ORDER BY 1;
DROP SCHEMA other CASCADE;
DROP OWNED BY regress_reader;
DROP ROLE regress_reader;

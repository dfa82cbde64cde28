\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- partial_rows: INSERTs that do not name all columns of their list (DESIGN 2.1)
--
-- Whether the platform keeps or blanks what a POST leaves out is up to it; here a
-- cell that is lost shows as such under the setting that blanks.
CALL sim.list('leads', '{crm_id,first_name,note,hidden,phone}');
CREATE FOREIGN TABLE gc.wide (crm_id text, first_name text, note text, hidden text, phone text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'), crm_id text, first_name text, note text DEFAULT 'by default', phone text,
  callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id', partial_rows 'merge');
INSERT INTO gc.wide SELECT 'L-' || g, 'name ' || g, 'note ' || g, E'"\\ é ' || g, '+1415' || g FROM generate_series(1, 120) g;
UPDATE gc.leads SET callable = false WHERE crm_id = 'L-2';

-- merge: read by id, fifty a request, and merged; who is not there is new.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, first_name, note) SELECT 'L-' || g, 'merged', NULL FROM generate_series(1, 100) g UNION ALL SELECT 'N-1', 'new', 'new';
SELECT request, rows, count(*) FROM sim.traffic() WHERE request ~ '/contacts[?/]' OR request ~ '/contacts$' GROUP BY 1, 2 ORDER BY 1, 2 DESC;
SELECT count(*), count(*) FILTER (WHERE data->>'first_name' = 'merged') AS merged, count(*) FILTER (WHERE data ? 'note') AS noted,
  count(*) FILTER (WHERE data->>'hidden' = E'"\\ é ' || substr(id, 3) AND data->>'phone' = '+1415' || substr(id, 3)) AS whole,
  count(*) FILTER (WHERE contact->>'callable' = 'false') AS opted_out
FROM sim.contacts('leads');
SELECT data FROM sim.contacts('leads') WHERE id = 'N-1';
-- One by itself, by COPY, with an attribute, with a default; an opt-out that is sent is checked.
COPY gc.leads (crm_id, first_name) FROM STDIN;
L-3	by copy
\.
INSERT INTO gc.leads (crm_id, callable) VALUES ('L-4', false);
SELECT id, data, contact->'callable' AS callable FROM sim.contacts('leads') WHERE id IN ('L-3', 'L-4') ORDER BY id;
-- With what only the platform knows, each row by itself.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, first_name) VALUES ('L-2', 'returned'), ('N-2', 'new') RETURNING crm_id, first_name, phone, callable;
SELECT request, rows FROM sim.traffic();
-- A contact twice: in order.
INSERT INTO gc.leads (crm_id, first_name) VALUES ('L-5', 'first'), ('L-5', 'second');
SELECT data FROM sim.contacts('leads') WHERE id = 'L-5';
-- A look-up that fails: the counts.
CALL sim.faults('[{"path": "*/contacts/bulk", "status": 403, "body_json": {"code": "missing.permissions"}}]');
CALL sim.try($$INSERT INTO gc.leads (crm_id, first_name) VALUES ('L-6', 'x'), ('L-7', 'x')$$);
CALL sim.faults('[]');
-- Who names all columns pays nothing.
ALTER FOREIGN TABLE gc.wide OPTIONS (ADD partial_rows 'merge');
CALL sim.forget();
INSERT INTO gc.wide (crm_id, first_name, note, hidden, phone) VALUES ('L-8', 'a', 'b', 'c', '+1');
INSERT INTO gc.wide VALUES ('L-9', 'a', 'b', 'c', '+1');
SELECT request, rows FROM sim.traffic() WHERE request ~ '/contacts$' OR request ~ 'bulk';

-- refuse: before any row is sent.
ALTER FOREIGN TABLE gc.wide OPTIONS (SET partial_rows 'refuse');
CALL sim.forget();
CALL sim.try($$INSERT INTO gc.wide (crm_id, first_name, note, phone) VALUES ('L-10', 'x', 'x', 'x')$$);
SELECT * FROM sim.traffic() WHERE request ~ '/contacts$';
CALL sim.try($$INSERT INTO gc.wide (crm_id, first_name, note, hidden, phone) VALUES ('L-10', 'x', 'x', 'x', NULL)$$);
CALL sim.try($$ALTER FOREIGN TABLE gc.wide OPTIONS (SET partial_rows 'perhaps')$$);

-- allow, the default: as it comes.
ALTER FOREIGN TABLE gc.wide OPTIONS (DROP partial_rows);
CALL sim.try($$INSERT INTO gc.wide (crm_id, first_name) VALUES ('L-11', 'x')$$);

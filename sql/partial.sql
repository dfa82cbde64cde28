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

-- allow, the default: as it comes.  The first answers are looked at: a value in a cell that was left
-- out shows that the platform keeps them; that old contacts have none in any is a WARNING.
ALTER FOREIGN TABLE gc.wide OPTIONS (DROP partial_rows);
CALL sim.try($$INSERT INTO gc.wide (crm_id, first_name) VALUES ('L-11', 'x')$$);
CREATE PROCEDURE gc.old_list(list text, platform text) LANGUAGE plpgsql AS $$
BEGIN
  PERFORM sim.control('POST', 'set', format('{"absent_cells": "%s"}', platform));
  CALL sim.list(list, '{crm_id,first_name,note,hidden,phone}');
  EXECUTE format('CREATE FOREIGN TABLE gc.%1$I (crm_id text, first_name text, note text, hidden text, phone text)
                  SERVER genesys OPTIONS (object ''contacts'', list_name ''%1$s'', key ''crm_id'')', list);
  EXECUTE format('INSERT INTO gc.%I SELECT ''O-'' || g, ''old'', ''note '' || g, ''hidden'', ''+1'' FROM generate_series(1, 3) g', list);
  FOR i IN 1..3 LOOP
    CALL sim.touch(list, 'O-' || i, '{"dateCreated": "2024-02-29T12:00:00.000Z"}');
  END LOOP;
END $$;
CALL gc.old_list('kept', 'keep');
INSERT INTO gc.kept (crm_id, first_name) VALUES ('O-1', 'x'), ('new', 'x');
SELECT id, data FROM sim.contacts('kept') ORDER BY id;
CALL gc.old_list('blanked', 'blank');
CALL sim.forget();
INSERT INTO gc.blanked (crm_id, first_name) VALUES ('O-1', 'x'), ('O-2', 'x'), ('new', 'x');
SELECT request, rows FROM sim.traffic() WHERE request ~ '/contacts';
SELECT id, data FROM sim.contacts('blanked') ORDER BY id;
-- Once in a session; and no more after a value was seen that was kept.
INSERT INTO gc.blanked (crm_id, first_name) VALUES ('O-3', 'x');
INSERT INTO gc.kept (crm_id, first_name) VALUES ('O-1', 'x');
-- By COPY, with RETURNING of what only the platform knows, at COMMIT, in the second of two requests.
CALL gc.old_list('copied', 'blank');
COPY gc.copied (crm_id, note) FROM STDIN;
O-1	by copy
\.
CALL gc.old_list('returned', 'blank');
ALTER FOREIGN TABLE gc.returned ADD callable boolean OPTIONS (attribute 'callable');
INSERT INTO gc.returned (crm_id, first_name, note, hidden) VALUES ('O-1', 'x', 'x', 'x') RETURNING callable;
CALL gc.old_list('committed', 'blank');
ALTER FOREIGN TABLE gc.committed OPTIONS (ADD deliver 'commit');
BEGIN;
INSERT INTO gc.committed (crm_id, note) VALUES ('O-1', 'x');
COMMIT;
CALL gc.old_list('second', 'blank');
ALTER FOREIGN TABLE gc.second OPTIONS (ADD batch_size '1');
INSERT INTO gc.second (crm_id, note) VALUES ('new', 'x'), ('O-2', 'x');
-- A value that a default has sent shows nothing of those that were left out.
CALL gc.old_list('sent', 'blank');
ALTER FOREIGN TABLE gc.sent ALTER note SET DEFAULT 'by default';
INSERT INTO gc.sent (crm_id, first_name) VALUES ('O-1', 'x');
-- Nothing is said of contacts as young as those of a load that is run again, of new ones, and where nothing is left out.
CALL gc.old_list('quiet', 'blank');
INSERT INTO gc.quiet (crm_id, first_name) VALUES ('young', 'x');
INSERT INTO gc.quiet (crm_id, first_name) VALUES ('young', 'y');
INSERT INTO gc.quiet (crm_id, first_name) VALUES ('O-1', 'x') ON CONFLICT DO NOTHING;
INSERT INTO gc.quiet VALUES ('O-1', 'x', 'x', 'x', 'x');
-- With merge nothing is lost, and nothing said.
ALTER FOREIGN TABLE gc.quiet OPTIONS (ADD partial_rows 'merge');
INSERT INTO gc.quiet (crm_id, first_name) VALUES ('O-2', 'x');
SELECT data FROM sim.contacts('quiet') WHERE id = 'O-2';

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- INSERT: batches, identity, empty cells, opt-outs, RETURNING, triggers, ROLLBACK
--
CALL sim.list('leads', '{crm_id,first_name,note,phone}');
CREATE FOREIGN TABLE gc.leads (
  contact_id text OPTIONS (attribute 'id'),
  crm_id text NOT NULL,
  first_name text,
  note text,
  phone text,
  callable boolean OPTIONS (attribute 'callable')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');

-- VALUES, and INSERT … SELECT; all columns are text to the platform.
INSERT INTO gc.leads (crm_id, first_name, note, phone)
  VALUES ('L-1', 'Ana', 'a "quoted" \ note', '+14155550101'), ('L-2', 'Bjørn', E'two\nlines', '+4799999999');
INSERT INTO gc.leads (crm_id, first_name) SELECT 'S-' || n, 'name ' || n FROM generate_series(1, 2) n;
SELECT id, data FROM sim.contacts('leads');
-- No rows, no requests: but the list is looked at.
CALL sim.forget();
INSERT INTO gc.leads (crm_id) SELECT 'x' WHERE false;
SELECT * FROM sim.traffic();

--
-- B1: batches
--
-- As many rows a request as the platform takes, connections kept alive, at
-- most max_in_flight requests at once, and an exact row count.
CREATE FOREIGN TABLE gc.bulk (crm_id text, first_name text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'bulk', key 'crm_id');
CALL sim.list('bulk', '{crm_id,first_name,note}');
INSERT INTO gc.bulk (crm_id) VALUES ('B-1');
CALL sim.forget();
DO $$
DECLARE n bigint;
BEGIN
  INSERT INTO gc.bulk (crm_id, first_name) SELECT 'B-' || g, 'x' FROM generate_series(1, 10500) g;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
SELECT request, rows, status, count(*) FROM sim.traffic() GROUP BY 1, 2, 3 ORDER BY 2 DESC;
SELECT max(in_flight) <= 4 AS capped, count(DISTINCT connection) <= 4 AS kept_alive FROM sim.requests();
SELECT count(*), count(DISTINCT id) FROM sim.contacts('bulk') WHERE id LIKE 'B-%';
-- Requests do overlap: two that take their time are on the wire at once.
CALL sim.faults('[{"path": "*/contacts", "delay_ms": 60}]');
CALL sim.forget();
INSERT INTO gc.bulk (crm_id) SELECT 'B-' || g FROM generate_series(1, 6000) g;
SELECT max(in_flight) AS at_once, count(*) FROM sim.requests();
-- max_in_flight '1': one after the other.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
INSERT INTO gc.bulk (crm_id) SELECT 'B-' || g FROM generate_series(1, 1) g;
CALL sim.forget();
INSERT INTO gc.bulk (crm_id) SELECT 'B-' || g FROM generate_series(1, 3000) g;
SELECT max(in_flight) AS at_once, count(*) FROM sim.requests();
CALL sim.faults('[]');

-- batch_size, of the server and of the table.
ALTER SERVER genesys OPTIONS (ADD batch_size '400');
INSERT INTO gc.bulk (crm_id) VALUES ('B-1');
CALL sim.forget();
INSERT INTO gc.bulk (crm_id) SELECT 'B-' || g FROM generate_series(1, 1000) g;
SELECT request, rows, status, count(*) FROM sim.traffic() GROUP BY 1, 2, 3 ORDER BY 2 DESC;
ALTER FOREIGN TABLE gc.bulk OPTIONS (ADD batch_size '700');
CALL sim.forget();
INSERT INTO gc.bulk (crm_id) SELECT 'B-' || g FROM generate_series(1, 1000) g;
SELECT request, rows, status, count(*) FROM sim.traffic() GROUP BY 1, 2, 3 ORDER BY 2 DESC;
ALTER FOREIGN TABLE gc.bulk OPTIONS (DROP batch_size);
ALTER SERVER genesys OPTIONS (DROP batch_size);
-- batch_bytes: a request is never larger, and is sent before the row that would make it so.
ALTER FOREIGN TABLE gc.bulk OPTIONS (ADD batch_bytes '10kB');
INSERT INTO gc.bulk (crm_id) VALUES ('B-1');
CALL sim.forget();
INSERT INTO gc.bulk (crm_id, note) SELECT 'B-' || g, repeat('x', 500) FROM generate_series(1, 40) g;
SELECT rows, count(*), max(bytes) <= 10240 AS fits FROM sim.requests() GROUP BY 1 ORDER BY 1 DESC;
ALTER FOREIGN TABLE gc.bulk OPTIONS (DROP batch_bytes);
-- 512,000 bytes a request hold, and batch_bytes may be no more.
ALTER FOREIGN TABLE gc.bulk OPTIONS (ADD batch_bytes '501kB');
CALL sim.forget();
INSERT INTO gc.bulk (crm_id, first_name, note) SELECT 'B-' || g, repeat('é', 256), repeat('x', 500) FROM generate_series(1, 1000) g;
SELECT sum(rows), count(*) > 2 AS several, max(bytes) <= 512000 AS fits FROM sim.requests() WHERE method = 'POST';
ALTER SERVER genesys OPTIONS (DROP max_in_flight);

-- One key twice in a statement: the last row wins, whatever the distance.
INSERT INTO gc.bulk (crm_id, note) VALUES ('T-1', 'first'), ('T-2', 'only'), ('T-1', 'second'), ('T-1', 'third');
INSERT INTO gc.bulk (crm_id, note) SELECT 'T-' || 10 + g % 1500, g FROM generate_series(0, 4499) g;
SELECT count(*), bool_and((data->>'note')::int = 3000 + substr(id, 3)::int - 10) AS last_won
FROM sim.contacts('bulk') WHERE id ~ '^T-\d\d';
SELECT id, data->>'note' AS note FROM sim.contacts('bulk') WHERE id IN ('T-1', 'T-2');

-- B3: every API request has an id of its own.
SELECT count(*) = count(DISTINCT headers->>'x-request-id') AS own_id FROM sim.requests() WHERE path LIKE '/api/%';

--
-- D1: identity
--
-- The key's value is the contact's id; a column with attribute id gives it too, if equal.
INSERT INTO gc.leads (contact_id, crm_id) VALUES ('I-1', 'I-1'), (NULL, 'I-2');
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'I-%';
-- Both given and different.
INSERT INTO gc.leads (contact_id, crm_id) VALUES ('I-3', 'I-4');
\echo :SQLSTATE
-- A key that is NULL, or empty.
ALTER FOREIGN TABLE gc.leads ALTER crm_id DROP NOT NULL;
INSERT INTO gc.leads (first_name) VALUES ('nobody');
\echo :SQLSTATE
INSERT INTO gc.leads (contact_id) VALUES ('I-5');
INSERT INTO gc.leads (crm_id) VALUES ('');
\echo :SQLSTATE
-- Ids are ASCII letters, digits and ._:@- by default, at most 100 of them.
INSERT INTO gc.leads (crm_id) VALUES ('A.b_c:d@e-9'), (repeat('k', 100));
INSERT INTO gc.leads (crm_id) VALUES (repeat('k', 101));
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id) VALUES ('has space');
INSERT INTO gc.leads (crm_id) VALUES ('Ünal');
INSERT INTO gc.leads (crm_id) VALUES ('a/../b');
INSERT INTO gc.leads (crm_id) VALUES (repeat('long', 5000));
-- contact_id_pattern says otherwise: by characters, not bytes.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD contact_id_pattern '^L-[0-9]{4}$');
INSERT INTO gc.leads (crm_id) VALUES ('L-1234');
INSERT INTO gc.leads (crm_id) VALUES ('L-12345');
INSERT INTO gc.leads (crm_id) VALUES ('prefix L-1234');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP contact_id_pattern);
-- A key of another type.
CREATE FOREIGN TABLE gc.numbered (crm_id bigint, note text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.numbered VALUES (42, 'by number'), (-9223372036854775808, 'the least');
SELECT id, data FROM sim.contacts('leads') WHERE data->>'note' IN ('by number', 'the least');
-- Neither key nor id: a UUID for each row, and one NOTICE that says what a rerun does.
CREATE FOREIGN TABLE gc.anonymous (first_name text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
INSERT INTO gc.anonymous VALUES ('anon'), ('anon'), ('anon');
SELECT count(DISTINCT id), bool_and(id ~ '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$') AS uuids
FROM sim.contacts('leads') WHERE data->>'first_name' = 'anon';
-- Only where no row gives one.
CREATE FOREIGN TABLE gc.half (contact_id text OPTIONS (attribute 'id'), first_name text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads');
INSERT INTO gc.half VALUES ('H-1', 'half');
INSERT INTO gc.half VALUES ('H-2', 'half'), (NULL, 'half');
INSERT INTO gc.half VALUES ('', 'half');
SELECT count(*) FROM sim.contacts('leads') WHERE data->>'first_name' = 'half';

--
-- Empty cells
--
-- NULL and '' are sent as ""; a column that is not named is left out.
CALL sim.set('{"record_bodies": true}');
CALL sim.forget();
INSERT INTO gc.leads (crm_id, first_name, note) VALUES ('E-1', NULL, '');
INSERT INTO gc.leads (crm_id, note) VALUES ('E-2', 'x');
-- Without a list of columns those are named that VALUES reaches.
INSERT INTO gc.leads VALUES (NULL, 'E-3', 'x');
INSERT INTO gc.leads VALUES ('E-4', 'E-4', 'x', NULL, '1', true);
SELECT body FROM sim.requests();
-- Defaults, generated columns and BEFORE triggers count, named or not.
CREATE FOREIGN TABLE gc.derived (
  crm_id text,
  note text DEFAULT 'by default',
  first_name text GENERATED ALWAYS AS (upper(crm_id)) STORED,
  phone text
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CALL sim.forget();
INSERT INTO gc.derived (crm_id) VALUES ('e-5');
INSERT INTO gc.derived (crm_id, note) VALUES ('e-6', DEFAULT);
INSERT INTO gc.derived (crm_id, note) VALUES ('e-7', NULL);
SELECT body FROM sim.requests();
CREATE FUNCTION gc.fill() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.crm_id = 'e-skip' THEN
    RETURN NULL;
  END IF;
  NEW.phone := '+1' || length(NEW.crm_id);
  RETURN NEW;
END $$;
CREATE TRIGGER fill BEFORE INSERT ON gc.derived FOR EACH ROW EXECUTE FUNCTION gc.fill();
CALL sim.forget();
INSERT INTO gc.derived (crm_id) VALUES ('e-8'), ('e-skip'), ('e-9');
SELECT body FROM sim.requests();
DROP FOREIGN TABLE gc.derived;
CALL sim.set('{"record_bodies": false}');

-- B6: NOT NULL on the foreign table is checked before anything is sent.
ALTER FOREIGN TABLE gc.leads ALTER note SET NOT NULL;
INSERT INTO gc.leads (crm_id) VALUES ('N-1');
INSERT INTO gc.leads (crm_id, note) VALUES ('N-1', 'x'), ('N-2', NULL);
\echo :SQLSTATE
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'N-%';
ALTER FOREIGN TABLE gc.leads ALTER note DROP NOT NULL;

-- F3: a cell holds 512 characters, not bytes, and none is cut.
INSERT INTO gc.leads (crm_id, note) VALUES ('F-1', repeat('x', 512)), ('F-2', repeat('😀', 512));
SELECT id, char_length(data->>'note') FROM sim.contacts('leads') WHERE id LIKE 'F-_';
INSERT INTO gc.leads (crm_id, note) VALUES ('F-3', repeat('x', 513));
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id, note) VALUES ('F-4', repeat('😀', 513));

--
-- H4: opt-outs
--
CALL sim.list('people', '{crm_id,home,work}', '{home,work}');
CREATE FOREIGN TABLE gc.people (
  crm_id text,
  home text,
  callable boolean OPTIONS (attribute 'callable'),
  numbers jsonb OPTIONS (attribute 'phone_number_status'),
  media jsonb OPTIONS (attribute 'contactable_status')
) SERVER genesys OPTIONS (object 'contacts', list_name 'people', key 'crm_id');
-- Only what is false is sent.
CALL sim.set('{"record_bodies": true}');
INSERT INTO gc.people (crm_id) VALUES ('warm');
CALL sim.forget();
INSERT INTO gc.people VALUES ('P-1', '+1', true, '{"home": {"callable": true}}', '{}');
INSERT INTO gc.people VALUES ('P-2', '+2', false, '{"home": {"callable": false}, "work": {"callable": true}}',
  '{"Voice": {"contactable": true, "columnStatus": {"home": {"contactable": false}}}, "Email": {"contactable": false}}');
INSERT INTO gc.people VALUES ('P-3', '+3', NULL, NULL, NULL);
SELECT body FROM sim.requests();
CALL sim.set('{"record_bodies": false}');
-- An opt-out survives a load of the same contact.
INSERT INTO gc.people (crm_id, home, callable) VALUES ('P-2', '+22', true);
INSERT INTO gc.people (crm_id, home) VALUES ('P-2', '+222');
SELECT data->>'home' AS home, contact->'callable' AS callable, contact->'phoneNumberStatus'->'home' AS home_status
FROM sim.contacts('people') WHERE id = 'P-2';
-- One that the echo does not show is an error: nothing passes in silence.
CALL sim.faults('[{"path": "*/contacts", "echo_patch": {"callable": true}}]');
INSERT INTO gc.people (crm_id, callable) VALUES ('P-4', true);
INSERT INTO gc.people (crm_id, callable) VALUES ('P-4', true), ('P-5', false), ('P-6', false);
\echo :SQLSTATE
CALL sim.faults('[{"path": "*/contacts", "echo_patch": {"phoneNumberStatus": {"work": {"callable": true}}}}]');
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-7', '{"home": {"callable": false}}');
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-8', '{"work": {"callable": false}}');
CALL sim.faults('[{"path": "*/contacts", "echo_patch": {"contactableStatus": {"Email": {"contactable": true}}}}]');
INSERT INTO gc.people (crm_id, media) VALUES ('P-9', '{"Email": {"contactable": false}}');
CALL sim.faults('[]');
-- Opt-outs of a full batch are found in its echo, in whatever order that is.
INSERT INTO gc.people (crm_id, callable) SELECT 'O-' || g, g % 3 = 0 FROM generate_series(1, 1200) g;
SELECT contact->'callable' AS callable, count(*) FROM sim.contacts('people') WHERE id LIKE 'O-%' GROUP BY 1 ORDER BY 1;
-- Of columns that are no phone columns of the list, nothing would be protected.
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-10', '{"hoem": {"callable": false}}');
\echo :SQLSTATE
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-10', '{"crm_id": {"callable": false}}');
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-10', '{"home": false}');
\echo :SQLSTATE
SELECT id FROM sim.contacts('people') WHERE id = 'P-10';
-- A status has to be an object.
INSERT INTO gc.people (crm_id, numbers) VALUES ('P-10', '[false]');
\echo :SQLSTATE

--
-- Attributes that cannot be written, and those that must match
--
CREATE FOREIGN TABLE gc.attributes (
  crm_id text,
  made timestamptz OPTIONS (attribute 'date_created'),
  called timestamptz OPTIONS (attribute 'last_attempt:phone'),
  list text OPTIONS (attribute 'list_id'),
  list_name text OPTIONS (attribute 'list_name')
) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.attributes (crm_id, made) VALUES ('A-1', '2026-01-01');
\echo :SQLSTATE
INSERT INTO gc.attributes (crm_id, called) VALUES ('A-1', '2026-01-01');
INSERT INTO gc.attributes (crm_id, made, called) VALUES ('A-1', NULL, NULL);
INSERT INTO gc.attributes (crm_id, list, list_name) VALUES ('A-2', 'leads', 'leads'), ('A-3', NULL, NULL);
INSERT INTO gc.attributes (crm_id, list_name) VALUES ('A-4', 'Leads');
\echo :SQLSTATE
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'A-%';

--
-- Query parameters
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD priority 'on', ADD do_not_queue 'yes');
INSERT INTO gc.leads (crm_id) VALUES ('Q-1');
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('Q-1');
SELECT * FROM sim.traffic();
-- H4: clear_system_data undoes opt-outs, and says so.
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP priority, DROP do_not_queue, ADD clear_system_data 'true');
INSERT INTO gc.leads (crm_id, callable) VALUES ('Q-1', false);
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('Q-1');
SELECT * FROM sim.traffic();
SELECT contact->'callable' AS callable FROM sim.contacts('leads') WHERE id = 'Q-1';
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP clear_system_data);

--
-- What is refused
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD updatable 'false');
INSERT INTO gc.leads (crm_id) VALUES ('C-1');
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.leads OPTIONS (SET updatable 'true');
SELECT table_name, is_insertable_into FROM information_schema.tables WHERE table_schema = 'gc' AND table_name = 'leads';
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP updatable);
ALTER SERVER genesys OPTIONS (ADD updatable 'off');
INSERT INTO gc.leads (crm_id) VALUES ('C-1');
ALTER SERVER genesys OPTIONS (DROP updatable);
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'C-%';

--
-- RETURNING
--
-- What is known without the platform's answer stays batched, and reads as a SELECT would.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, first_name, note)
  VALUES ('R-1', 'Rosa', ''), ('R-2', NULL, 'x'), ('R-3', 'Rui', NULL)
  RETURNING contact_id, crm_id, first_name, note IS NULL AS no_note;
SELECT * FROM sim.traffic();
CALL sim.forget();
WITH made AS (
  INSERT INTO gc.anonymous SELECT 'r' || g FROM generate_series(1, 3) g RETURNING *)
SELECT count(*) FROM made;
INSERT INTO gc.half (first_name) VALUES ('made') RETURNING length(contact_id), contact_id = lower(contact_id) AS lower;
INSERT INTO gc.attributes (crm_id) VALUES ('R-4') RETURNING crm_id, list, list_name;
SELECT * FROM sim.traffic();
-- An empty cell reads as NULL there, too, of whatever type.
CREATE FOREIGN TABLE gc.blanks (crm_id text, first_name tsvector, note varchar, phone text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.blanks VALUES ('R-21', '', '', '') RETURNING first_name, note, phone;
SELECT first_name, note, phone FROM gc.blanks WHERE crm_id = 'R-21';
-- The rest is asked for row by row.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, callable) VALUES ('R-5', true), ('R-6', false), ('R-7', NULL) RETURNING crm_id, callable;
INSERT INTO gc.attributes (crm_id) VALUES ('R-8') RETURNING crm_id, made > now() - interval '1 hour' AS made, called;
SELECT * FROM sim.traffic();
-- The whole row has all of them.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, note) VALUES ('R-9', 'x'), ('R-10', '') RETURNING leads;
INSERT INTO gc.leads (crm_id) VALUES ('R-11') RETURNING *;
SELECT * FROM sim.traffic();
-- An expression over known columns, and a subselect.
CALL sim.forget();
INSERT INTO gc.leads AS l (crm_id, note) VALUES ('R-12', 'n'), ('R-13', 'm')
  RETURNING upper(note) || crm_id AS both, (SELECT count(*) FROM pg_class WHERE relname = l.note) AS n, tableoid::regclass;
SELECT * FROM sim.traffic();

--
-- Triggers, views, CTEs, prepared statements
--
-- An AFTER ROW trigger sees the row as the platform has it; then rows go one by one.
CREATE TABLE gc.seen (crm_id text, note text, callable boolean);
CREATE FUNCTION gc.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gc.seen VALUES (NEW.crm_id, NEW.note, NEW.callable);
  RETURN NEW;
END $$;
CREATE TRIGGER see AFTER INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.see();
CALL sim.forget();
INSERT INTO gc.leads (crm_id, note, callable) VALUES ('G-1', '', NULL), ('G-2', 'x', false);
SELECT * FROM gc.seen;
SELECT * FROM sim.traffic();
DROP TRIGGER see ON gc.leads;
-- A statement trigger does not.
CREATE FUNCTION gc.told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO '% % %', TG_WHEN, TG_OP, (SELECT count(*) FROM sim.contacts('leads') WHERE id IN ('G-3', 'G-4'));
  RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON gc.leads EXECUTE FUNCTION gc.told();
CALL sim.forget();
INSERT INTO gc.leads (crm_id) VALUES ('G-3'), ('G-4');
SELECT * FROM sim.traffic();
DROP TRIGGER told ON gc.leads;

-- Data-modifying CTEs, read, half read and not read.
CALL sim.forget();
WITH w AS (INSERT INTO gc.leads (crm_id) SELECT 'W-' || g FROM generate_series(1, 5) g RETURNING crm_id)
SELECT count(*) FROM w;
WITH w AS (INSERT INTO gc.leads (crm_id) SELECT 'X-' || g FROM generate_series(1, 5) g RETURNING crm_id)
SELECT * FROM w LIMIT 1;
WITH w AS (INSERT INTO gc.leads (crm_id) SELECT 'Y-' || g FROM generate_series(1, 5) g)
SELECT 1 AS one;
SELECT * FROM sim.traffic();
SELECT count(*) FROM sim.contacts('leads') WHERE id ~ '^[WXY]-';
-- Two targets in one statement.
WITH w AS (INSERT INTO gc.leads (crm_id) VALUES ('V-1') RETURNING crm_id)
INSERT INTO gc.people (crm_id) SELECT crm_id FROM w;
SELECT l.id FROM sim.contacts('leads') l JOIN sim.contacts('people') p USING (id);

-- A prepared statement, past the custom plans.
PREPARE load (text, text) AS INSERT INTO gc.leads (crm_id, note) VALUES ($1, $2);
SELECT format('EXECUTE load(%L, %L)', 'Z-' || g, g) FROM generate_series(1, 7) g \gexec
SELECT string_agg(data->>'note', ',' ORDER BY id) AS notes FROM sim.contacts('leads') WHERE id LIKE 'Z-%';
-- It sees a changed option.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD updatable 'false');
EXECUTE load('Z-8', '8');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP updatable);
EXECUTE load('Z-8', '8');
DEALLOCATE load;

-- A view, with its owner's mapping; WITH CHECK OPTION is checked for each row.
CREATE VIEW gc.vips AS SELECT crm_id, note FROM gc.leads WHERE note = 'vip' WITH CHECK OPTION;
INSERT INTO gc.vips VALUES ('K-1', 'vip');
INSERT INTO gc.vips VALUES ('K-2', 'vip'), ('K-3', 'plain');
\echo :SQLSTATE
-- It sees the row as it will read: '' is NULL, and an attribute is what the row gives.
CREATE VIEW gc.noted AS SELECT crm_id, note FROM gc.leads WHERE note IS NULL WITH CHECK OPTION;
INSERT INTO gc.noted VALUES ('K-6', ''), ('K-7', NULL);
INSERT INTO gc.noted VALUES ('K-8', '') RETURNING crm_id, note IS NULL AS no_note;
INSERT INTO gc.noted VALUES ('K-9', 'x');
\echo :SQLSTATE
CREATE VIEW gc.blocked AS SELECT crm_id, callable FROM gc.leads WHERE NOT callable WITH CHECK OPTION;
INSERT INTO gc.blocked VALUES ('K-10', false);
INSERT INTO gc.blocked VALUES ('K-11', false) RETURNING crm_id, callable;
INSERT INTO gc.blocked VALUES ('K-12', true);
\echo :SQLSTATE
INSERT INTO gc.blocked VALUES ('K-13', true) RETURNING crm_id;
INSERT INTO gc.blocked (crm_id) VALUES ('K-14');
CALL sim.try('INSERT INTO gc.blocked VALUES (''K-15'', true) RETURNING callable');
DROP VIEW gc.noted, gc.blocked;
CREATE ROLE regress_gc_reader;
GRANT USAGE ON SCHEMA gc TO regress_gc_reader;
GRANT INSERT ON gc.vips, gc.leads TO regress_gc_reader;
SET ROLE regress_gc_reader;
INSERT INTO gc.vips VALUES ('K-4', 'vip');
INSERT INTO gc.leads (crm_id) VALUES ('K-5');
RESET ROLE;
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'K-%' ORDER BY id COLLATE "C";
DROP OWNED BY regress_gc_reader;
DROP ROLE regress_gc_reader;

--
-- ROLLBACK: what was sent stays, and a WARNING says how much
--
BEGIN;
INSERT INTO gc.leads (crm_id) SELECT 'RB-' || g FROM generate_series(1, 20) g;
INSERT INTO gc.people (crm_id) VALUES ('RB-1');
INSERT INTO gc.leads (crm_id) VALUES ('RB-1');
ROLLBACK;
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'RB-%';
-- At a savepoint, for what was sent since.
BEGIN;
INSERT INTO gc.leads (crm_id) VALUES ('SP-1');
SAVEPOINT a;
INSERT INTO gc.leads (crm_id) VALUES ('SP-2'), ('SP-3');
ROLLBACK TO a;
SAVEPOINT b;
INSERT INTO gc.leads (crm_id) VALUES ('SP-4');
RELEASE b;
COMMIT;
BEGIN;
SAVEPOINT a;
INSERT INTO gc.leads (crm_id) VALUES ('SP-5');
RELEASE a;
ROLLBACK;
-- Savepoints that are released are one with what they were made in: one WARNING.
BEGIN;
INSERT INTO gc.leads (crm_id) VALUES ('SQ-1');
SAVEPOINT a;
INSERT INTO gc.leads (crm_id) VALUES ('SQ-2');
SAVEPOINT b;
INSERT INTO gc.leads (crm_id) VALUES ('SQ-3'), ('SQ-4');
RELEASE b;
RELEASE a;
SAVEPOINT a;
INSERT INTO gc.leads (crm_id) VALUES ('SQ-5');
RELEASE a;
ROLLBACK;
-- An earlier statement is told of although a later one fails; its own counts are in its error.
DO $$
BEGIN
  INSERT INTO gc.leads (crm_id) SELECT 'SR-' || g FROM generate_series(1, 5) g;
  INSERT INTO gc.leads (crm_id) VALUES ('SR-6'), ('S R');
EXCEPTION WHEN invalid_parameter_value THEN
  RAISE INFO 'caught: %', sqlerrm;
END $$;
BEGIN;
INSERT INTO gc.leads (crm_id) SELECT 'SR-' || g FROM generate_series(1, 5) g;
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('SR-6'), ('S R') $$);
INSERT INTO gc.leads (crm_id) VALUES ('SR-7');
ROLLBACK;
-- A transaction that has written cannot be prepared: ROLLBACK PREPARED could tell nobody.
SET client_min_messages = error; -- the WARNING comes before or after the ERROR
BEGIN;
INSERT INTO gc.leads (crm_id) VALUES ('SR-8');
PREPARE TRANSACTION 'written';
\echo :SQLSTATE
ROLLBACK;
RESET client_min_messages;
-- In a block that catches its error.
DO $$
BEGIN
  INSERT INTO gc.leads (crm_id) VALUES ('EX-1'), ('EX-2');
  RAISE 'too bad';
EXCEPTION WHEN raise_exception THEN
  RAISE INFO 'caught: %', sqlerrm;
END $$;
-- Nothing sent, nothing said.
BEGIN;
INSERT INTO gc.leads (crm_id) SELECT 'no' WHERE false;
SELECT count(*) FROM gc.anonymous WHERE first_name = 'anon';
ROLLBACK;
-- An error of the source in the middle: accepted, in doubt and not sent, in a WARNING.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1');
CALL sim.faults('[{"path": "*/contacts", "nth": 2, "delay_before_ms": 500}]');
CALL sim.try($$ INSERT INTO gc.bulk (crm_id) SELECT 'D-' || g + 0 / (2500 - g) FROM generate_series(1, 3000) g $$);
CALL sim.faults('[]');
-- A row that is refused in the middle: what is on the wire is awaited, and the error counts.
INSERT INTO gc.bulk (crm_id) SELECT CASE g WHEN 2500 THEN 'no good' ELSE 'M-' || g END FROM generate_series(1, 3000) g;
\echo :SQLSTATE
SELECT count(*) FROM sim.contacts('bulk') WHERE id LIKE 'M-%';
INSERT INTO gc.bulk (crm_id, note) SELECT 'M-' || g, CASE g WHEN 2500 THEN repeat('x', 600) END FROM generate_series(1, 3000) g;
ALTER SERVER genesys OPTIONS (DROP max_in_flight);

-- The session is as good as new after all this.
INSERT INTO gc.leads (crm_id, note) VALUES ('L-1', 'the end');
SELECT data->>'note' AS note FROM sim.contacts('leads') WHERE id = 'L-1';

--
-- A list that is read after the first row was written to it shows none of that (DESIGN 3)
--
CALL sim.list('first', '{key,phone}', '{phone}');
CALL sim.list('second', '{key,phone}', '{phone}');
CREATE FOREIGN TABLE gc.first (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'first', key 'key', batch_size '1');
CREATE FOREIGN TABLE gc.second (key text) SERVER genesys OPTIONS (object 'contacts', list_id 'second', key 'key', batch_size '1');
INSERT INTO gc.first SELECT 'a-' || i FROM generate_series(1, 3) i;
INSERT INTO gc.second SELECT 'b-' || i FROM generate_series(1, 3) i;
SET enable_async_append = off;
INSERT INTO gc.second SELECT key || '-of-' || n FROM (SELECT key, 'first' AS n FROM gc.first UNION ALL SELECT key, 'second' FROM gc.second) u;
RESET enable_async_append;
SELECT id FROM sim.contacts('second') ORDER BY 1;
INSERT INTO gc.second SELECT u.key FROM (SELECT key || '-x' AS key FROM gc.first UNION ALL SELECT 'n-' || count(*) FROM gc.second) u;
SELECT id FROM sim.contacts('second') WHERE id ~ '^n|x$' ORDER BY 1;

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- on_duplicate: INSERT and COPY of contacts that are there already
--
CALL sim.list('leads', '{crm_id,note,score,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, score int, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
CREATE PROCEDURE gc.run(statement text) LANGUAGE plpgsql AS $$
DECLARE n bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS n = ROW_COUNT;
  RAISE INFO 'ROW_COUNT %', n;
END $$;
INSERT INTO gc.leads VALUES ('D-1', 'old', 1, false), ('D-2', 'old', 2, NULL), ('D-3', 'old', 3, NULL);

--
-- ignore
--
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD on_duplicate 'ignore');
INSERT INTO gc.leads VALUES ('D-1', 'warm');
-- The contact that is there stays as it is, and is not counted.  One look-up, one POST, in the statement's order.
CALL sim.set('{"record_bodies": true}');
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-2', 'new', 20, true), ('D-5', 'new', 50, false), ('D-1', 'new', 10, NULL), ('D-4', 'new', 40, NULL) $$);
SELECT * FROM sim.traffic();
SELECT c->'id' AS id, c->'callable' AS callable FROM sim.requests(), jsonb_array_elements(body::jsonb) c WHERE path LIKE '%/contacts';
CALL sim.set('{"record_bodies": false}');
SELECT id, data->>'note' AS note, data->>'score' AS score, contact->'callable' AS callable FROM sim.contacts('leads');
-- All are there: nothing is sent.  One row: a look at that contact.
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-2', 'new', 20), ('D-4', 'newer', 40) $$);
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-2', 'new', 20) $$);
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-6', 'new', 60) $$);
CALL gc.run($$ INSERT INTO gc.leads SELECT 'D-7' WHERE false $$);
SELECT * FROM sim.traffic();
-- An id twice in a statement: the first row stands, as with ON CONFLICT DO NOTHING.
CALL gc.run($$ INSERT INTO gc.leads VALUES ('T-1', 'first', 1), ('T-2', 'only', 2), ('T-1', 'second', 3), ('T-1', 'third', 4), ('D-1', 'x', 1), ('D-1', 'y', 2) $$);
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id LIKE 'T-%';
-- Fifty ids a look-up, as many at once as max_in_flight; not one request more.
INSERT INTO gc.leads SELECT 'M-' || g, 'old' FROM generate_series(1, 400, 4) g;
CALL sim.faults('[{"path": "*/contacts/bulk", "delay_ms": 20}]');
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.leads SELECT 'M-' || g, 'new' FROM generate_series(1, 420) g $$);
SELECT request, rows, count(*) FROM sim.traffic() WHERE request NOT LIKE '%/bulk' GROUP BY 1, 2;
SELECT request, count(*), sum(rows) AS found FROM sim.traffic() WHERE request LIKE '%/bulk' GROUP BY 1;
SELECT max(in_flight) FROM sim.requests();
CALL sim.faults('[]');
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE id LIKE 'M-%' GROUP BY 1 ORDER BY 1;
-- A prepared statement, executed again; INSERT … SELECT from the list itself; a loop with a savepoint each time.
PREPARE load(text) AS INSERT INTO gc.leads (crm_id, note) SELECT $1 || g, 'prepared' FROM generate_series(1, 2) g;
EXECUTE load('P-');
EXECUTE load('P-');
CALL gc.run($$ INSERT INTO gc.leads (crm_id, note) SELECT crm_id, 'itself' FROM gc.leads WHERE crm_id LIKE 'P-%' UNION ALL SELECT 'P-3', 'x' $$);
DO $$
DECLARE n bigint; total bigint := 0;
BEGIN
  FOR i IN 1..4 LOOP
    BEGIN
      INSERT INTO gc.leads (crm_id, note) VALUES ('P-' || i, 'loop');
      GET DIAGNOSTICS n = ROW_COUNT;
      total := total + n;
    EXCEPTION WHEN OTHERS THEN
      RAISE INFO '%', SQLERRM;
    END;
  END LOOP;
  RAISE INFO '% inserted', total;
END $$;
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id LIKE 'P-%' ORDER BY id;
-- What waits has not been sent: a rollback has nothing to say, of an error that comes before the last row.
CALL sim.forget();
CALL sim.try($$ INSERT INTO gc.leads (crm_id, score) SELECT 'V-' || g, 10 / (g - 2500) FROM generate_series(1, 2600) g $$);
CALL sim.try($$ INSERT INTO gc.leads (crm_id) SELECT CASE g WHEN 1500 THEN 'not good' ELSE 'V-' || g END FROM generate_series(1, 2600) g $$);
SELECT request FROM sim.traffic() WHERE request LIKE 'POST%';
-- In a CTE, read or not, the statement's own count is another one.
CALL gc.run($$ WITH i AS (INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('C-1')) SELECT 1 $$);
CALL gc.run($$ WITH i AS (INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('C-2') RETURNING crm_id) SELECT * FROM i $$);
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'C-%';
-- RETURNING gives what was inserted, and nothing else: so each row is asked for by itself.
CALL sim.forget();
INSERT INTO gc.leads (crm_id, note) VALUES ('D-2', 'r'), ('R-1', 'r'), ('R-1', 'again'), ('R-2', '') RETURNING crm_id, note, callable;
SELECT * FROM sim.traffic();
-- EXPLAIN
EXPLAIN (COSTS OFF, VERBOSE) INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('E-1');
EXPLAIN (COSTS OFF) INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('E-1') RETURNING crm_id;
CREATE FUNCTION gc.explained(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
  EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || statement INTO plan;
  RETURN format('%s, skipped %s, requests %s', plan->0->'Plan'->>'On Duplicate', plan->0->'Plan'->>'Skipped', plan->0->'Plan'->>'Requests');
END $$;
SELECT gc.explained($$ INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('D-2'), ('E-1') $$);
SELECT gc.explained($$ INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('D-2'), ('E-1'), ('E-2') RETURNING crm_id $$);
-- A row that gets a random id is nobody's: it is not looked for.
CREATE FOREIGN TABLE gc.half (contact_id text OPTIONS (attribute 'id'), note text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', on_duplicate 'ignore');
CREATE FOREIGN TABLE gc.anonymous (note text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', on_duplicate 'error');
INSERT INTO gc.half VALUES ('D-1', 'warm');
CALL sim.forget();
INSERT INTO gc.half VALUES (NULL, 'made'), ('D-1', 'there'), (NULL, 'made'), ('H-1', 'new');
INSERT INTO gc.anonymous VALUES ('made'), ('made');
SELECT * FROM sim.traffic();
SELECT data->>'note' AS note, count(*) FROM sim.contacts('leads') WHERE data->>'note' IN ('made', 'there') GROUP BY 1;
-- AFTER ROW triggers see what was inserted; BEFORE triggers see all rows.
CREATE TABLE gc.seen (n serial, what text);
CREATE FUNCTION gc.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO gc.seen (what) VALUES (TG_WHEN || ' ' || NEW.crm_id);
  RETURN NEW;
END $$;
CREATE TRIGGER see_before BEFORE INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.see();
CREATE TRIGGER see_after AFTER INSERT ON gc.leads FOR EACH ROW EXECUTE FUNCTION gc.see();
CALL gc.run($$ INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('A-1') $$);
-- COPY's count is exact, too, then.
COPY gc.leads (crm_id) FROM stdin;
D-1
A-2
\.
SELECT what FROM gc.seen ORDER BY n;
DROP TRIGGER see_before ON gc.leads;
DROP TRIGGER see_after ON gc.leads;

-- A row that is rejected does not wait, nor is it looked for; the audit has what was passed over in no column.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD on_error 'reject');
SET client_min_messages = warning;
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.leads (crm_id) VALUES ('D-1'), ('not good'), ('Z-1'), ('Z-1') $$);
RESET client_min_messages;
SELECT * FROM sim.traffic();
SELECT operation, status, total, accepted, in_doubt, rejected FROM gc_fdw.audit_log ORDER BY id DESC LIMIT 1;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP on_error);

--
-- COPY
--
-- Its own count cannot be corrected: a NOTICE tells.
CALL sim.forget();
COPY gc.leads (crm_id, note) FROM stdin;
D-1	copied
Y-1	copied
D-2	copied
Y-1	again
\.
COPY gc.leads (crm_id, note) FROM stdin;
Y-1	again
\.
COPY gc.leads (crm_id, note) FROM stdin;
Y-2	all new
\.
SELECT * FROM sim.traffic() WHERE request NOT LIKE '%FROM%';
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id ~ '^(Y-|D-[12])' ORDER BY id;

--
-- error
--
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'error');
INSERT INTO gc.leads (crm_id, note) VALUES ('X-0', 'new');
-- The first five are named, in the statement's order, and nothing is sent, of however many batches.
CALL sim.forget();
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('X-1'), ('D-2'), ('D-1') $$);
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('X-1'), ('X-2'), ('X-1') $$);
CALL sim.try($$ INSERT INTO gc.leads (crm_id) SELECT 'M-' || g FROM generate_series(1020, 1, -1) g $$);
COPY gc.leads (crm_id) FROM stdin;
X-1
D-1
\.
SELECT request, count(*) FROM sim.traffic() WHERE request LIKE 'POST%' GROUP BY 1;
BEGIN;
SAVEPOINT s;
INSERT INTO gc.leads (crm_id) VALUES ('D-1');
ROLLBACK TO s;
INSERT INTO gc.leads (crm_id) VALUES ('X-1');
COMMIT;
-- Where rows go one by one those before it are sent.
INSERT INTO gc.leads (crm_id) VALUES ('X-2'), ('D-1'), ('X-3') RETURNING *;
\echo :SQLSTATE
INSERT INTO gc.leads (crm_id) VALUES ('X-4'), ('D-1'), ('X-5') RETURNING crm_id;
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'X-%';
-- All new: looked for, and sent.
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.leads (crm_id, note) SELECT 'N-' || g, 'new' FROM generate_series(1, 1100) g $$);
SELECT request, rows, count(*) FROM sim.traffic() GROUP BY 1, 2 ORDER BY 1, 2 DESC;
-- Somebody else inserts the contact between the look and the POST: the platform
-- cannot prevent that, but its echo shows a contact that is older.
CALL sim.faults('[{"path": "*/contacts", "echo_patch": {"dateCreated": "2020-01-01T00:00:00.000Z"}}]');
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('X-6'), ('X-7') $$);
CALL sim.try($$ INSERT INTO gc.leads (crm_id) VALUES ('X-8') RETURNING callable $$);
-- Under ignore that is not looked at.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'ignore');
INSERT INTO gc.leads (crm_id) VALUES ('X-9');
CALL sim.faults('[]');

--
-- ON CONFLICT
--
-- DO NOTHING is ignore, for that statement, whatever the option says.
ALTER FOREIGN TABLE gc.leads OPTIONS (SET on_duplicate 'error');
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1), ('O-1', 'new', 2) ON CONFLICT DO NOTHING $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP on_duplicate);
CALL gc.run($$ INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1), ('O-2', 'new', 2) ON CONFLICT DO NOTHING $$);
INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1), ('O-3', 'new', 2) ON CONFLICT DO NOTHING RETURNING crm_id;
SELECT id, data->>'note' AS note FROM sim.contacts('leads') WHERE id = 'D-1' OR id LIKE 'O-%';
-- The server itself refuses the other forms: a foreign table has no unique index.
INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1) ON CONFLICT (crm_id) DO NOTHING;
\echo :SQLSTATE
INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1) ON CONFLICT (crm_id) DO UPDATE SET note = excluded.note;
\echo :SQLSTATE

-- Rows that wait for COMMIT cannot be looked for while the statement counts them.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD deliver 'commit');
CALL sim.try($$ INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1) ON CONFLICT DO NOTHING $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD on_duplicate 'error');
CALL sim.try($$ INSERT INTO gc.leads VALUES ('D-1', 'conflict', 1) $$);
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP deliver, DROP on_duplicate);

--
-- By export
--
-- Where look-ups by id would be the dearer way: some 3,000 ids here.  One export of the
-- whole list, whatever its length and the load's.
ALTER SERVER genesys OPTIONS (ADD on_duplicate 'ignore');
CALL sim.list('long', '{crm_id,note}');
CREATE FOREIGN TABLE gc.long (crm_id text, note text)
  SERVER genesys OPTIONS (object 'contacts', list_name 'long', key 'crm_id', on_duplicate 'update');
INSERT INTO gc.long SELECT 'L-' || g, 'old' FROM generate_series(1, 9000, 3) g;
ALTER FOREIGN TABLE gc.long OPTIONS (DROP on_duplicate);
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.long SELECT 'L-' || g % 9000 + 1, 'new' FROM generate_series(1, 12000) g $$);
SELECT request, count(*), sum(rows) FILTER (WHERE request LIKE '%/contacts') AS sent
FROM sim.traffic() WHERE request ~ 'contacts|export' AND request NOT LIKE 'GET%' GROUP BY 1 ORDER BY 1;
SELECT data->>'note' AS note, count(*) FROM sim.contacts('long') GROUP BY 1 ORDER BY 1;
-- error, of which nothing is sent
ALTER FOREIGN TABLE gc.long OPTIONS (ADD on_duplicate 'error');
CALL sim.forget();
CALL sim.try($$ INSERT INTO gc.long SELECT 'L-' || g, 'x' FROM generate_series(8996, 16000) g $$);
CALL gc.run($$ INSERT INTO gc.long SELECT 'K-' || g, 'x' FROM generate_series(1, 5000) g $$);
SELECT request, count(*), sum(rows) FILTER (WHERE request LIKE '%/contacts') AS sent
FROM sim.traffic() WHERE request ~ 'contacts|export' AND request NOT LIKE 'GET%' GROUP BY 1 ORDER BY 1;
-- scan_method forces the way.
ALTER FOREIGN TABLE gc.long OPTIONS (SET on_duplicate 'ignore', ADD scan_method 'export');
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.long VALUES ('L-1', 'x'), ('J-1', 'new') $$);
SELECT request FROM sim.traffic() WHERE request LIKE 'POST%';
ALTER FOREIGN TABLE gc.long OPTIONS (SET scan_method 'ids');
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.long SELECT 'L-' || g, 'x' FROM generate_series(1, 6000) g $$);
SELECT request, count(*) FROM sim.traffic() WHERE request LIKE 'POST%' GROUP BY 1;
-- With little memory all of it goes to disk, and comes back.
ALTER FOREIGN TABLE gc.long OPTIONS (DROP scan_method);
SET work_mem = '64kB';
CALL gc.run($$ INSERT INTO gc.long SELECT 'L-' || g % 15000 + 1, repeat('x', 100) || g FROM generate_series(1, 20000) g $$);
RESET work_mem;
SELECT left(data->>'note', 1) AS note, count(*) FROM sim.contacts('long') GROUP BY 1 ORDER BY 1;
SELECT count(*) AS wrong FROM sim.contacts('long') WHERE data->>'note' LIKE 'xxx%' AND substr(data->>'note', 101)::int <> substr(id, 3)::int - 1;
ALTER SERVER genesys OPTIONS (DROP on_duplicate);

--
-- Partitions
--
CALL sim.list('east', '{crm_id,region,note}');
CALL sim.list('west', '{crm_id,region,note}');
CREATE TABLE gc.everywhere (crm_id text, region text, note text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE gc.east PARTITION OF gc.everywhere FOR VALUES IN ('e')
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id');
CREATE FOREIGN TABLE gc.east2 PARTITION OF gc.everywhere FOR VALUES IN ('f')
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id');
CREATE FOREIGN TABLE gc.west PARTITION OF gc.everywhere FOR VALUES IN ('w')
  SERVER genesys OPTIONS (object 'contacts', list_name 'west', key 'crm_id');
CREATE TABLE gc.local PARTITION OF gc.everywhere DEFAULT;
INSERT INTO gc.everywhere VALUES ('1', 'e', 'old'), ('2', 'w', 'old'), ('3', 'n', 'old');
-- Each list is asked for its own ids; two tables of one list are one.
CALL sim.forget();
CALL gc.run($$ INSERT INTO gc.everywhere VALUES ('1', 'w', 'new'), ('1', 'e', 'new'), ('2', 'e', 'new'), ('2', 'f', 'later'), ('2', 'w', 'new'), ('3', 'n', 'new'), ('3', 'f', 'new')
  ON CONFLICT DO NOTHING $$);
SELECT * FROM sim.traffic() ORDER BY 1;
SELECT id, data FROM sim.contacts('east') ORDER BY id;
SELECT id, data FROM sim.contacts('west') ORDER BY id;
INSERT INTO gc.everywhere VALUES ('2', 'w', 'x'), ('4', 'w', 'x'), ('4', 'n', 'x') ON CONFLICT DO NOTHING RETURNING tableoid::regclass, crm_id;
-- Of several lists none is sent anything, if one has a duplicate.
ALTER FOREIGN TABLE gc.east OPTIONS (ADD on_duplicate 'error');
ALTER FOREIGN TABLE gc.west OPTIONS (ADD on_duplicate 'ignore');
CALL sim.try($$ INSERT INTO gc.everywhere SELECT g, CASE g % 2 WHEN 0 THEN 'w' ELSE 'e' END, 'x' FROM generate_series(100, 1, -1) g $$);
SELECT count(*) FROM sim.contacts('west');
COPY gc.everywhere FROM stdin;
2	w	x
6	w	x
7	e	x
\.
-- A row that an UPDATE moves to a list is gone from its table: there it must not be passed over.
CALL sim.try($$ UPDATE gc.local SET region = 'w' WHERE crm_id = '3' $$);
UPDATE gc.everywhere SET region = 'w', crm_id = '2' WHERE crm_id = '3' AND region = 'n';
\echo :SQLSTATE
SELECT * FROM gc.local ORDER BY 1, 3;
-- A view's CHECK OPTION is held against every row, also one that would be passed over.
CREATE VIEW gc.wests AS SELECT crm_id, region, note FROM gc.west WHERE note <> 'forbidden' WITH CHECK OPTION;
CALL gc.run($$ INSERT INTO gc.wests VALUES ('2', 'w', 'x'), ('12', 'w', 'x') $$);
CALL sim.try($$ INSERT INTO gc.wests VALUES ('2', 'w', 'forbidden') $$);

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- COPY FROM, partitions, and one writer for all of a statement's lists
--
CALL sim.list('leads', '{crm_id,note,score,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, score int, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');

-- U2: COPY comes in batches, too.  What it names is sent, NULL and empty as "".
CALL sim.set('{"record_bodies": true}');
COPY gc.leads (crm_id, note, score) FROM stdin;
C-1	one	1
C-2	\N	2
C-3	a\ttab, a\nline, a \\	3
\.
COPY gc.leads FROM stdin (FORMAT csv, HEADER);
crm_id,note,score,callable
C-4,"quoted ""words"", and
a line",4,
C-5,"",5,t
C-6,,,f
\.
SELECT id, data, contact->'callable' AS callable FROM sim.contacts('leads');
SELECT request, rows FROM sim.traffic() WHERE request LIKE 'POST /contactlists%';
SELECT c->'id' AS id, c->'data' AS data FROM sim.requests(), jsonb_array_elements(body::jsonb) c WHERE path LIKE '%/contacts';
CALL sim.set('{"record_bodies": false}');
CALL sim.forget();
COPY gc.leads (crm_id, score) FROM PROGRAM 'seq -f "P-%g,7" 1 2500' (FORMAT csv);
SELECT request, rows, count(*) FROM sim.traffic() GROUP BY 1, 2 ORDER BY 2 DESC;
\copy gc.leads (crm_id) FROM PROGRAM 'seq 1 3'
-- WHERE, defaults, BEFORE triggers
ALTER FOREIGN TABLE gc.leads ALTER note SET DEFAULT 'by default';
COPY gc.leads (crm_id, score) FROM stdin WHERE score % 2 = 0;
W-1	1
W-2	2
W-3	3
W-4	4
\.
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'W-%';
ALTER FOREIGN TABLE gc.leads ALTER note DROP DEFAULT;
-- A row that is refused, and one that does not parse: what was sent is said.  The request that is on the wire then,
-- or whose answer nobody has read yet, is in doubt; the row behind it is not.
COPY gc.leads (crm_id) FROM stdin;
X-1
not good
X-2
\.
ALTER SERVER genesys OPTIONS (ADD batch_size '2', ADD max_in_flight '1');
CALL sim.try($$ COPY gc.leads (crm_id, score) FROM PROGRAM 'printf X-3,1\\nX-4,2\\nX-5,3\\nX-6,4\\nX-7,5\\nX-8,six' (FORMAT csv) $$);
SELECT id FROM sim.contacts('leads') WHERE id LIKE 'X-%';
ALTER SERVER genesys OPTIONS (DROP batch_size, DROP max_in_flight);
-- COPY TO reads a query.
COPY (SELECT crm_id, score FROM gc.leads WHERE crm_id LIKE 'C-%' ORDER BY 1) TO stdout;

--
-- Partitions over several lists
--
CALL sim.list('east', '{crm_id,region,note}');
CALL sim.list('west', '{note,Region,crm_id}', '{note}');
CREATE TABLE gc.everywhere (crm_id text, region text, note text) PARTITION BY LIST (region);
CREATE FOREIGN TABLE gc.east PARTITION OF gc.everywhere FOR VALUES IN ('e')
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id');
-- A partition whose columns come in another order
CREATE FOREIGN TABLE gc.west (note text, crm_id text, dropped int, region text OPTIONS (field 'Region'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'west', key 'crm_id');
ALTER FOREIGN TABLE gc.west DROP dropped;
ALTER TABLE gc.everywhere ATTACH PARTITION gc.west FOR VALUES IN ('w');
CREATE TABLE gc.local PARTITION OF gc.everywhere DEFAULT;

INSERT INTO gc.everywhere VALUES ('r1', 'e', 'routed'), ('r2', 'w', 'routed'), ('r3', 'n', 'kept'), ('r4', 'e', NULL);
COPY gc.everywhere (crm_id, region) FROM stdin;
c1	w
c2	e
c3	s
\.
SELECT id, data FROM sim.contacts('east');
SELECT id, data FROM sim.contacts('west');
SELECT * FROM gc.local;
SELECT tableoid::regclass, crm_id, region, note FROM gc.everywhere ORDER BY 1, 2;
SELECT crm_id FROM gc.everywhere WHERE region = 'w' ORDER BY 1;
-- Rows interleaved: full batches all the same, and one cap for all lists.
CALL sim.faults('[{"path": "*/contacts", "delay_ms": 20}]');
CALL sim.forget();
INSERT INTO gc.everywhere SELECT 'n' || g, CASE g % 2 WHEN 0 THEN 'e' ELSE 'w' END, 'x' FROM generate_series(1, 6500) g;
SELECT request, rows, count(*) FROM sim.traffic() GROUP BY 1, 2 ORDER BY 1, 2 DESC;
SELECT max(in_flight) <= 4 AS capped, count(DISTINCT connection) <= 4 AS kept_alive FROM sim.requests();
CALL sim.faults('[]');
-- So does a COPY.
CALL sim.forget();
COPY gc.everywhere (crm_id, region) FROM PROGRAM 'seq -f "n%g,e" 1 1200; seq -f "n%g,w" 1 1200' (FORMAT csv);
SELECT request, rows, count(*) FROM sim.traffic() GROUP BY 1, 2 ORDER BY 1, 2 DESC;
-- A budget of memory: the largest batch goes when all together are over it.
ALTER SERVER genesys OPTIONS (ADD buffer_memory '64kB');
INSERT INTO gc.everywhere VALUES ('n1', 'e', 'x'), ('n2', 'w', 'y');
CALL sim.forget();
INSERT INTO gc.everywhere SELECT 'n' || g, CASE g % 2 WHEN 0 THEN 'e' ELSE 'w' END, repeat('x', 100) FROM generate_series(1, 1000) g;
SELECT sum(rows), max(bytes) <= 65536 AS within FROM sim.requests();
ALTER SERVER genesys OPTIONS (DROP buffer_memory);
-- Of many lists, what there is no room for waits on disk: batches are full ones all the same, and an id that
-- comes again has its last value (DESIGN 4.3).
CREATE TABLE gc.many (crm_id text, list int, note text) PARTITION BY LIST (list);
DO $$ BEGIN
  FOR i IN 1..40 LOOP
    CALL sim.list('many-' || i, '{crm_id,list,note}');
    EXECUTE format('CREATE FOREIGN TABLE gc.many_%s PARTITION OF gc.many FOR VALUES IN (%s)
      SERVER genesys OPTIONS (object ''contacts'', list_id ''many-%s'', key ''crm_id'')', i, i, i);
  END LOOP;
END $$;
ALTER SERVER genesys OPTIONS (ADD buffer_memory '128kB', ADD batch_bytes '16kB');
CALL sim.set('{"duplicate_ids": "409"}');
INSERT INTO gc.many SELECT 'warm', i, '' FROM generate_series(1, 40) i;
CALL sim.forget();
INSERT INTO gc.many SELECT CASE WHEN n IN (3, 50) THEN 'twice' ELSE 'm' || n END, i, n || repeat('x', 100)
  FROM generate_series(1, 150) n, generate_series(1, 40) i ORDER BY n, i;
SELECT sum(rows), count(*) <= 40 * 4 AS few, max(bytes) <= 16 * 1024 AS within FROM sim.requests() WHERE method = 'POST';
SELECT count(*), count(DISTINCT crm_id), count(*) FILTER (WHERE crm_id = 'twice' AND note LIKE '50x%') AS last FROM gc.many;
-- A statement that fails meanwhile says what it has sent.
SET client_min_messages = error;
CALL sim.try($$ INSERT INTO gc.many SELECT 'e' || n, 1 + n % 40, repeat('x', 100) || CASE WHEN n < 5900 THEN '' ELSE repeat('y', 500) END
  FROM generate_series(1, 6000) n $$);
RESET client_min_messages;
-- So it is in a block that may fail, and at a COMMIT, of a procedure too.
CALL sim.forget();
DO $$ BEGIN
  INSERT INTO gc.many SELECT 'b' || n, i, repeat('x', 100) FROM generate_series(1, 80) n, generate_series(1, 40) i ORDER BY n, i;
EXCEPTION WHEN division_by_zero THEN NULL;
END $$;
DO $$ BEGIN
  INSERT INTO gc.many SELECT 'c' || n, i, repeat('x', 100 + 1 / (80 - n)) FROM generate_series(1, 80) n, generate_series(1, 40) i ORDER BY n, i;
EXCEPTION WHEN division_by_zero THEN RAISE INFO 'caught';
END $$;
SELECT sum(rows), count(*) FROM sim.requests() WHERE path LIKE '%/contacts';
ALTER SERVER genesys OPTIONS (ADD deliver 'commit');
CALL sim.forget();
DO $$ BEGIN
  INSERT INTO gc.many SELECT 'd' || n, i, repeat('x', 100) FROM generate_series(1, 80) n, generate_series(1, 40) i ORDER BY n, i;
  COMMIT;
  RAISE INFO '% rows', (SELECT sum(rows) FROM sim.requests() WHERE path LIKE '%/contacts');
END $$;
INSERT INTO gc.many SELECT 'd' || n, i, repeat('x', 100) FROM generate_series(81, 160) n, generate_series(1, 40) i ORDER BY n, i;
SELECT sum(rows), count(*) FROM sim.requests() WHERE path LIKE '%/contacts';
ALTER SERVER genesys OPTIONS (DROP deliver);
CALL sim.set('{"duplicate_ids": "take"}');
ALTER SERVER genesys OPTIONS (DROP buffer_memory, DROP batch_bytes);
DROP TABLE gc.many;
-- RETURNING, of all partitions
INSERT INTO gc.everywhere VALUES ('t1', 'e', ''), ('t2', 'w', 'y'), ('t3', 'n', '') RETURNING tableoid::regclass, *;
-- AFTER ROW trigger of one partition: its rows go one by one, those of the other do not.
CREATE FUNCTION gc.see() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE INFO '% has %', TG_TABLE_NAME, NEW;
  RETURN NULL;
END $$;
CREATE TRIGGER see AFTER INSERT ON gc.west FOR EACH ROW EXECUTE FUNCTION gc.see();
CALL sim.forget();
INSERT INTO gc.everywhere VALUES ('a1', 'e', '1'), ('a2', 'w', ''), ('a3', 'e', '3'), ('a4', 'w', '4');
SELECT request, rows FROM sim.traffic() ORDER BY 1, 2;
CALL sim.forget();
COPY gc.everywhere FROM stdin;
a5	w	5
a6	e	6
\.
SELECT request, rows FROM sim.traffic() ORDER BY 1, 2;
DROP TRIGGER see ON gc.west;
-- One bad row among them: counts of its own list in the error, of the other in a WARNING.
INSERT INTO gc.everywhere VALUES ('b1', 'e', ''), ('b2', 'w', ''), ('b 3', 'e', '');
ALTER SERVER genesys OPTIONS (ADD batch_size '1', ADD max_in_flight '1');
CALL sim.try($$ INSERT INTO gc.everywhere VALUES ('b1', 'e', ''), ('b2', 'w', ''), ('b4', 'e', ''), ('b5', 'w', ''), ('b 6', 'e', '') $$);
ALTER SERVER genesys OPTIONS (DROP batch_size, DROP max_in_flight);
-- A partition that cannot take rows fails when a row comes to it.
ALTER FOREIGN TABLE gc.west OPTIONS (ADD updatable 'false');
INSERT INTO gc.everywhere VALUES ('u1', 'e', '');
INSERT INTO gc.everywhere VALUES ('u2', 'w', '');
\echo :SQLSTATE
COPY gc.everywhere FROM stdin;
u3	w	x
\.
ALTER FOREIGN TABLE gc.west OPTIONS (DROP updatable);
-- list_name as partition key: a row says which list it is for, and the list agrees.
CREATE TABLE gc.by_list (crm_id text, list_name text) PARTITION BY LIST (list_name);
CREATE FOREIGN TABLE gc.by_east (crm_id text, list_name text OPTIONS (attribute 'list_name'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'east', key 'crm_id');
CREATE FOREIGN TABLE gc.by_leads (crm_id text, list_name text OPTIONS (attribute 'list_name'))
  SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
ALTER TABLE gc.by_list ATTACH PARTITION gc.by_east FOR VALUES IN ('east');
ALTER TABLE gc.by_list ATTACH PARTITION gc.by_leads FOR VALUES IN ('Leads');
INSERT INTO gc.by_list VALUES ('l1', 'east');
INSERT INTO gc.by_list VALUES ('l2', 'Leads');
\echo :SQLSTATE
-- Two partitions that are one list: the last write of an id wins, however slow the first is.
CREATE TABLE gc.both (crm_id text, note text, kind int) PARTITION BY LIST (kind);
CREATE FOREIGN TABLE gc.one PARTITION OF gc.both FOR VALUES IN (1) SERVER genesys OPTIONS (object 'contacts', list_name 'both', key 'crm_id');
CREATE FOREIGN TABLE gc.two PARTITION OF gc.both FOR VALUES IN (2) SERVER genesys OPTIONS (object 'contacts', list_id 'both', key 'crm_id');
CALL sim.list('both', '{crm_id,note,kind}');
INSERT INTO gc.both VALUES ('warm', '', 1), ('warm-2', '', 2);
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "delay_before_ms": 200}]');
INSERT INTO gc.both VALUES ('1', 'first', 1), ('1', 'last', 2), ('2', 'first', 2), ('2', 'last', 1), ('3', 'first', 1), ('3', 'then', 2), ('3', 'last', 1);
SELECT id, data FROM sim.contacts('both') WHERE id IN ('1', '2', '3') ORDER BY 1;
-- Batches that are full in between
ALTER FOREIGN TABLE gc.one OPTIONS (ADD batch_size '2');
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "delay_before_ms": 200}]');
INSERT INTO gc.both SELECT 'b' || g % 4, g, CASE WHEN g < 8 THEN 1 ELSE 2 END FROM generate_series(1, 11) g;
SELECT id, data->>'note' AS note FROM sim.contacts('both') WHERE id LIKE 'b%' ORDER BY 1;
-- And two tables of a statement, row by row beside a batch
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "delay_before_ms": 200}]');
WITH w AS (INSERT INTO gc.one VALUES ('c1', 'with', 1), ('c2', 'with', 1) RETURNING crm_id)
INSERT INTO gc.two SELECT crm_id, 'main', 2 FROM w;
SELECT id, data->>'note' AS note FROM sim.contacts('both') WHERE id LIKE 'c%' ORDER BY 1;
CALL sim.faults('[]');
-- Inheritance
CREATE TABLE gc.parent (crm_id text, note text);
CREATE FOREIGN TABLE gc.child () INHERITS (gc.parent) SERVER genesys OPTIONS (object 'contacts', list_name 'leads', key 'crm_id');
INSERT INTO gc.child VALUES ('h1', 'x');
SELECT tableoid::regclass, * FROM gc.parent WHERE crm_id IN ('h1', 'C-1') ORDER BY 2;

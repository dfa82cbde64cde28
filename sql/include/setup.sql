-- What every test begins with: an empty simulator behind the server "genesys",
-- and schema "sim" with functions that drive it.  Included by each test, unseen.
--
-- Tests run one after the other in one database, and each begins anew.

SET client_min_messages = warning;
DROP SCHEMA IF EXISTS sim, gc CASCADE;
DROP EXTENSION IF EXISTS gc_fdw CASCADE;
CREATE EXTENSION gc_fdw;
CREATE SCHEMA sim;
CREATE SCHEMA gc;

\getenv sim_url GC_SIM_URL
-- The dialect that the tests are run for; \if :jobs is for what the other one does not have.
\set dialect platform
\getenv dialect GC_DIALECT
SELECT :'dialect' = 'jobs' AS jobs \gset
CREATE TABLE sim.settings (url text);
INSERT INTO sim.settings VALUES (:'sim_url');

-- ---- calls ----

-- The answer to one HTTP request.  COPY's csv format with marks that JSON never
-- holds takes lines as they are.
CREATE FUNCTION sim.call(method text, path text, body text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  command text := format('curl -sS -g --max-time 20 -X %s -H Content-Type:application/json',
                         sim.shell(method));
  answer text;
BEGIN
  IF body IS NOT NULL THEN
    command := command || ' --data-binary ' || sim.shell(body);
  END IF;
  command := command || ' ' || sim.shell((SELECT url FROM sim.settings) || path);
  DROP TABLE IF EXISTS pg_temp.sim_answer;
  CREATE TEMP TABLE sim_answer (line text);
  EXECUTE format('COPY pg_temp.sim_answer FROM PROGRAM %L '
                 '(FORMAT csv, DELIMITER E''\x02'', QUOTE E''\x01'', NULL ''\N'')', command);
  SELECT string_agg(line, '' ORDER BY ctid) INTO answer FROM pg_temp.sim_answer;
  RETURN answer::jsonb;
END $$;

CREATE FUNCTION sim.shell(word text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$ SELECT '''' || replace(word, '''', '''\''''') || '''' $$;

-- A control call that has to succeed.
CREATE FUNCTION sim.control(method text, path text, body text DEFAULT NULL) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
  answer jsonb := sim.call(method, '/_sim/' || path, body);
BEGIN
  IF jsonb_typeof(answer) = 'object' AND answer ? 'code' THEN
    RAISE 'simulator: % % says %', method, path, answer->>'message';
  END IF;
  RETURN answer;
END $$;

-- ---- state ----

-- No lists, no faults, nothing recorded, switches as on the command line; and
-- the session forgets what it knew.
CREATE PROCEDURE sim.reset()
LANGUAGE sql AS $$
  SELECT sim.control('POST', 'reset', '{}');
  SELECT gc_fdw.disconnect();
$$;

-- Switches, as {"name": value}.
CREATE PROCEDURE sim.set(switches jsonb)
LANGUAGE sql AS $$ SELECT sim.control('POST', 'set', switches::text) $$;

-- A list; "phones" are those of its columns that hold phone numbers, "more" is
-- whatever else it is to have.
CREATE PROCEDURE sim.list(name text, columns text[], phones text[] DEFAULT NULL,
                         more jsonb DEFAULT '{}')
LANGUAGE sql AS $$
  SELECT sim.control('POST', 'lists',
    (jsonb_build_object(
       'id', name, 'name', name, 'columnNames', columns,
       'phoneColumns', (SELECT jsonb_agg(jsonb_build_object('columnName', p, 'type', 'cell'))
                        FROM unnest(coalesce(phones, columns[cardinality(columns):])) p))
     || more)::text)
$$;

-- Makes many things by the control path of that name, over one connection; how many.
CREATE FUNCTION sim.make(what text, things jsonb) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  command text;
BEGIN
  SELECT string_agg(format('-sS -f -o /dev/null -w %s -H Content-Type:application/json --data-binary %s %s',
                           sim.shell('\n'), sim.shell(t::text), url || '/_sim/' || what), ' --next ')
  INTO command
  FROM sim.settings, jsonb_array_elements(things) t;
  DROP TABLE IF EXISTS pg_temp.sim_answer;
  CREATE TEMP TABLE sim_answer (line text);
  EXECUTE format('COPY pg_temp.sim_answer FROM PROGRAM %L (NULL ''\N'')', 'curl --fail-early ' || command);
  RETURN (SELECT count(*) FROM pg_temp.sim_answer);
END $$;

-- What a list holds, in the order in which it came.  A cell that is empty is not
-- shown: whether a POST that leaves it out makes it so is up to the platform.
CREATE FUNCTION sim.contacts(list text, OUT id text, OUT data jsonb, OUT contact jsonb)
RETURNS SETOF record
LANGUAGE sql AS $$
  SELECT c->>'id',
         (SELECT jsonb_object_agg(key, value) FROM jsonb_each(c->'data') WHERE value <> '""'), c
  FROM jsonb_array_elements(sim.control('GET', 'contacts?listId=' || list)) WITH ORDINALITY e(c, n)
  ORDER BY n
$$;

-- Sets what only the platform sets: {"callRecords": …}.
CREATE PROCEDURE sim.touch(list text, id text, attributes jsonb)
LANGUAGE sql AS $$
  SELECT sim.control('POST', 'contacts',
                     (jsonb_build_object('listId', list, 'id', id) || attributes)::text)
$$;

-- EXPLAIN (ANALYZE) without what versions write differently.
CREATE FUNCTION sim.analyzed(statement text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
    RETURN NEXT regexp_replace(line, '(actual rows=\d+)\.\d+', '\1');
  END LOOP;
END $$;

-- ---- faults ----

CREATE PROCEDURE sim.faults(faults jsonb)
LANGUAGE sql AS $$ SELECT sim.control('POST', 'faults', faults::text) $$;

-- ---- what was recorded ----

CREATE PROCEDURE sim.forget()
LANGUAGE sql AS $$ SELECT sim.control('DELETE', 'requests') $$;

CREATE FUNCTION sim.requests(OUT seq int, OUT method text, OUT path text, OUT query text,
                             OUT rows int, OUT status int, OUT bytes bigint, OUT connection int,
                             OUT in_flight int, OUT headers jsonb, OUT body text)
RETURNS SETOF record
LANGUAGE sql AS $$
  SELECT (r->>'seq')::int, r->>'method', r->>'path', nullif(r->>'query', ''), (r->>'rows')::int,
         (r->>'status')::int, (r->>'body_bytes')::bigint, (r->>'connection')::int,
         (r->>'in_flight')::int, r->'headers', r->>'body'
  FROM jsonb_array_elements(sim.control('GET', 'requests')) r
  ORDER BY (r->>'seq')::int
$$;

-- The same to be read.  Requests that overlap come in any order: count those.
CREATE FUNCTION sim.traffic(OUT request text, OUT rows int, OUT status int)
RETURNS SETOF record
LANGUAGE sql AS $$
  SELECT replace(
           method || ' ' || regexp_replace(path, '^/api/v2/outbound', '') || coalesce('?' || query, ''),
           '&allowEmptyResult=true&includeSize=true&includeImportStatus=true'
           '&sortBy=name&sortOrder=ascending', ''),
         rows, status
  FROM sim.requests()
  ORDER BY seq
$$;

-- ---- errors ----

-- Runs a statement and shows its error, without what differs each time.
CREATE PROCEDURE sim.try(statement text)
LANGUAGE plpgsql AS $$
DECLARE
  state text; message text; detail text; hint text; context text;
  rows bigint;
BEGIN
  EXECUTE statement;
  GET DIAGNOSTICS rows = ROW_COUNT;
  RAISE INFO 'no error, % rows', rows;
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT,
    detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, context = PG_EXCEPTION_CONTEXT;
  message := state || ': ' || message;
  context := substring(context FROM '(?n)^remote request: .*');
  detail := sim.plain(concat_ws(E'\n', nullif(detail, ''), 'CONTEXT:  ' || context));
  IF hint <> '' THEN
    RAISE INFO USING MESSAGE = message, DETAIL = detail, HINT = hint;
  ELSIF detail <> '' THEN
    RAISE INFO USING MESSAGE = message, DETAIL = detail;
  ELSE
    RAISE INFO USING MESSAGE = message;
  END IF;
END $$;

-- What curl says differs by its version, ports by the run, and ids by who aborted first.
CREATE FUNCTION sim.plain(message text) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
  SELECT regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(message,
    'source_id [0-9]+', 'source_id <id>', 'g'),
    '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}', '<uuid>', 'g'),
    'http://127\.0\.0\.1:[0-9]+/', 'http://127.0.0.1:<port>/', 'g'),
    '(?n)(There was no (?:connection|answer)): [^()]* \((limit: \w+)\)', '\1: <why> (\2)', 'g'),
    '(?n)(There was no (?:connection|answer)): (?!<why>).*?\.( |$)', '\1: <why>.\2', 'g')
$$;

-- ---- the server under test: no pauses, no patience, and no requests that come with time ----

SELECT format($$
  CREATE SERVER genesys FOREIGN DATA WRAPPER gc_fdw
    OPTIONS (api_url %1$L, login_url %1$L, requests_per_minute '1000000',
             requests_per_second '0', jitter '0', read_lag '0', list_freshness '1h',
             retry_timeout '5s', max_retries '2', dialect %2$L) $$, url, :'dialect')
FROM sim.settings \gexec
CREATE USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (client_id 'id', client_secret 'secret');
CALL sim.reset();
RESET client_min_messages;
\pset null NULL
\set ECHO all

\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Errors of the other side: SQLSTATE, message, what to do, and the three counts
--
-- sim.try shows an error without ids, ports and times, which differ each time.
CALL sim.list('leads', '{crm_id,note,phone}');
CREATE FOREIGN TABLE gc.leads (crm_id text, note text, callable boolean OPTIONS (attribute 'callable'))
  SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
CREATE FOREIGN TABLE gc.lists (id text, name text) SERVER genesys OPTIONS (object 'contact_lists');
-- Each request of a load is answered before the next is made, so that counts are the same each time.
ALTER SERVER genesys OPTIONS (ADD max_in_flight '1', ADD batch_size '10');
INSERT INTO gc.leads VALUES ('L-1', 'a note');

--
-- Nobody there
--
CREATE SERVER closed FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url 'http://127.0.0.1:1', login_url 'http://127.0.0.1:1',
  requests_per_second '0', jitter '0', max_retries '1');
CREATE USER MAPPING FOR CURRENT_USER SERVER closed OPTIONS (client_id 'id', client_secret 'hunter2');
CREATE FOREIGN TABLE gc.closed (crm_id text) SERVER closed OPTIONS (object 'contacts', list_id 'leads', key 'crm_id');
CALL sim.try('SELECT * FROM gc.closed');
CALL sim.try('INSERT INTO gc.closed VALUES (''x'')');
ALTER USER MAPPING FOR CURRENT_USER SERVER closed OPTIONS (DROP client_id, DROP client_secret, ADD access_token 'secret-token');
CALL sim.try('SELECT * FROM gc.closed');
SET client_min_messages = warning;
DROP SERVER closed CASCADE;
RESET client_min_messages;

--
-- Credentials
--
-- A wrong secret is said once, whether the platform says it with 400 or 401.
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_secret 'hunter2');
CALL sim.forget();
CALL sim.set('{"token_error_status": "400"}');
DO $$ BEGIN PERFORM count(crm_id) FROM gc.leads; EXCEPTION WHEN invalid_authorization_specification THEN RAISE INFO '%', sqlerrm; END $$;
CALL sim.set('{"token_error_status": "401"}');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
SELECT method, path, status FROM sim.requests();
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_id 'stranger');
CALL sim.try('SELECT * FROM gc.leads');
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_id 'id', SET client_secret 'secret');
-- The token endpoint answers with something else.
CALL sim.faults('[{"path": "/oauth/token", "body": "<html>sign in</html>", "content_type": "text/html"}]');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.faults('[{"path": "/oauth/token", "body_json": {"token_type": "bearer"}}]');
CALL sim.try('SELECT * FROM gc.leads');
-- It is tried again after a 500.
CALL sim.faults('[{"path": "/oauth/token", "nth": 1, "status": 500, "body": ""}]');
SELECT count(crm_id) FROM gc.leads;
CALL sim.faults('[]');
-- A token that is revoked while rows are sent: one new one, and on it goes.
INSERT INTO gc.leads VALUES ('L-1', 'a note');
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "nth": 2, "status": 401, "body_json": {"code": "bad.credentials", "message": "Invalid login credentials.", "status": 401}}]');
INSERT INTO gc.leads SELECT 'T-' || g FROM generate_series(1, 25) g;
SELECT method || ' ' || path AS request, rows, status FROM sim.requests();
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'T-%';
-- A second refusal is the answer.
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "status": 401, "body_json": {"code": "bad.credentials", "message": "Invalid login credentials.", "status": 401}}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
SELECT method || ' ' || path AS request, status FROM sim.requests();
-- No new token in the middle of a load: counts as in any other failure, and nothing is in doubt.
CALL sim.faults('[{"path": "*/contacts", "nth": 2, "status": 401, "body_json": {"code": "bad.credentials", "message": "Invalid login credentials.", "status": 401}},
                  {"path": "/oauth/token", "status": 401, "body_json": {"error": "invalid_client", "description": "authentication failed"}}]');
CALL sim.try('SELECT count(crm_id) FROM gc.leads');
CALL sim.try('INSERT INTO gc.leads SELECT ''N-'' || g FROM generate_series(1, 25) g');
CALL sim.faults('[]');
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'N-%';
SELECT count(crm_id) FROM gc.leads;

--
-- Answers that are final: not repeated
--
CREATE PROCEDURE sim.answer(status int, code text, message text, more jsonb DEFAULT '{}') LANGUAGE sql AS $$
  SELECT sim.control('POST', 'faults', jsonb_build_array(jsonb_build_object('path', '*/contacts', 'status', status,
    'body_json', jsonb_build_object('status', status, 'code', code, 'message', message, 'contextId', '7d444840-9dc0-11d1-b245-5ffdce74fad2') || more))::text);
  SELECT sim.control('DELETE', 'requests');
$$;
CALL sim.answer(400, 'bad.request', 'The request could not be understood by the server.');
CALL sim.try('INSERT INTO gc.leads SELECT ''x'' || g FROM generate_series(1, 12) g');
SELECT rows, status FROM sim.requests();
CALL sim.answer(400, 'invalid.contact.columns', 'The contact columns are invalid: shoe_size', '{"details": [{"fieldName": "shoe_size", "entityName": "leads"}]}');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.answer(403, 'missing.any.permissions', 'Unable to perform the requested action. You are missing one of the following permissions: outbound:contact:add');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.answer(404, 'contact.list.not.found', 'The contact list was not found.');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
SELECT rows, status FROM sim.requests();
CALL sim.answer(418, 'i.am.a.teapot', 'Something new');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
-- Kinds of 409: by code, then by words.
CALL sim.answer(409, 'duplicate.external.id', 'The external id L-1 already exists in another list.');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.answer(409, 'conflict', 'The external id L-1 already exists.');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.answer(409, 'duplicate.contact.id', 'A contact comes twice');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.answer(409, 'referential.integrity.error', 'A queue does not exist', '{"entityName": "queue"}');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
SELECT rows, status FROM sim.requests();
-- A refusal in the middle: what was taken before, and what was not sent.
CALL sim.faults('[{"path": "*/contacts", "nth": 3, "status": 403, "body_json": {"status": 403, "code": "missing.permissions", "message": "No."}}]');
CALL sim.try('INSERT INTO gc.leads SELECT ''M-'' || g FROM generate_series(1, 100) g');
SELECT count(*) FROM sim.contacts('leads') WHERE id LIKE 'M-%';

--
-- Answers after which a repeat helps
--
-- 5xx, and a gateway's page: up to max_retries times.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "status": 500, "body_json": {"status": 500, "code": "internal.server.error", "message": "Sorry."}},
                  {"path": "*/contacts", "nth": 2, "status": 502, "body": "<html><h1>Bad Gateway</h1></html>", "content_type": "text/html"}]');
CALL sim.forget();
CALL sim.try('INSERT INTO gc.leads VALUES (''R-1'')');
SELECT rows, status FROM sim.requests();
ALTER SERVER genesys OPTIONS (SET max_retries '1');
CALL sim.faults('[{"path": "*/contacts", "status": 500, "body_json": {"status": 500, "code": "internal.server.error", "message": "Sorry."}}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''R-2'')');
CALL sim.faults('[{"path": "*/contacts", "status": 502, "body": "<html><h1>Bad Gateway</h1></html>", "content_type": "text/html"}]');
CALL sim.try('INSERT INTO gc.leads SELECT ''R-'' || g FROM generate_series(1, 12) g');
CALL sim.faults('[{"path": "*/search", "status": 504, "body": ""}]');
CALL sim.try('SELECT * FROM gc.leads');
-- 501 says that it will never.
CALL sim.faults('[{"path": "*/search", "status": 501, "body": ""}]');
CALL sim.forget();
CALL sim.try('SELECT * FROM gc.leads');
SELECT status FROM sim.requests();
-- K2, K3: a list or contact that is locked is waited for until retry_timeout, however often that is.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "status": 409, "body_json": {"status": 409, "code": "contact.in.use", "message": "A contact is being dialed."}},
                  {"path": "*/contacts", "nth": 2, "status": 409, "body_json": {"status": 409, "code": "general.conflict", "message": "Nobody knows why."}}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''K-1'')');
ALTER SERVER genesys OPTIONS (SET max_retries '0', SET retry_timeout '0');
CALL sim.answer(409, 'contact.list.not.ready', 'The contact list is processing.');
CALL sim.try('INSERT INTO gc.leads VALUES (''K-2'')');
CALL sim.answer(408, 'client.timeout', 'Too slow');
CALL sim.try('INSERT INTO gc.leads VALUES (''K-3'')');
ALTER SERVER genesys OPTIONS (SET max_retries '2', SET retry_timeout '5s');

-- U5, E2: 429 waits as long as it says; beyond retry_timeout it fails at once, and is never an empty result.
CALL sim.faults('[{"path": "*/search", "nth": 1, "status": 429, "headers": {"Retry-After": "1"}, "body_json": {"status": 429, "code": "too.many.requests.retry.after", "message": "Rate limit exceeded the maximum. Retry the request in [1] seconds"}}]');
CALL sim.forget();
SELECT clock_timestamp() AS before \gset
SELECT count(crm_id) > 0 AS some FROM gc.leads;
SELECT clock_timestamp() - :'before' BETWEEN interval '1s' AND interval '4s' AS waited;
SELECT status FROM sim.requests();
CALL sim.faults('[{"path": "*/search", "status": 429, "headers": {"Retry-After": "30"}, "body_json": {"status": 429, "code": "too.many.requests.retry.after", "message": "Rate limit exceeded the maximum. Retry the request in [30] seconds"}}]');
SELECT clock_timestamp() AS before \gset
CALL sim.try('SELECT count(crm_id) FROM gc.leads');
SELECT clock_timestamp() - :'before' < interval '1s' AS at_once;
-- What it said holds for every later statement of the session, which fails without a request, until disconnect().
CALL sim.faults('[]');
CALL sim.forget();
DO $$
BEGIN
  INSERT INTO gc.leads VALUES ('x');
EXCEPTION WHEN configuration_limit_exceeded THEN
  DECLARE message text; detail text; hint text;
  BEGIN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RAISE INFO USING MESSAGE = message, DETAIL = regexp_replace(detail, 'another \d+ s', 'another <n> s'), HINT = hint;
  END;
END $$;
SELECT count(*) FROM sim.requests();
SELECT gc_fdw.disconnect('genesys');
SELECT count(crm_id) > 0 AS some FROM gc.leads;
-- Without a word on how long, a minute is assumed.
SELECT gc_fdw.disconnect('genesys');
CALL sim.faults('[{"path": "*/contacts", "status": 429, "headers": {"Retry-After": "0", "inin-ratelimit-reset": null}, "body": ""}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.faults('[]');
SELECT gc_fdw.disconnect('genesys');

--
-- 413: the batch is split, and nothing is lost or repeated (B2)
--
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "body_contains": "S-7\"", "times": 2, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}}]');
INSERT INTO gc.leads SELECT 'S-' || g FROM generate_series(1, 20) g;
SELECT rows, status FROM sim.requests() WHERE method = 'POST' AND path LIKE '%/contacts';
SELECT count(*), count(DISTINCT id) FROM sim.contacts('leads') WHERE id LIKE 'S-%';
-- Twice: a batch of 100 in quarters, each with its opt-outs.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD batch_size '100');
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}},
                  {"path": "*/contacts", "nth": 2, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}},
                  {"path": "*/contacts", "nth": 5, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}}]');
CALL sim.forget();
INSERT INTO gc.leads SELECT 'Q-' || g, NULL, g % 5 <> 0 FROM generate_series(1, 100) g;
SELECT rows, status FROM sim.requests();
SELECT count(*), count(DISTINCT id), count(*) FILTER (WHERE contact->'callable' = 'false') AS out,
  bool_and((contact->'callable' = 'false') = (substr(id, 3)::int % 5 = 0)) AS right
FROM sim.contacts('leads') WHERE id LIKE 'Q-%';
-- Three levels, and one opt-out at the end that did not take is found.
CALL sim.faults('[{"path": "*/contacts", "times": 3, "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}},
                  {"path": "*/contacts", "body_contains": "O-99\"", "echo_patch": {"callable": true}}]');
CALL sim.try('INSERT INTO gc.leads SELECT ''O-'' || g, NULL, g <> 99 FROM generate_series(1, 100) g');
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP batch_size);
-- One row that is too large by itself
CALL sim.faults('[{"path": "*/contacts", "status": 413, "body_json": {"status": 413, "code": "request.entity.too.large", "message": "Maximum bytes: 512000"}}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''S-21''), (''S-22'')');
CALL sim.faults('[]');

--
-- Answers that are not what they should be: never taken for a success
--
-- One that is no JSON is no answer: it is asked for again.
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "effect": true, "status": 200, "body": "<html>ok</html>", "content_type": "text/html"}, {"path": "*/search", "nth": 1, "body": ""}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-0'')');
CALL sim.try('SELECT count(crm_id) > 0 FROM gc.leads LIMIT 1');
SELECT method || ' ' || path AS request, count(*) FROM sim.requests() WHERE path ~ 'contacts$' GROUP BY 1;
ALTER SERVER genesys OPTIONS (SET max_retries '0');
CALL sim.faults('[{"path": "*/contacts", "status": 200, "effect": true, "body": "<html>ok</html>", "content_type": "text/html"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-1''), (''A-2'')');
CALL sim.faults('[{"path": "*/contacts", "body_json": {"ok": true}}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-3'')');
CALL sim.faults('[{"path": "*/contacts", "status": 204, "effect": true, "body": ""}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-4'')');
CALL sim.faults('[{"path": "*/contacts", "body": "[{\"id\": \"A-5\"}"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-5'')');
CALL sim.faults('[{"path": "*/contacts", "body": "[{\"id\": \"A-6\", }]"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-6'', NULL, false)');
-- One contact fewer, or more, than was sent
CALL sim.faults('[{"path": "*/contacts", "echo_less": 1}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-7''), (''A-8''), (''A-9'')');
CALL sim.faults('[{"path": "*/contacts", "body": "[{\"id\": \"A-10\"}, {\"id\": \"A-10\"}]"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-10'')');
-- For RETURNING and for opt-outs, too
CALL sim.faults('[{"path": "*/contacts", "echo_less": 1}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-11'') RETURNING callable');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-12'', NULL, false)');
CALL sim.faults('[{"path": "*/contacts", "body": "[{\"id\": \"somebody else\", \"callable\": false}]"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-13'', NULL, false)');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-14'') RETURNING callable');
-- As many elements as were sent, but no contacts
CALL sim.faults('[{"path": "*/contacts", "body": "[1, 2]"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-15''), (''A-16'')');
CALL sim.faults('[{"path": "*/contacts", "body": "[1]"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-17'') RETURNING callable');
CALL sim.try('INSERT INTO gc.leads VALUES (''A-18'', NULL, false)');
-- Larger than max_response_size
ALTER SERVER genesys OPTIONS (ADD max_response_size '1kB', SET batch_size '1000');
CALL sim.faults('[]');
CALL sim.try('INSERT INTO gc.leads SELECT ''A-'' || g FROM generate_series(20, 40) g');
CALL sim.try('SELECT * FROM gc.leads');
ALTER SERVER genesys OPTIONS (DROP max_response_size);

-- Pages of a search
CREATE PROCEDURE sim.page(body text) LANGUAGE sql AS $$
  SELECT sim.control('POST', 'faults', jsonb_build_array(jsonb_build_object('path', '*/search', 'body', body, 'content_type', 'application/json'))::text)
$$;
CALL sim.page('<html></html>');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('[]');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"total": 0}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": []}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": [], "total": 3, "pageCount": 1, "pageSize": 100}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": [{"id": "a"}], "total": 2, "pageCount": 1, "pageSize": 100}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": ["a"], "total": 1, "pageCount": 1, "pageSize": 100}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": [{"id": "a"}], "total": 1, "pageCount": 1, "pageSize": 100');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page('{"entities": [{"id": "a", "data": {"crm_id": "a" "note": 1}}], "total": 1, "pageCount": 1, "pageSize": 100}');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.page(repeat('[', 100000));
CALL sim.try('SELECT * FROM gc.leads');
-- No data, no attributes: NULL
CALL sim.page('{"entities": [{"id": "a"}, {}], "total": 2, "pageCount": 1, "pageSize": 100, "news": {"a": [1, {"b": null}]}}');
SELECT * FROM gc.leads;
-- A page smaller than what was asked for: paging goes by what the answer says.
CALL sim.faults('[{"path": "*/search", "body_contains": "\"pageNumber\":1,", "body_json": {"entities": [{"id": "1"}, {"id": "2"}], "total": 3, "pageCount": 2, "pageSize": 2}},
                  {"path": "*/search", "body_contains": "\"pageNumber\":2,", "body_json": {"entities": [{"id": "3"}], "total": 3, "pageCount": 2, "pageSize": 2}}]');
SELECT count(l) FROM gc.leads l;
-- A list that grows while it is read
CALL sim.faults('[{"path": "*/search", "body_contains": "\"pageNumber\":1,", "body_json": {"entities": [{"id": "1"}, {"id": "2"}], "total": 3, "pageCount": 2, "pageSize": 2}},
                  {"path": "*/search", "body_contains": "\"pageNumber\":2,", "body_json": {"entities": [{"id": "3"}, {"id": "4"}], "total": 4, "pageCount": 2, "pageSize": 2}}]');
SELECT count(l) FROM gc.leads l;
-- Lists that are none
SELECT gc_fdw.disconnect('genesys');
CALL sim.faults('[{"path": "*/outbound/*lists/leads", "body_json": {"id": "leads"}}]');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.faults('[{"path": "*/outbound/*lists/leads", "body": "nothing"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''x'')');
CALL sim.faults('[{"path": "*/contactlists", "body_json": {"total": 1}}]');
CALL sim.try('SELECT * FROM gc.lists');
CREATE SCHEMA gc_import;
CALL sim.try('IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO gc_import');
DROP SCHEMA gc_import;
CALL sim.faults('[]');

ALTER SERVER genesys OPTIONS (SET max_retries '2');

--
-- Answers that get lost
--
-- D2: the platform did it, and then the connection broke: repeated at once, and nobody is there twice.
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "drop": "after"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''D-1'', ''once'')');
SELECT rows, count(*) FROM sim.requests() WHERE path LIKE '%/contacts' GROUP BY 1;
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'D-%';
-- It did not.
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "drop": "before"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''D-2'', ''once'')');
-- Cut short
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "truncate": 20}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''D-3'', ''once'')');
SELECT id, data FROM sim.contacts('leads') WHERE id LIKE 'D-%';
CALL sim.faults('[{"path": "*/search", "nth": 1, "truncate": 20}]');
SELECT count(crm_id) > 0 AS some FROM gc.leads;
-- Every time: it may or may not be there, and the error says so.
ALTER SERVER genesys OPTIONS (SET max_retries '1');
CALL sim.faults('[{"path": "*/contacts", "drop": "after"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''D-4'', NULL), (''D-5'', NULL)');
CALL sim.faults('[{"path": "*/search", "truncate": 20}]');
CALL sim.try('SELECT * FROM gc.leads');
-- clear_system_data undoes something each time: such a call is not repeated.
ALTER FOREIGN TABLE gc.leads OPTIONS (ADD clear_system_data 'true');
CALL sim.forget();
CALL sim.faults('[{"path": "*/contacts", "nth": 1, "drop": "after"}]');
CALL sim.try('INSERT INTO gc.leads VALUES (''D-6'')');
SELECT rows, count(*) FROM sim.requests() WHERE path LIKE '%/contacts' GROUP BY 1;
ALTER FOREIGN TABLE gc.leads OPTIONS (DROP clear_system_data);
-- Too slow
ALTER SERVER genesys OPTIONS (ADD request_timeout '100ms', SET max_retries '0');
CALL sim.faults('[{"path": "*/search", "stall": true}]');
CALL sim.try('SELECT * FROM gc.leads');
CALL sim.faults('[]');
ALTER SERVER genesys OPTIONS (DROP request_timeout);

-- All the same session, and it still works.
SELECT count(crm_id) > 0 AS some FROM gc.leads;

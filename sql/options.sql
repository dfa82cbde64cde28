\set ECHO none
\getenv srcdir PG_ABS_SRCDIR
\set setup :srcdir '/sql/include/setup.sql'
\i :setup
--
-- Options: what may stand where, and with what value
--
-- The wrapper itself takes none.
CREATE FOREIGN DATA WRAPPER other HANDLER gc_fdw.gc_fdw_handler VALIDATOR gc_fdw.gc_fdw_validator OPTIONS (region 'us-east-1');
\echo :SQLSTATE
ALTER FOREIGN DATA WRAPPER gc_fdw OPTIONS (ADD debug 'true');

-- A server takes all of these.
CREATE SERVER s FOREIGN DATA WRAPPER gc_fdw OPTIONS (
  api_url 'https://api.example.com', login_url 'https://login.example.com:8443/gateway/',
  requests_per_minute '300', requests_per_second '7.5', jitter '20ms', max_in_flight '8',
  connect_timeout '5s', request_timeout '2min', retry_timeout '1h', max_retries '0',
  max_response_size '1GB', ca_file '/etc/ssl/ca.pem',
  batch_size '50', batch_bytes '100kB', buffer_memory '1MB', fetch_size '25', async_capable 'off', updatable 'no', on_error 'reject', max_rejects '10');
-- A name nearly right gets a hint; with another come all that are valid.
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (request_per_minute '60');
\echo :SQLSTATE
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (regoin 'us-east-1');
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (host 'example.com');
-- Where another place's option belongs.
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (client_secret 'hunter2');
\echo :SQLSTATE
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (list_name 'leads');
CREATE SERVER t FOREIGN DATA WRAPPER gc_fdw OPTIONS (names 'exact');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (region 'us-east-1');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (user 'me', password 'hunter2');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (client_id 'x');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (objects 'contacts');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (requests_per_minute '1');
CREATE FOREIGN TABLE t (a text OPTIONS (key 'true')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (fields 'A')) SERVER s OPTIONS (object 'contacts', list_id 'leads');

-- Values: regions
CREATE SERVER regional FOREIGN DATA WRAPPER gc_fdw OPTIONS (region 'us-east-1');
ALTER SERVER regional OPTIONS (SET region 'us-est-1');
\echo :SQLSTATE
ALTER SERVER regional OPTIONS (SET region 'mypurecloud.com');
ALTER SERVER regional OPTIONS (SET region 'US-EAST-1');
ALTER SERVER regional OPTIONS (SET region '');
ALTER SERVER regional OPTIONS (SET region 'eu-central-1');
-- A region says where both hosts are, so no URL stands beside it; the one replaces the other in one statement.
ALTER SERVER regional OPTIONS (ADD api_url 'https://api.example.com');
\echo :SQLSTATE
ALTER SERVER regional OPTIONS (ADD login_url 'https://login.example.com');
ALTER SERVER regional OPTIONS (DROP region, ADD api_url 'https://api.example.com', ADD login_url 'https://login.example.com');
ALTER SERVER regional OPTIONS (ADD region 'eu-central-1');
ALTER SERVER regional OPTIONS (DROP api_url, DROP login_url, ADD region 'eu-central-1');
DROP SERVER regional;
-- URLs: https, or http to this machine
ALTER SERVER s OPTIONS (SET api_url 'http://api.example.com');
\echo :SQLSTATE
ALTER SERVER s OPTIONS (SET api_url 'http://127.0.0.1.example.com');
ALTER SERVER s OPTIONS (SET api_url 'http://localhost.example.com');
ALTER SERVER s OPTIONS (SET api_url 'ftp://example.com');
ALTER SERVER s OPTIONS (SET api_url 'api.example.com');
ALTER SERVER s OPTIONS (SET api_url 'https://');
ALTER SERVER s OPTIONS (SET api_url '');
ALTER SERVER s OPTIONS (SET api_url 'https://example.com/?a=b');
ALTER SERVER s OPTIONS (SET api_url 'https://user:hunter2@example.com');
ALTER SERVER s OPTIONS (SET api_url 'http://localhost:8080');
ALTER SERVER s OPTIONS (SET api_url 'http://127.9.9.9:8080/');
ALTER SERVER s OPTIONS (SET api_url 'http://[::1]:8080');
ALTER SERVER s OPTIONS (SET api_url 'HTTPS://Example.COM');
-- How files are uploaded
ALTER SERVER s OPTIONS (ADD upload_url 'http://apps.example.com');
ALTER SERVER s OPTIONS (ADD upload_url 'https://apps.example.com/', ADD import_threshold '1000', ADD upload_method 'presigned');
ALTER SERVER s OPTIONS (SET upload_method 'post');
ALTER SERVER s OPTIONS (SET import_threshold '-1');
ALTER SERVER s OPTIONS (DROP upload_url, DROP import_threshold, DROP upload_method);
-- Numbers, times, sizes
ALTER SERVER s OPTIONS (SET requests_per_minute '0');
\echo :SQLSTATE
ALTER SERVER s OPTIONS (SET requests_per_minute 'many');
ALTER SERVER s OPTIONS (SET requests_per_minute '');
ALTER SERVER s OPTIONS (SET requests_per_minute '60s');
ALTER SERVER s OPTIONS (SET requests_per_minute '99999999999');
ALTER SERVER s OPTIONS (SET requests_per_second '-1');
ALTER SERVER s OPTIONS (SET requests_per_second 'NaN');
ALTER SERVER s OPTIONS (SET requests_per_second '0');
ALTER SERVER s OPTIONS (SET max_in_flight '0');
ALTER SERVER s OPTIONS (SET max_in_flight '65');
ALTER SERVER s OPTIONS (SET jitter '2 parsecs');
ALTER SERVER s OPTIONS (SET jitter '-1ms');
ALTER SERVER s OPTIONS (SET jitter '0');
ALTER SERVER s OPTIONS (SET request_timeout '0');
ALTER SERVER s OPTIONS (SET request_timeout '2d');
ALTER SERVER s OPTIONS (SET request_timeout '1500');
ALTER SERVER s OPTIONS (SET max_response_size '0');
ALTER SERVER s OPTIONS (SET max_response_size '64 megabytes');
ALTER SERVER s OPTIONS (SET batch_size '0');
ALTER SERVER s OPTIONS (SET batch_size '5001');
ALTER SERVER s OPTIONS (ADD dialect 'job');
ALTER SERVER s OPTIONS (SET batch_bytes '0');
ALTER SERVER s OPTIONS (SET batch_bytes '501kB');
ALTER SERVER s OPTIONS (SET batch_bytes '500kB');
ALTER SERVER s OPTIONS (SET fetch_size '101');
ALTER SERVER s OPTIONS (SET async_capable '2');
ALTER SERVER s OPTIONS (SET updatable 'maybe');
ALTER SERVER s OPTIONS (SET on_error 'ignore');
ALTER SERVER s OPTIONS (SET max_rejects '-1');
ALTER SERVER s OPTIONS (SET ca_file '');
-- A proxy, without credentials; plain http does not go to one elsewhere.
ALTER SERVER s OPTIONS (ADD proxy 'http://me:hunter2@proxy.example.com:3128');
\echo :SQLSTATE
ALTER SERVER s OPTIONS (ADD proxy 'proxy.example.com:3128');
ALTER SERVER s OPTIONS (ADD proxy 'socks5://proxy.example.com');
ALTER SERVER s OPTIONS (ADD proxy '');
ALTER SERVER s OPTIONS (ADD proxy 'http://proxy.example.com/path');
ALTER SERVER s OPTIONS (ADD proxy 'http://proxy.example.com:3128/');
ALTER SERVER s OPTIONS (SET api_url 'http://127.0.0.1:8080');
\echo :SQLSTATE
ALTER SERVER s OPTIONS (SET login_url 'http://localhost');
ALTER SERVER s OPTIONS (SET proxy 'http://127.0.0.1:3128', SET login_url 'http://localhost');
ALTER SERVER s OPTIONS (SET proxy 'http://proxy.example.com:3128');
ALTER SERVER s OPTIONS (DROP proxy, SET login_url 'https://login.example.com:8443/gateway/');
-- Nothing of the refused values is kept.
SELECT unnest(srvoptions) AS option FROM pg_foreign_server WHERE srvname = 's';

-- U10: a secret is never repeated, in whatever it is wrong.
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id '', client_secret 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'id', client_secret '');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'id', client_sceret 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token '');
-- What goes into a header is visible ASCII.
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token 'hunter2 ');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token E'hunter2\r\nX-Header: x');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'an id', client_secret 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'Ünal', client_secret 'hunter2');
-- Secrets belong in user mappings, whatever their kind.
ALTER SERVER s OPTIONS (ADD access_token 'hunter2');
\echo :SQLSTATE
ALTER SERVER s OPTIONS (ADD proxy_password 'hunter2');
ALTER SERVER s OPTIONS (ADD client_secret_file '/etc/secret');
ALTER SERVER s OPTIONS (ADD client_key '/etc/key.pem');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (access_token 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (proxy 'http://proxy.example.com');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (ca_file '/etc/ca.pem');
-- What means nothing alone
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_key '/etc/key.pem');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (proxy_password 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'id', client_secret 'hunter2', client_secret_file '/etc/secret');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token 'hunter2', client_secret_file '/etc/secret');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'id', client_secret_file '', proxy_user '');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_id 'id', client_secret_file '/etc/secret',
  client_cert '/etc/cert.pem', client_key '/etc/key.pem', proxy_user 'me', proxy_password 'hunter2');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP client_cert);
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (ADD client_secret 'hunter2');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP client_secret_file, ADD client_secret 'hunter2', DROP client_key, DROP client_cert);
DROP USER MAPPING FOR PUBLIC SERVER s;
-- Files of the server's are for superusers to name, whether they exist or not (U10).
CREATE ROLE regress_gc_loader;
GRANT USAGE ON FOREIGN DATA WRAPPER gc_fdw TO regress_gc_loader;
GRANT USAGE ON FOREIGN SERVER s TO regress_gc_loader;
SET ROLE regress_gc_loader;
CREATE SERVER own FOREIGN DATA WRAPPER gc_fdw OPTIONS (region 'us-east-1', ca_file '/etc/passwd');
\echo :SQLSTATE
CREATE SERVER own FOREIGN DATA WRAPPER gc_fdw OPTIONS (region 'us-east-1');
ALTER SERVER own OPTIONS (ADD ca_file '/etc/passwd');
CREATE USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (client_id 'id', client_secret_file '/etc/passwd');
\echo :SQLSTATE
CREATE USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (client_id 'id', client_secret 'hunter2', client_cert '/etc/passwd');
CREATE USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (client_id 'id', client_secret 'hunter2', proxy_user 'me', proxy_password 'hunter2');
ALTER USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (ADD client_cert '/etc/passwd', ADD client_key '/etc/passwd');
-- Once a superuser has named one, nobody else changes that mapping or server but by taking it out.
RESET ROLE;
ALTER USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (DROP client_secret, ADD client_secret_file '/etc/secret');
ALTER SERVER own OPTIONS (ADD ca_file '/etc/ca.pem');
SET ROLE regress_gc_loader;
ALTER USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (SET client_id 'other');
\echo :SQLSTATE
ALTER SERVER own OPTIONS (ADD max_retries '1');
ALTER USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (DROP client_secret_file, ADD client_secret 'hunter2');
ALTER SERVER own OPTIONS (DROP ca_file);
ALTER USER MAPPING FOR regress_gc_loader SERVER s OPTIONS (SET client_id 'other');
RESET ROLE;
DROP OWNED BY regress_gc_loader;
DROP ROLE regress_gc_loader;
-- A token, or a client that gets one.
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token 'hunter2', client_id 'id');
\echo :SQLSTATE
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (client_secret 'hunter2', access_token 'hunter2');
CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (access_token 'hunter2');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (ADD client_id 'id');
ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (DROP access_token, ADD client_id 'id');
DROP USER MAPPING FOR PUBLIC SERVER s;

-- Tables and columns
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contact');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contactlists');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'wallboards');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', list_name '');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', contact_id_pattern '[a-z');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', priority '2');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', batch_size 'a hundred');
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'colour')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'calable')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'last_atempt:Phone')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'last_attempt')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'last_attempt:')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (attribute 'callable:Phone')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
CREATE FOREIGN TABLE t (a text OPTIONS (field '')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
-- What contradicts itself
CREATE FOREIGN TABLE t (a text OPTIONS (field 'Note', attribute 'callable')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', list_id 'leads', list_name 'leads');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s;
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (list_id 'leads');
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contact_lists', list_id 'leads');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contact_lists', list_name 'leads');
-- How contacts are written is no matter of other objects.
CREATE FOREIGN TABLE t (name text) SERVER s OPTIONS (object 'campaigns', key 'name');
\echo :SQLSTATE
CREATE FOREIGN TABLE t (entry text) SERVER s OPTIONS (object 'dnc_entries', dnc_list_id 'x', do_not_queue 'true');
-- ALTER looks at what there will be.
CREATE FOREIGN TABLE t (a text OPTIONS (field 'Note')) SERVER s OPTIONS (object 'contacts', list_id 'leads');
ALTER FOREIGN TABLE t OPTIONS (ADD list_name 'leads');
ALTER FOREIGN TABLE t OPTIONS (DROP list_id);
ALTER FOREIGN TABLE t OPTIONS (DROP object);
ALTER FOREIGN TABLE t OPTIONS (SET object 'contact_lists');
ALTER FOREIGN TABLE t OPTIONS (DROP list_id, ADD list_name 'leads');
ALTER FOREIGN TABLE t OPTIONS (DROP list_name, SET object 'contact_lists');
ALTER FOREIGN TABLE t ALTER a OPTIONS (ADD attribute 'id');
DROP FOREIGN TABLE t;
-- Twice is PostgreSQL's to refuse.
CREATE FOREIGN TABLE t (a text) SERVER s OPTIONS (object 'contacts', object 'contacts');

--
-- What only shows when a table is used: said before any request
--
CALL sim.list('leads', '{crm_id,Note,phone}', '{phone}');
CALL sim.forget();
CREATE FOREIGN TABLE gc.t (a text) SERVER genesys OPTIONS (object 'contacts', list_id 'leads', key 'crmid');
SELECT * FROM gc.t;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.t ADD crm_id text, ADD contact_id text OPTIONS (attribute 'id');
SELECT * FROM gc.t;
INSERT INTO gc.t VALUES ('x');
ALTER FOREIGN TABLE gc.t OPTIONS (SET key 'contact_id');
SELECT * FROM gc.t;
-- The name of the list's column is IMPORT's; a table's key is a column of its own.
ALTER FOREIGN TABLE gc.t ADD remark text OPTIONS (field 'Note'), OPTIONS (SET key 'Note');
SELECT * FROM gc.t;
ALTER FOREIGN TABLE gc.t DROP COLUMN remark;
ALTER FOREIGN TABLE gc.t OPTIONS (DROP key);
-- Two columns may not stand for one.
ALTER FOREIGN TABLE gc.t ALTER a OPTIONS (ADD field 'crm_id');
SELECT * FROM gc.t;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.t ALTER a OPTIONS (DROP field, ADD attribute 'id');
SELECT * FROM gc.t;
-- A column that the object lacks
CREATE FOREIGN TABLE gc.l (id text, nmae text) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc.l;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.l ALTER nmae OPTIONS (ADD field 'something else');
SELECT id FROM gc.l;
DROP FOREIGN TABLE gc.l;
CREATE FOREIGN TABLE gc.lists (id text, nmae text OPTIONS (field 'Name')) SERVER genesys OPTIONS (object 'contact_lists');
SELECT * FROM gc.lists;
INSERT INTO gc.lists VALUES ('x');
SELECT * FROM sim.traffic();
-- A column's option, its own name, and case.
ALTER FOREIGN TABLE gc.lists ALTER nmae OPTIONS (SET field 'name');
SELECT * FROM gc.lists;
ALTER FOREIGN TABLE gc.t ALTER a OPTIONS (SET attribute 'callable');
INSERT INTO gc.t (contact_id, crm_id) VALUES ('c', 'k');
SELECT * FROM gc.t;

-- F1: a column that the list lacks is refused before any request with rows.
ALTER FOREIGN TABLE gc.t ADD note text;
CALL sim.forget();
SELECT * FROM gc.t;
\echo :SQLSTATE
SELECT crm_id FROM gc.t;
INSERT INTO gc.t (contact_id, note) VALUES ('d', 'x');
SELECT * FROM sim.traffic();
ALTER FOREIGN TABLE gc.t DROP note, ADD entirely_different text;
SELECT * FROM gc.t;
ALTER FOREIGN TABLE gc.t DROP entirely_different, ADD called timestamptz OPTIONS (attribute 'last_attempt:fone');
SELECT * FROM gc.t;
ALTER FOREIGN TABLE gc.t DROP called;
-- D1: a phone column cannot be the key.
ALTER FOREIGN TABLE gc.t ADD phone text, OPTIONS (ADD key 'phone');
SELECT * FROM gc.t;
\echo :SQLSTATE
INSERT INTO gc.t (phone) VALUES ('+14155550101');
ALTER FOREIGN TABLE gc.t OPTIONS (DROP key);

-- A list's id is one step of a path, whatever it looks like.
CREATE FOREIGN TABLE gc.up (crm_id text, phone text) SERVER genesys OPTIONS (object 'contacts', list_id '..');
CALL sim.forget();
CALL sim.try('SELECT * FROM gc.up');
ALTER FOREIGN TABLE gc.up OPTIONS (SET list_id '../../oauth/clients?a=b#c');
CALL sim.try('INSERT INTO gc.up VALUES (''x'')');
SELECT method, path, status FROM sim.requests();
DROP FOREIGN TABLE gc.up;

-- Lists that do not exist, with the nearest name.
ALTER FOREIGN TABLE gc.t OPTIONS (SET list_id 'leeds');
SELECT * FROM gc.t;
\echo :SQLSTATE
INSERT INTO gc.t (contact_id) VALUES ('e');
ALTER FOREIGN TABLE gc.t OPTIONS (DROP list_id, ADD list_name 'LEADS');
SELECT * FROM gc.t;
\echo :SQLSTATE
ALTER FOREIGN TABLE gc.t OPTIONS (SET list_name 'something else');
SELECT * FROM gc.t;

--
-- Servers and mappings that lack something
--
CREATE SERVER bare FOREIGN DATA WRAPPER gc_fdw;
CREATE FOREIGN TABLE gc.bare (name text) SERVER bare OPTIONS (object 'contact_lists');
SELECT * FROM gc.bare;
CREATE USER MAPPING FOR CURRENT_USER SERVER bare;
SELECT * FROM gc.bare;
\echo :SQLSTATE
DO $$ BEGIN EXECUTE format('ALTER SERVER bare OPTIONS (ADD api_url %L)', (TABLE sim.settings)); END $$;
SELECT * FROM gc.bare;
\echo :SQLSTATE
ALTER USER MAPPING FOR CURRENT_USER SERVER bare OPTIONS (ADD client_id 'id');
SELECT * FROM gc.bare;
ALTER USER MAPPING FOR CURRENT_USER SERVER bare OPTIONS (ADD client_secret 'secret');
SELECT * FROM gc.bare;
DO $$ BEGIN EXECUTE format('ALTER SERVER bare OPTIONS (ADD login_url %L)', (TABLE sim.settings) || '/'); END $$;
SELECT * FROM gc.bare;

--
-- Changes take effect in the same session
--
CALL sim.forget();
SELECT count(id) FROM gc.lists;
SELECT count(id) FROM gc.lists;
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_secret 'wrong');
CALL sim.try('SELECT count(id) FROM gc.lists');
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_secret 'secret');
SELECT count(id) FROM gc.lists;
SELECT method, path, status FROM sim.requests();
-- A token given as such is used as it is, and never renewed.
CALL sim.forget();
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (DROP client_id, DROP client_secret, ADD access_token 'no-such-token');
CALL sim.try('SELECT count(id) FROM gc.lists');
SELECT method, path, status FROM sim.requests();
ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (DROP access_token, ADD client_id 'id', ADD client_secret 'secret');
-- gc_fdw.disconnect: of one server, of all; how many there were.
SELECT count(id) FROM gc.lists;
SELECT count(name) FROM gc.bare;
SELECT gc_fdw.disconnect('bare'), gc_fdw.disconnect('bare') AS again;
SELECT count(name) FROM gc.bare;
SELECT gc_fdw.disconnect(), gc_fdw.disconnect() AS again;
SELECT gc_fdw.disconnect('nowhere');
-- Within a statement that uses it the connection stays until its end.
BEGIN;
DECLARE c CURSOR FOR SELECT nmae FROM gc.lists;
FETCH c;
SELECT gc_fdw.disconnect();
FETCH c;
COMMIT;
SELECT gc_fdw.disconnect();
SELECT count(id) FROM gc.lists;

-- Settings
SHOW gc_fdw.show_values;
SET gc_fdw.no_such = 1;
DROP SERVER s CASCADE;

-- bench/connect.sql: the list of the benchmarks as a foreign table, seven fields; read by search,
-- however long it is.
-- Variables: url, list.
CREATE EXTENSION gc_fdw;
CREATE SERVER bench FOREIGN DATA WRAPPER gc_fdw
  OPTIONS (api_url :'url', login_url :'url', requests_per_second '0', jitter '0');
CREATE USER MAPPING FOR CURRENT_USER SERVER bench OPTIONS (client_id 'id', client_secret 'secret');
CREATE FOREIGN TABLE bench (
  id text OPTIONS (field 'CRM_Lead_ID'),
  first_name text OPTIONS (field 'FirstName'),
  last_name text OPTIONS (field 'LastName'),
  phone text OPTIONS (field 'Phone', format 'e164'),
  email text OPTIONS (field 'Email', format 'email'),
  segment text OPTIONS (field 'Segment'),
  state text OPTIONS (field 'State')
) SERVER bench OPTIONS (object 'contacts', list_id :'list', key 'id', scan_method 'search');

# Who may see and use what; and secrets are shown to nobody (U10).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my %secret = (etl => 'S3cret-of-etl-93f1', all => 'S3cret-of-all-7b22', view => 'S3cret-of-view-c0de');
my $sim = GcSim->new(map { ('--client', "client_$_", $secret{$_}) } sort keys %secret);
$sim->list('Leads', qw(Phone Key Name));
my $node = new_node('privileges', 'log_min_messages = debug5', "log_statement = 'none'", 'log_min_error_statement = panic',
	'log_error_verbosity = verbose');

my $super = GcSession->new($node);
sub must { my ($sql) = @_; my $result = $super->run($sql); die $result->{err} if $result->{sqlstate} ne '00000'; return $result }

must($_) for split /\n/, <<"SQL";
CREATE ROLE etl LOGIN
CREATE ROLE analyst LOGIN
CREATE ROLE outsider LOGIN
CREATE ROLE view_owner LOGIN
SQL
must("CREATE SERVER genesys FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url '" . $sim->url . "', login_url '" . $sim->url . "', requests_per_second '0', jitter '0')");
leads_table($node, 'leads', 'genesys', 'Leads');
leads_table($node, 'plain', 'genesys', 'Leads');
must('GRANT SELECT, INSERT ON leads TO etl, analyst, view_owner');
must("CREATE USER MAPPING FOR etl SERVER genesys OPTIONS (client_id 'client_etl', client_secret '$secret{etl}')");

my %session = map { $_ => GcSession->new($node, user => $_) } qw(etl analyst outsider view_owner);

sub client_of
{
	my ($role, $sql) = @_;
	$sim->forget_requests;
	my $result = $session{$role}->run($sql);
	return $result->{sqlstate} if $result->{sqlstate} ne '00000';
	my %clients = map { ($_->{client} // 'none') => 1 } $sim->requests;
	return join ',', sort keys %clients;
}

# --- mappings --------------------------------------------------------------------------

is(client_of('etl', "INSERT INTO leads (k) VALUES ('e1')"), 'client_etl', 'a role sends as its own client');
is($session{outsider}->run('SELECT 1 FROM leads')->{sqlstate}, '42501', 'no privilege on the table');
is($session{outsider}->run("INSERT INTO leads (k) VALUES ('o1')")->{sqlstate}, '42501', 'nor for INSERT');
for my $sql ('SELECT 1 FROM leads', "INSERT INTO leads (k) VALUES ('a1')")
{
	my $result = $session{analyst}->run($sql);
	is($result->{sqlstate}, '42704', 'a role without a mapping: SQLSTATE');
	like($result->{err}, qr/user mapping not found for user "analyst", server "genesys"/, 'a role without a mapping: clear words');
}
must("CREATE USER MAPPING FOR PUBLIC SERVER genesys OPTIONS (client_id 'client_all', client_secret '$secret{all}')");
is(client_of('analyst', 'SELECT 1 FROM leads LIMIT 1'), 'client_all', 'the mapping of PUBLIC');
is(client_of('etl', 'SELECT 1 FROM leads LIMIT 1'), 'client_etl', 'does not replace an own one');
must("CREATE USER MAPPING FOR analyst SERVER genesys OPTIONS (client_id 'client_etl')");
my $result = $session{analyst}->run('SELECT 1 FROM leads');
is($result->{sqlstate}, 'HV00J', 'a mapping without a secret: SQLSTATE');
like($result->{err}, qr/"analyst" for server "genesys" has no client_secret.*HINT/s, 'a mapping without a secret: says so');
must('DROP USER MAPPING FOR analyst SERVER genesys');
is(client_of('analyst', 'SELECT 1 FROM leads LIMIT 1'), 'client_all', 'back to that of PUBLIC');

# Who sees the options of whom.
for my $role (qw(analyst outsider view_owner))
{
	is($session{$role}->value("SELECT count(umoptions) FROM pg_user_mappings WHERE usename <> '$role'"), 0, "$role sees no options of others");
	is($session{$role}->run('SELECT * FROM pg_user_mapping')->{sqlstate}, '42501', "$role cannot read the catalogue");
	is($session{$role}->run("ALTER USER MAPPING FOR etl SERVER genesys OPTIONS (SET client_id 'x')")->{sqlstate}, '42501', "$role cannot change them");
	is($session{$role}->run("ALTER SERVER genesys OPTIONS (SET login_url 'http://127.0.0.1:1')")->{sqlstate}, '42501', "$role cannot lead the server astray");
	is($session{$role}->run("CREATE SERVER s_$role FOREIGN DATA WRAPPER gc_fdw OPTIONS (region 'us-east-1')")->{sqlstate}, '42501', "$role cannot make a server");
	is($session{$role}->run("CREATE FOREIGN TABLE t_$role (a text) SERVER genesys OPTIONS (object 'contact_lists')")->{sqlstate}, '42501', "$role cannot make a table");
	is($session{$role}->run("IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO public")->{sqlstate}, '42501', "$role cannot import");
}
is($session{analyst}->run('SET gc_fdw.show_values = on')->{sqlstate}, '42501', 'cells are shown to superusers only');

# --- views, functions --------------------------------------------------------------------------

# A view reads with its owner's mapping, unless it is one of the invoker's.
must("CREATE USER MAPPING FOR view_owner SERVER genesys OPTIONS (client_id 'client_view', client_secret '$secret{view}')");
must('GRANT CREATE ON SCHEMA public TO view_owner');
$session{view_owner}->value('CREATE VIEW v AS SELECT k FROM leads; GRANT SELECT, INSERT ON v TO outsider, analyst');
is(client_of('outsider', 'SELECT 1 FROM v LIMIT 1'), 'client_view', "SELECT through a view: the owner's mapping");
is(client_of('outsider', 'SELECT count(*) FROM v'), 'client_view', "a count through a view: the owner's mapping");
is(client_of('outsider', 'SELECT count(*) FROM leads'), '42501', 'nor is a count without a privilege');
is(client_of('analyst', 'SELECT (SELECT count(*) FROM v), (SELECT count(*) FROM leads)'), 'client_all,client_view', 'both, in sub-selects of one query');
is(client_of('outsider', "INSERT INTO v (k) VALUES ('v1')"), 'client_view', "INSERT through a view: the owner's mapping");
is(client_of('analyst', 'SELECT 1 FROM v, leads LIMIT 1'), 'client_all,client_view', 'both, side by side in one query');
SKIP:
{
	skip 'views of the invoker came with 15', 3 if $super->value('SHOW server_version_num') < 150000;
	$session{view_owner}->value('CREATE VIEW w WITH (security_invoker) AS SELECT k FROM leads; GRANT SELECT, INSERT ON w TO outsider, analyst');
	is(client_of('analyst', 'SELECT 1 FROM w LIMIT 1'), 'client_all', "SELECT through an invoker's view: one's own");
	is(client_of('analyst', 'SELECT count(*) FROM w'), 'client_all', "a count through it: one's own");
	is(client_of('outsider', 'SELECT 1 FROM w LIMIT 1'), '42501', "and one's own privileges");
}
$session{view_owner}->value(<<'SQL');
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM leads';
CREATE FUNCTION g() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$INSERT INTO leads (k) VALUES ('g1')$$;
SQL
is(client_of('outsider', 'SELECT f()'), 'client_view', 'SECURITY DEFINER: the owner reads');
is(client_of('outsider', 'SELECT g()'), 'client_view', 'SECURITY DEFINER: the owner writes');

# SET ROLE changes the client, also for a prepared statement.
$super->run('PREPARE p AS SELECT 1 FROM leads LIMIT 1');
for my $role ([ etl => 'client_etl' ], [ view_owner => 'client_view' ], [ analyst => 'client_all' ], [ etl => 'client_etl' ])
{
	$sim->forget_requests;
	$super->run("SET ROLE $role->[0]");
	$super->run('EXECUTE p');
	is(join(',', map { $_->{client} } $sim->requests(qr/search/)), $role->[1], "a prepared statement after SET ROLE $role->[0]");
}
$super->run('RESET ROLE');

# ANALYZE reads as the table's owner, whoever asks for it; and says what it did.
must('ALTER FOREIGN TABLE plain OWNER TO etl');
$sim->forget_requests;
$result = $super->run('ANALYZE VERBOSE plain');
is($result->{sqlstate}, '00000', 'ANALYZE of a table that is another one\'s');
is(join(',', sort keys %{ { map { $_->{client} // 'none' => 1 } $sim->requests(qr/search/) } }), 'client_etl', "ANALYZE: the owner's mapping");
like($result->{err}, qr/"plain": table contains (\d+) rows, \1 rows in sample, read by pages in \d+ requests/, 'ANALYZE VERBOSE');
$sim->forget_requests;
$session{analyst}->run('ANALYZE plain');
is(scalar $sim->requests, 0, 'who does not own it asks for nothing');

# Privileges of columns.
must('REVOKE ALL ON leads FROM analyst');
must('GRANT SELECT (k) ON leads TO analyst');
is($session{analyst}->run('SELECT k FROM leads LIMIT 1')->{sqlstate}, '00000', 'a column that one may read');
is($session{analyst}->run('SELECT phone FROM leads LIMIT 1')->{sqlstate}, '42501', 'and one that one may not');

# --- a server whose owner is no superuser ---------------------------------------------------------

# Its owner, a loader with a mapping of its own, an analyst without anything.
must($_) for 'CREATE ROLE keeper LOGIN', 'GRANT CREATE ON SCHEMA public TO keeper', 'GRANT USAGE ON FOREIGN DATA WRAPPER gc_fdw TO keeper';
$session{keeper} = GcSession->new($node, user => 'keeper');

# state_of(ROLE, SQL): the SQLSTATE.
sub state_of { my ($role, $sql) = @_; return $session{$role}->run($sql)->{sqlstate} }

# options_seen(ROLE, WHOSE): how many mappings' options it sees on that server.
sub options_seen
{
	my ($role, $whose) = @_;
	return $session{$role}->value("SELECT count(umoptions) FROM pg_user_mappings WHERE srvname = 'kept' AND usename = '$whose'");
}

my $url = $sim->url;
is(state_of('keeper', "CREATE SERVER kept FOREIGN DATA WRAPPER gc_fdw OPTIONS (api_url '$url', login_url '$url', requests_per_second '0', jitter '0')"),
	'00000', 'USAGE on the wrapper: may make a server');
is(state_of('keeper', "CREATE FOREIGN TABLE kept_leads (k text OPTIONS (field 'Key'), contact_id text OPTIONS (attribute 'id')) SERVER kept OPTIONS (object 'contacts', list_name 'Leads', key 'k'); GRANT SELECT, INSERT ON kept_leads TO etl, analyst"),
	'00000', 'and tables of it');
my $mine = "OPTIONS (client_id 'client_etl', client_secret '$secret{etl}')";
is(state_of('etl', "CREATE USER MAPPING FOR etl SERVER kept $mine"), '42501', 'without USAGE on the server: no mapping, not even an own one');
is(state_of('keeper', 'GRANT USAGE ON FOREIGN SERVER kept TO etl'), '00000', "the server is its owner's to grant");
is(state_of('etl', "CREATE USER MAPPING FOR etl SERVER kept $mine"), '00000', 'with USAGE: an own mapping');
is(state_of('etl', "CREATE USER MAPPING FOR $_ SERVER kept $mine"), '42501', "but none for $_") for qw(analyst PUBLIC);
is(state_of('analyst', "CREATE USER MAPPING FOR analyst SERVER kept $mine"), '42501', 'the analyst makes none');
is(client_of('etl', "INSERT INTO kept_leads (k) VALUES ('kept1')"), 'client_etl', 'the loader loads');
$result = $session{analyst}->run('SELECT 1 FROM kept_leads');
is($result->{sqlstate}, '42704', 'the analyst has no mapping: SQLSTATE');
like($result->{err}, qr/user mapping not found for user "analyst", server "kept"/, 'the analyst has no mapping: names role and server');

# Who sees whose options.
is(options_seen('etl', 'etl'), 1, 'the loader sees the options of its own mapping');
is(options_seen($_, 'etl'), 0, "$_ does not") for qw(analyst keeper outsider);
is(state_of('keeper', "CREATE USER MAPPING FOR PUBLIC SERVER kept OPTIONS (client_id 'client_all', client_secret '$secret{all}')"), '00000', "the server's owner makes the mapping of PUBLIC");
is(options_seen('keeper', 'public'), 1, 'and sees its options');
is(options_seen($_, 'public'), 0, "$_ does not") for qw(etl analyst);
is(client_of('analyst', 'SELECT 1 FROM kept_leads LIMIT 1'), 'client_all', 'the analyst reads by it');
is(state_of('keeper', 'REVOKE USAGE ON FOREIGN SERVER kept FROM etl'), '00000', 'USAGE is taken away');
is(options_seen('etl', 'etl'), 0, 'without USAGE not even the own options are shown');
is(state_of('etl', "ALTER USER MAPPING FOR etl SERVER kept OPTIONS (SET client_id 'x')"), '42501', 'nor may they be changed');
is(client_of('etl', 'SELECT 1 FROM kept_leads LIMIT 1'), 'client_etl', 'but used, as the table allows');
is(state_of('keeper', 'GRANT USAGE ON FOREIGN SERVER kept TO etl'), '00000', 'USAGE is given back');

# Files of the server's: for superusers to name, for the role to use.
my $file = PostgreSQL::Test::Utils::tempdir() . '/secret';
PostgreSQL::Test::Utils::append_to_file($file, "$secret{etl}\n");
for my $option ("client_secret_file '$file'", "client_cert '$file'", "client_cert '$file', ADD client_key '$file'")
{
	$result = $session{etl}->run("ALTER USER MAPPING FOR etl SERVER kept OPTIONS (DROP client_secret, ADD $option)");
	is($result->{sqlstate}, '42501', "$option: not for the loader");
	like($result->{err}, qr/is superuser-only.*HINT:  User mappings with the option .* superuser/s, "$option: says so");
}
is(state_of('keeper', "ALTER SERVER kept OPTIONS (ADD ca_file '$file')"), '42501', "ca_file: not for the server's owner");
is(state_of('keeper', "ALTER USER MAPPING FOR PUBLIC SERVER kept OPTIONS (DROP client_secret, ADD client_secret_file '$file')"), '42501', 'nor a file for PUBLIC');
must("ALTER USER MAPPING FOR etl SERVER kept OPTIONS (DROP client_secret, ADD client_secret_file '$file')");
is(client_of('etl', 'SELECT 1 FROM kept_leads LIMIT 1'), 'client_etl', 'a file that a superuser named is used');
is(state_of('etl', "ALTER USER MAPPING FOR etl SERVER kept OPTIONS (SET client_id 'client_all')"), '42501', 'beside it the loader changes nothing');
is(state_of('etl', "ALTER USER MAPPING FOR etl SERVER kept OPTIONS (DROP client_secret_file, ADD client_secret '$secret{etl}')"), '00000', 'but takes it out');
is(state_of('etl', 'DROP USER MAPPING FOR etl SERVER kept'), '00000', 'or drops the mapping');

# --- secrets ----------------------------------------------------------------------------------

# Every error and every plan there is a chance of, with all that can be said.
my @texts;
sub keep { my ($result) = @_; push @texts, $result->{out}, $result->{err}; return $result }

$session{etl}->run('\set VERBOSITY verbose');
$session{etl}->run('SET client_min_messages = debug5');
my $token = do {
	# What the simulator hands out, for this test to look for.
	my $reply = $sim->{http}->post_form($sim->url . '/oauth/token', { grant_type => 'client_credentials' },
		{ headers => { Authorization => 'Basic ' . encode_base64("client_etl:$secret{etl}", '') } });
	$sim->{json}->decode($reply->{content})->{access_token};
};
my $fixed = 'Fixed-Token-' . $token;
must("ALTER SERVER genesys OPTIONS (ADD max_retries '1')"); # what is repeated is not repeated for long
keep($session{etl}->run($_)) for 'EXPLAIN (ANALYZE, VERBOSE, COSTS) SELECT * FROM leads', 'EXPLAIN (VERBOSE) SELECT * FROM leads',
	"EXPLAIN (ANALYZE, VERBOSE) INSERT INTO leads (k) VALUES ('x1')", "INSERT INTO leads (k, name) VALUES ('x 2', 'x')";
for my $fault (
	{ status => 400, body_json => { code => 'x', message => 'no' } }, { status => 401 }, { status => 403 }, { status => 404 },
	{ status => 501 }, { status => 200, body => 'no JSON' }, { status => 429, headers => { 'Retry-After' => 1000 } })
{
	for my $path ('/contacts', '/oauth/token', '/contactlists')
	{
		$sim->faults({ path => $path, %$fault });
		$session{etl}->run('SELECT gc_fdw.disconnect()') if $path ne '/contacts';
		keep($session{etl}->run($_)) for 'SELECT * FROM leads', "INSERT INTO leads (k) VALUES ('x3')";
		$sim->faults;
		# A 429 of the quota's own would hold up what comes next.
		last if $fault->{status} == 429;
	}
}
must("ALTER USER MAPPING FOR etl SERVER genesys OPTIONS (DROP client_id, DROP client_secret, ADD access_token '$fixed')");
keep($session{etl}->run($_)) for 'SELECT * FROM leads', "INSERT INTO leads (k) VALUES ('x4')";
like($texts[-1], qr/28000/, 'a fixed token that is refused: SQLSTATE');
must("ALTER USER MAPPING FOR etl SERVER genesys OPTIONS (DROP access_token, ADD client_id 'client_etl', ADD client_secret 'bad-$secret{etl}')");
keep($session{etl}->run('SELECT * FROM leads'));
keep($super->run("ALTER USER MAPPING FOR etl SERVER genesys OPTIONS (SET client_secret '')"));
keep($super->run("CREATE USER MAPPING FOR outsider SERVER genesys OPTIONS (client_secre '$secret{etl}')"));
keep($super->run("ALTER SERVER genesys OPTIONS (ADD client_secret '$secret{etl}')"));

my $basic = encode_base64("client_etl:$secret{etl}", '');
my %look = (
	'the secret' => $secret{etl}, "PUBLIC's" => $secret{all}, "the view owner's" => $secret{view}, 'the fixed token' => $fixed,
	'its Basic header' => substr($basic, 0, 20), 'a Bearer header' => 'Bearer ',
);
my $said = join "\n", @texts;
my $log = slurp_log($node);
cmp_ok(length $log, '>', 100000, 'there is a log to look at');
like($log, qr/could not insert/, 'with our errors');
for my $what (sort keys %look)
{
	is(index($said, $look{$what}), -1, "$what: in no message and no plan");
	is(index($log, $look{$what}), -1, "$what: not in the server's log at DEBUG5");
}

# A schema of that name that was somebody's before the extension: what is in it never runs as whoever looks.
$node->safe_psql('postgres', 'CREATE DATABASE taken');
$node->safe_psql('taken', 'GRANT CREATE ON DATABASE taken TO outsider');
my $taken = GcSession->new($node, user => 'outsider', dbname => 'taken');
my @better = map { my $name = $_; map { [ $name, $_ ] } 'numeric, bigint', 'bigint, numeric', 'numeric, integer', 'bigint, integer', 'interval, numeric',
	'double precision, bigint', 'double precision, integer' } qw(* / - =);
$taken->run('CREATE SCHEMA gc_fdw');
for my $i (0 .. $#better)
{
	my ($name, $types) = @{ $better[$i] };
	my ($left, $right) = split /, /, $types;
	my $returns = $name eq '=' ? 'boolean' : $left eq 'interval' ? $left : 'numeric';
	$taken->run("CREATE FUNCTION gc_fdw.taken$i($types) RETURNS $returns LANGUAGE plpgsql AS \$\$ BEGIN RAISE 'taken by % (%)', '$name', '$types'; END \$\$");
	my $result = $taken->run("CREATE OPERATOR gc_fdw.$name (LEFTARG = $left, RIGHTARG = $right, FUNCTION = gc_fdw.taken$i)");
	is($result->{sqlstate}, '00000', "there is an operator $left $name $right") or diag $result->{err};
}
$node->safe_psql('taken', 'CREATE EXTENSION gc_fdw');
add_server($node, $sim, 'genesys', dbname => 'taken');
leads_table($node, 'leads', 'genesys', 'Leads', dbname => 'taken');
my $looker = GcSession->new($node, dbname => 'taken');
for my $view (qw(progress stat_servers stat_requests requests rate_limits))
{
	$looker->run($_) for 'BEGIN', "INSERT INTO leads (k) VALUES ('x5'), ('x6')", 'DECLARE c CURSOR FOR SELECT * FROM leads', 'FETCH 1 FROM c';
	my $result = $looker->run("SELECT * FROM gc_fdw.$view");
	is($result->{sqlstate}, '00000', "$view uses no operator of the schema's") or diag $result->{err};
	isnt($result->{out}, '', "$view has rows");
	$looker->run('ROLLBACK');
}

$_->close for $super, $taken, $looker, values %session;
$node->stop;
done_testing();

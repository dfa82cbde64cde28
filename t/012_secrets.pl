# Secrets, tokens, keys and cells are in no log line, message, plan, view or statistic, whatever
# is done and whatever fails (U10).  Everything goes through a proxy in the clear, which shows
# that it was all there to be told.
use strict;
use warnings;

use FindBin;
use MIME::Base64 qw(encode_base64);
use lib $FindBin::Bin;
use GcProxy;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $dir = PostgreSQL::Test::Utils::tempdir();
my $tls = $ENV{GC_TLS_DIR};
my %secret = (direct => 'Secret-Dir-4f1b9c', filed => 'Secret-File-77ac02', wrong => 'Secret-Wrong-e0d5', proxy => 'Secret-Proxy-91be');
my $cell = 'Cell-3fa97d';    # every cell begins so
my $sim = GcSim->new('--client', 'direct', $secret{direct}, '--client', 'filed', $secret{filed});
my $list = $sim->list('Leads', qw(Phone Key Name));
my $proxy = GcProxy->new('dialler', $secret{proxy});

my $libraries = PostgreSQL::Test::Utils::run_command([ 'pg_config', '--pkglibdir' ]);
my $statements = -e "$libraries/pg_stat_statements.so";
my $node = new_node('secrets', 'log_min_messages = debug5', "log_statement = 'none'", 'log_min_error_statement = panic',
	'log_error_verbosity = verbose', "shared_preload_libraries = 'gc_fdw" . ($statements ? ", pg_stat_statements'" : "'"));
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements') if $statements;

sub write_file
{
	my ($name, $text) = @_;
	open my $out, '>', "$dir/$name" or die "$name: $!";
	print $out $text;
	close $out;
	return "$dir/$name";
}

# --- servers, and rows to load -----------------------------------------------------------------

# What core records of a CREATE USER MAPPING is not ours: those sessions end before anything
# is looked at, and what was counted of them is forgotten.
my $file = write_file('secret', "$secret{filed}\n");
my %through = (proxy => $proxy->url, max_retries => 1, retry_timeout => '3s');
my $login = "proxy_user 'dialler', proxy_password '$secret{proxy}'";

# at_server(NAME, MAPPING'S OPTIONS, OPTION => VALUE...)
sub at_server
{
	my ($name, $mapping, %options) = @_;
	add_server($node, $sim, $name, %through, %options);
	$node->safe_psql('postgres', "DROP USER MAPPING FOR CURRENT_USER SERVER $name");
	$node->safe_psql('postgres', "CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS ($mapping)");
	leads_table($node, "leads_$name", $name, 'Leads', batch_size => 10, fetch_size => 10);
	return;
}
at_server('direct', "client_id 'direct', client_secret '$secret{direct}', $login");
at_server('filed', "client_id 'filed', client_secret_file '$file', $login");
at_server('wrong', "client_id 'direct', client_secret '$secret{wrong}', $login");
at_server('badfile', "client_id 'filed', client_secret_file '" . write_file('wrong', "$secret{wrong}\n") . "', $login");
at_server('nofile', "client_id 'filed', client_secret_file '$dir', $login");
at_server('token', "access_token '$secret{wrong}', $login");
at_server('noproxy', "client_id 'direct', client_secret '$secret{direct}', proxy_user 'dialler', proxy_password '$secret{wrong}'");
at_server('closed', "client_id 'direct', client_secret '$secret{direct}', $login", proxy => 'http://127.0.0.1:' . GcSim::closed_port());
at_server('tls', "client_id 'direct', client_secret '$secret{direct}'", proxy => undef,
	map { $_ => 'https://127.0.0.1:' . $sim->port } qw(api_url login_url));

# Key material: a line of a key that does not fit its certificate, and of one that is a certificate's.
my %key;
if ($tls && -r "$tls/server.key" && -r "$tls/ca.key")
{
	for my $name (qw(server ca))
	{
		my @lines = split /\n/, PostgreSQL::Test::Utils::slurp_file("$tls/$name.key");
		$key{"a line of $name.key"} = $lines[ @lines / 2 ];
	}
	my @https = map { $_ => 'https://127.0.0.1:' . $sim->port } qw(api_url login_url);
	at_server('otherkey', "client_id 'direct', client_secret '$secret{direct}', client_cert '$tls/server.pem', client_key '$tls/ca.key'", @https, proxy => undef);
	at_server('keyascert', "client_id 'direct', client_secret '$secret{direct}', client_cert '$tls/server.key', client_key '$tls/server.key'", @https, proxy => undef);
	at_server('keyasca', "client_id 'direct', client_secret '$secret{direct}', $login", @https, ca_file => "$tls/server.key");
}

# Rows: good ones, and one of each kind that fails.
$node->safe_psql('postgres', <<"SQL");
CREATE TABLE src (kind text, k text, phone text, name text);
INSERT INTO src SELECT 'good', 'id-' || i, '+1415555' || 1000 + i, '$cell-' || i FROM generate_series(1, 25) i;
INSERT INTO src VALUES ('long', 'id-long', '+14155552000', '$cell' || repeat('x', 600)),
  ('twice', 'id-twice', NULL, '$cell-1'), ('twice', 'id-twice', NULL, '$cell-2'),
  ('bad id', 'id / x', NULL, '$cell'), ('bad phone', 'id-phone', '$cell', 'x');
ALTER FOREIGN TABLE leads_direct ADD callable boolean OPTIONS (attribute 'callable');
CREATE FOREIGN TABLE typed (k text OPTIONS (field 'Key'), name numeric OPTIONS (field 'Name')) SERVER direct OPTIONS (object 'contacts', list_name 'Leads');
CREATE FOREIGN TABLE lacking (k text OPTIONS (field 'Key'), colour text) SERVER direct OPTIONS (object 'contacts', list_name 'Leads', key 'k');
SQL
$node->safe_psql('postgres', 'SELECT pg_stat_statements_reset()') if $statements;

# --- all that is done --------------------------------------------------------------------------

my $session = GcSession->new($node);
my $watcher = GcSession->new($node);
my (@texts, %sqlstates);
$session->run('\set VERBOSITY verbose');
$session->run('SET client_min_messages = debug5');

# All that the session was told; rows of a SELECT that wants cells are what it asked for.
sub attempt
{
	my ($sql) = @_;
	my $result = $session->run($sql);
	push @texts, $result->{out}, $result->{err};
	$sqlstates{ $result->{sqlstate} }++;
	return $result;
}

# What others can see: pg_stat_activity, statements, everything in schema gc_fdw.
sub look_around
{
	my @relations = split /\n/, $watcher->value(
		"SELECT oid::regclass FROM pg_class WHERE relnamespace = 'gc_fdw'::regnamespace AND relkind IN ('r', 'v', 'm', 'f', 'p')");
	push @relations, 'pg_stat_activity', 'pg_locks', $statements ? 'pg_stat_statements' : ();
	push @texts, map { $watcher->value("SELECT r FROM $_ r") } @relations;
	return @relations;
}

my $load = "INSERT INTO leads_%s (k, phone, name) SELECT k, phone, name FROM src WHERE kind = '%s'";
my $count = 'SELECT count(*), count(name) FROM leads_%s';

# What works: loads, scans, plans.
for my $name (qw(direct filed))
{
	is(attempt(sprintf $load, $name, 'good')->{sqlstate}, '00000', "a load, $name") or diag $texts[-1];
	is(attempt(sprintf $count, $name)->{sqlstate}, '00000', "a scan, $name");
	attempt($_) for "EXPLAIN (ANALYZE, VERBOSE, SETTINGS) SELECT * FROM leads_$name",
	  sprintf("EXPLAIN (ANALYZE, VERBOSE) $load", $name, 'good'), sprintf("EXPLAIN (VERBOSE, FORMAT JSON) $load RETURNING *", $name, 'good'),
	  sprintf("BEGIN; $load; ROLLBACK", $name, 'good');
}

# While it happens: a load that hangs is looked at from outside.
$sim->faults({ path => '*/contacts', stall => \1 });
$session->start(sprintf $load, 'direct', 'good');
await_waiting($watcher, $session);
my @relations = look_around();
cmp_ok(scalar(grep { /^gc_fdw\./ } @relations), '>=', 5, 'views of gc_fdw are looked at');
like(join("\n", @texts), qr/Leads,INSERT/, 'and show the load');
$watcher->value('SELECT pg_cancel_backend(' . $session->pid . ')');
my $cancelled = $session->finish;
is($cancelled->{sqlstate}, '57014', 'a load is cancelled');
push @texts, $cancelled->{err};
$sim->faults;

# Credentials, proxies, certificates that are refused.
attempt(sprintf $load, $_, 'good') for qw(wrong badfile nofile token noproxy closed tls), %key ? qw(otherkey keyascert keyasca) : ();

# Rows that are refused: by us, and by the platform.
attempt(sprintf $load, 'direct', $_) for 'long', 'twice', 'bad id', 'bad phone';
attempt("INSERT INTO lacking (k, colour) SELECT k, name FROM src WHERE kind = 'good'");
is(attempt('SELECT sum(name) FROM typed')->{sqlstate}, '22P02', 'a cell that does not parse');
$sim->faults({ path => '*/contacts', echo_patch => { callable => \1 } });
is(attempt("INSERT INTO leads_direct (k, name, callable) SELECT k, name, false FROM src WHERE kind = 'good'")->{sqlstate}, '27000', 'an opt-out that did not take');

# Whatever the platform answers, to each kind of call; some of it is tried again.
for my $fault (
	{ status => 400, body_json => { code => 'invalid.value', message => 'No.' } }, { status => 401 }, { status => 403 }, { status => 404 },
	{ status => 409, body_json => { code => 'duplicate.contact.id', message => 'No.' } }, { status => 413 }, { status => 500 }, { status => 501 },
	{ status => 200, body => 'no JSON' }, { status => 200, body => '[]' }, { drop => 'before' }, { drop => 'after' }, { truncate => 20 },
	{ echo_less => 1 }, { status => 429, headers => { 'Retry-After' => 1000 } })
{
	for my $path ('*/contacts', '*/contacts/search', '*/oauth/token', '*/contactlists')
	{
		# Connections, tokens and quotas are made anew.
		$session->run('SELECT gc_fdw.disconnect()');
		$sim->faults({ path => $path, %$fault });
		attempt(sprintf $load, 'filed', 'good') if $path ne '*/contacts/search';
		attempt(sprintf $count, 'filed') if $path ne '*/contacts';
	}
}
$sim->faults;
$session->run('SELECT gc_fdw.disconnect()');
look_around();
cmp_ok(scalar keys %sqlstates, '>=', 14, 'failures of many kinds') or diag explain \%sqlstates;

# The platform's own words are shown as they come (docs/reference.md, Errors), in DETAIL alone.
my $echo = 'Echo-5d20';
$sim->faults({ path => '*/contacts', status => 400, body_json => { code => 'invalid.value', message => "The value $echo is bad." } });
my $echoed = $session->run(sprintf $load, 'direct', 'good');
like($echoed->{err}, qr/DETAIL:[^\n]*$echo/, "the platform's own words are shown");
is(scalar(() = $echoed->{err} =~ /$echo/g), 1, 'once');
$sim->faults;

# --- nobody was told ---------------------------------------------------------------------------

my $traffic = $proxy->traffic;
my %tokens = map { $_ => 1 } $traffic =~ /^Authorization: Bearer (\S+)\r$/mg;
cmp_ok(scalar keys %tokens, '>', 2, 'tokens were seen on the way');

my %look = (
	"a cell" => $cell, %key,
	(map { ("secret: $_" => $secret{$_}) } keys %secret),
	(map { my $client = $_; ("Basic header of $client" => substr(encode_base64("$client:$secret{$client}", ''), 0, 24)) } qw(direct filed)),
	'Basic header of the proxy' => substr(encode_base64("dialler:$secret{proxy}", ''), 0, 24),
	'a header' => 'Authorization:',
	(map { ("token $_" => (sort keys %tokens)[$_]) } 0 .. keys(%tokens) - 1),
);
for my $what ('a cell', 'Basic header of direct', 'Basic header of filed', 'Basic header of the proxy', 'a header', 'token 0')
{
	cmp_ok(index($traffic, $look{$what}), '>=', 0, "$what: was sent");
}
my %places = (
	'the log' => slurp_log($node),
	'a message, plan or view' => join("\n", @texts),
);
cmp_ok(length $places{'the log'}, '>', 200000, 'there is a log to look at');
like($places{'the log'}, qr/ERROR: .*could not insert/, 'with our errors');
for my $place (sort keys %places)
{
	for my $what (sort keys %look)
	{
		my $at = index $places{$place}, $look{$what};
		is($at, -1, "$what: not in $place") or diag substr $places{$place}, $at < 200 ? 0 : $at - 200, 400;
	}
}

$_->close for $session, $watcher;
$node->stop;
$proxy->stop;
done_testing();

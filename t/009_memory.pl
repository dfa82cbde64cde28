# Hundreds of statements that fail, of every kind, leave no memory and no socket behind (U9).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('memory');
add_server($node, $sim, 'genesys', batch_size => 10, fetch_size => 10, max_retries => 0);
leads_table($node, 'leads', 'genesys', 'Leads');
leads_table($node, 'exported', 'genesys', 'Leads', scan_method => 'export');
leads_table($node, 'typed', 'genesys', 'Leads');
leads_table($node, 'missing', 'genesys', 'Nowhere');
leads_table($node, 'strict', 'genesys', 'Leads', on_duplicate => 'error');
leads_table($node, 'compared', 'genesys', 'Leads', on_duplicate => 'error', scan_method => 'export');
leads_table($node, 'checked', 'genesys', 'Leads');
$node->safe_psql('postgres', 'ALTER FOREIGN TABLE typed ALTER name TYPE integer');
leads_table($node, 'unfit', 'genesys', 'Leads', list_freshness => 0);
$node->safe_psql('postgres', "ALTER FOREIGN TABLE unfit ADD nowhere text, ALTER phone OPTIONS (ADD format 'e164')");

my $session = GcSession->new($node);
plan skip_all => 'no /proc' unless defined open_sockets($session->pid);
$session->value("INSERT INTO leads (k, name) SELECT 'c' || i, 'n' || i FROM generate_series(1, 60) i; SELECT 1");

my $rows = "SELECT 'c' || i, repeat('x', 300) FROM generate_series(1, 50) i";
my @kinds = (
	[ 'refused INSERT', "INSERT INTO leads (k, name) $rows", '22023', { path => '/contacts', nth => 3, times => 1000000, status => 400 } ],
	[ 'lost INSERT', "INSERT INTO leads (k, name) $rows", '08006', { path => '/contacts', nth => 3, times => 1000000, drop => 'after' } ],
	[ 'bad echo', "INSERT INTO leads (k, name) $rows", 'HV000', { path => '/contacts', nth => 3, times => 1000000, echo_less => 1 } ],
	[ 'bad row', "INSERT INTO leads (k, name) $rows UNION ALL SELECT 'no good', 'x'", '22023' ],
	[ 'table that does not fit', "INSERT INTO unfit (k) VALUES ('u')", '42703' ],
	[ 'schema_diff', "SELECT gc_fdw.schema_diff('unfit', 'SELECT i::text AS k, 1 / (40 - i) AS nowhere FROM generate_series(1, 50) i')", '22012' ],
	[ 'error of the source', "INSERT INTO leads (k, name) SELECT 'c' || i, (100 / (50 - i))::text FROM generate_series(1, 50) i", '22012' ],
	[ 'contacts that are there', "INSERT INTO strict (k, name) $rows", '23505' ],
	[ 'contacts that an export has', "INSERT INTO compared (k, name) $rows", '23505' ],
	[ 'a look-up that is refused', "INSERT INTO strict (k, name) $rows", '22023', { path => '/bulk', times => 1000000, status => 400 } ],
	[ 'bad row behind rows that wait', "INSERT INTO strict (k, name) $rows UNION ALL SELECT 'no good', 'x'", '22023' ],
	[ 'refused SELECT', 'SELECT * FROM leads', '22023', { path => '/search', nth => 2, times => 1000000, status => 400 } ],
	[ 'malformed page', 'SELECT * FROM leads', 'HV000', { path => '/search', status => 200, body => '{"entities":[{"id":' } ],
	[ 'bad cell', 'SELECT * FROM typed', '22P02' ],
	[ 'broken download', 'SELECT * FROM exported', '08006', { path => '/storage/', truncate => 1000 } ],
	[ 'export that is no CSV', 'SELECT k FROM exported', 'HV000', { path => '/storage/', status => 200, body => qq(inin-outbound-id,Key\ni,k\nj,"k) } ],
	[ 'cursor on an export left open', "BEGIN; DECLARE c CURSOR FOR SELECT * FROM exported; FETCH 5 FROM c; ROLLBACK", '00000' ],
	[ 'error behind a row', 'SELECT 1 / 0 FROM leads', '22012' ],
	[ 'no such list', 'SELECT * FROM missing', 'HV00R' ],
	[ 'no token', 'SELECT * FROM leads', '28000', { path => '/oauth/token', status => 400 } ],
	[ 'caught in a block', "DO \$\$ BEGIN INSERT INTO leads (k, name) $rows; EXCEPTION WHEN others THEN NULL; END \$\$", '00000', { path => '/contacts', nth => 3, times => 1000000, status => 400 } ],
	[ 'cursor left open', "BEGIN; DECLARE c CURSOR FOR SELECT * FROM leads; FETCH 5 FROM c; ROLLBACK", '00000' ],
	[ 'disconnect', 'SELECT gc_fdw.disconnect(); SELECT 1 FROM leads LIMIT 1', '00000' ],
);

sub round_of
{
	my ($kind, $count) = @_;
	my ($what, $sql, $sqlstate, $fault) = @$kind;
	my %seen;

	$session->run('SELECT gc_fdw.disconnect()') if $what eq 'no token';
	$sim->faults($fault ? $fault : ());
	$seen{ $session->run($sql)->{sqlstate} }++ for 1 .. $count;
	$sim->faults;
	return join ',', sort keys %seen;
}

for my $kind (@kinds)
{
	my ($what, undef, $sqlstate) = @$kind;
	is(round_of($kind, 3), $sqlstate, "$what: SQLSTATE");
}
$session->run('SET client_min_messages = error');

# Once more, so that caches are warm; then what counts.
round_of($_, 5) for @kinds;
my ($bytes, $rss, $sockets) = (context_bytes($session), rss_kb($session->pid), open_sockets($session->pid));
for my $kind (@kinds)
{
	my ($b, $r) = (context_bytes($session), rss_kb($session->pid));
	round_of($kind, 200 / @kinds + 1);
	note sprintf '%-20s contexts %+d bytes, process %+d kB', $kind->[0], context_bytes($session) - $b, rss_kb($session->pid) - $r;
}
cmp_ok(context_bytes($session), '<=', $bytes + 16 * 1024, 'no memory context grows');
SKIP:
{
	skip_sanitized();
	cmp_ok(rss_kb($session->pid), '<=', $rss + 2048, 'the process does not grow');
}
cmp_ok(open_sockets($session->pid), '<=', $sockets + 1, 'no socket is left open');
note sprintf 'after two hundred failures: contexts %d to %d bytes, process %d to %d kB', $bytes, context_bytes($session), $rss, rss_kb($session->pid);
is($session->run('SELECT count(k) FROM leads')->{out} >= 60, 1, 'and the session works');

$session->close;
$node->stop;
done_testing();

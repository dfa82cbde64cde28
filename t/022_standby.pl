# On a hot standby SELECT works by every way, and writes are refused before anything is
# sent (DESIGN 3).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
$sim->call('POST', '/_sim/campaigns', { id => 'c-1', name => 'Spring', contactList => { id => $list } });
$sim->call('POST', '/_sim/dnclists', { id => 'd-1', name => 'Robinson', entries => [ '+1', '+2' ] });

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1, extra => [ '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync' ]);
$primary->append_conf('postgresql.conf', "fsync = off\nshared_preload_libraries = 'gc_fdw'\nwork_mem = '64kB'");
$primary->start;
$primary->backup('base', backup_options => ['--no-sync']);
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

# What the standby reads of the catalogs was written after it was made.
$primary->safe_psql('postgres', 'CREATE EXTENSION gc_fdw');
add_server($primary, $sim, 'genesys', read_lag => '1s');
leads_table($primary, 'leads', 'genesys', 'Leads');
leads_table($primary, "leads_$_", 'genesys', 'Leads', scan_method => $_) for qw(ids search export);
$primary->safe_psql('postgres', <<'SQL');
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists, campaigns, dnc_lists, events, import_jobs, robinson)
  FROM SERVER genesys INTO public;
CREATE TABLE wanted AS SELECT 'k' || i AS k FROM generate_series(1, 3) i;
INSERT INTO leads (k, name) SELECT 'k' || i, repeat('n', 400) FROM generate_series(1, 350) i;
SQL
$primary->wait_for_catchup($standby, 'replay');

my $session = GcSession->new($standby);
is($session->value('SELECT pg_is_in_recovery()'), 't', 'the second server is a standby');

# reads(QUERY, RESULT): the same as on the primary.
sub reads
{
	my ($sql, $expected) = @_;
	my $result = $session->run($sql);
	is($result->{sqlstate}, '00000', $sql) or diag $result->{err};
	is($result->{out}, $expected, 'what it gives') if defined $expected;
	return $result;
}

# Every way, and what needs room on disk
reads('SELECT count(*), count(DISTINCT k) FROM leads_search', '350|350');
reads('SELECT count(*) FROM leads', '350');
reads('SELECT count(*), count(DISTINCT k) FROM leads_export', '350|350');
reads("SELECT k, length(name) FROM leads_ids WHERE contact_id = 'k7'", 'k7|400');
reads("SELECT count(*) FROM leads_ids WHERE k = ANY (ARRAY(SELECT 'k' || i FROM generate_series(1, 60) i))", '60');
reads('SELECT count(*) FROM wanted JOIN leads_ids USING (k)', '3');
reads("SELECT k FROM leads WHERE k = 'nobody'", '');
reads('SELECT count(*), max(length(name)) FROM (SELECT * FROM leads ORDER BY name, k OFFSET 0) s', '350|400');
reads("BEGIN; DECLARE c SCROLL CURSOR FOR SELECT k FROM leads_search ORDER BY k; FETCH LAST FROM c; FETCH FIRST FROM c; COMMIT",
	"k99\nk1");
reads('SELECT name FROM contact_lists', 'Leads');
reads('SELECT name, progress_percent FROM campaigns', 'Spring|0');
reads('SELECT name FROM dnc_lists', 'Robinson');
reads('SELECT entry FROM robinson ORDER BY 1', "+1\n+2");
reads('SELECT count(*) FROM events', '0');
reads("SELECT count(*) FROM import_jobs WHERE list_id = '$list'", '0');

# EXPLAIN and the views
my $explained = explained(reads('EXPLAIN (ANALYZE, COSTS OFF) SELECT * FROM leads_search'));
is("@$explained{qw(Path Requests)}", 'search 4', 'EXPLAIN (ANALYZE) has the figures');
reads('EXPLAIN (COSTS OFF) INSERT INTO leads (k) VALUES (1)');
reads('SELECT server, requests > 0, rows_received > 0, rows_sent FROM gc_fdw.stat_servers', 'genesys|t|t|0');
reads("SELECT count(*) > 0, bool_and(pid = pg_backend_pid()) FROM gc_fdw.requests", 't|t');
reads('SELECT count(*) > 0 FROM gc_fdw.stat_requests', 't');
reads('SELECT count(*) FROM gc_fdw.progress', '0');
reads("SELECT DISTINCT server FROM gc_fdw.rate_limits", 'genesys');

# Writes: refused by the server itself, and nobody is asked for anything.
$sim->forget_requests;
for my $sql (
	"INSERT INTO leads (k) VALUES ('new')",
	"INSERT INTO leads (k) SELECT k FROM leads",
	"WITH w AS (INSERT INTO leads (k) VALUES ('new') RETURNING k) SELECT * FROM w",
	"COPY leads (k) FROM STDIN;\nnew\n\\.",
	'EXPLAIN ANALYZE INSERT INTO leads (k) VALUES (1)',
	'IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO public',
	"ALTER SERVER genesys OPTIONS (SET read_lag '2s')",
	"SELECT * FROM gc_fdw.quarantine('K-1', '+14155550100')",
	"SELECT * FROM gc_fdw.forget_contact('K-1')")
{
	my $result = $session->run($sql);
	my ($what) = split /\n/, $sql;
	is($result->{sqlstate}, '25006', "$what is refused");
	like($result->{err}, qr/cannot execute .* (in a read-only transaction|during recovery)/, 'and says why');
}
is(scalar $sim->requests, 0, 'no request went out');
is($sim->count($list), 350, 'the list is as it was');

# What a session keeps of its connections is its own.
reads("SELECT gc_fdw.disconnect('genesys')", '1');
reads("SELECT name FROM dnc_lists", 'Robinson');
reads('SELECT gc_fdw.stat_reset()');

# A change on the primary counts for the next statement.
$primary->safe_psql('postgres', "ALTER FOREIGN TABLE leads_search OPTIONS (SET scan_method 'ids')");
$primary->wait_for_catchup($standby, 'replay');
is($session->run('SELECT * FROM leads_search')->{sqlstate}, '0A000', 'an option that was changed on the primary');

# Once promoted it writes.
$standby->promote;
reads("INSERT INTO leads (k) VALUES ('promoted') RETURNING k", 'promoted');
is($sim->count($list), 351, 'once promoted it writes');

done_testing();

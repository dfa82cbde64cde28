# The worker's memory does not depend on how many rows an import has (DESIGN 4.6, U9).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep);

skip_unless_possible();

my $few = 50_000;
my $many = 500_000;
my $tolerance_kb = 4096;

my $sim = GcSim->new('--discard');
$sim->list('Leads', qw(Phone Key Name));
my $node = new_node('import_memory', "shared_preload_libraries = 'gc_fdw'", 'jit = off');
add_server($node, $sim, 'genesys', upload_url => $sim->url);
leads_table($node, 'leads', 'genesys', 'Leads');
my $session = GcSession->new($node);
plan skip_all => 'no /proc' unless defined rss_kb($session->pid);

sub worker { return $session->value("SELECT max(pid) FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker'") }

# send_by(METHOD, ROWS): an import; what became of it, and the greatest memory of its worker (kB).
# Whoever has no memory of its own any more is about to end.
sub send_by
{
	my ($method, $rows) = @_;
	my $import = $session->value("SELECT gc_fdw.submit_import('leads', 'SELECT ''K-'' || i AS k, repeat(''x'', 100) AS name "
		  . "FROM generate_series(1, $rows) i', method => '$method')");
	my $pid = await('a worker', \&worker);
	my ($peak, $looks) = (0, 0);

	while (my $kb = rss_kb($pid))
	{
		$peak = $kb if $kb > $peak;
		$looks++;
		sleep 0.002;
	}
	note "$method, $rows rows: $peak kB, the greatest of $looks looks";
	return ($session->value("SELECT state || ' ' || rows_accepted FROM gc_fdw.await_import($import, '1 min')"), $peak);
}

# An answer takes a moment, in which one can look.
$sim->set(latency_ms => 5);
for my $method (qw(contacts upload))
{
	my ($state, $least) = send_by($method, $few);
	is($state, "done $few", "$method: $few rows");
	($state, my $most) = send_by($method, $many);
	is($state, "done $many", "$method: $many rows");
  SKIP:
	{
		skip_sanitized();
		cmp_ok($most, '<', $least + $tolerance_kb, "$method: ten times the rows take the worker no more memory");
	}
}

$session->close;
$node->stop;
done_testing();

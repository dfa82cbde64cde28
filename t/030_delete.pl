# A large DELETE: what is left of the list shows that its contacts are gone, however far reads lag
# behind; cancels; requests and memory for 100,000.
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
my $node = new_node('delete', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', read_lag => '0');
leads_table($node, 'leads', 'genesys', 'Leads');

my $session = GcSession->new($node);
my $watcher = GcSession->new($node);
my $few = 6000;

# load(ROWS): and a few that stay.
sub load
{
	my ($rows) = @_;
	$session->run("INSERT INTO leads (k, name) SELECT 'G-' || g, 'gone' FROM generate_series(1, $rows) g");
	$session->run("INSERT INTO leads (k, name) SELECT 'S-' || g, 'stays' FROM generate_series(1, 300) g");
}

# Requests of the last statement: DELETEs, look-ups by id, exports asked for.
sub made { my ($pattern) = @_; return scalar $sim->requests($pattern) }

# DESIGN 3: a search or an export is asked for when it shows the last DELETE.
load($few);
$session->run("ALTER SERVER genesys OPTIONS (SET read_lag '3s')");
$sim->set(read_lag_ms => 2000);
await('searches to show what was loaded', sub { $watcher->value('SELECT count(*) FROM leads') == $few + 300 });
$sim->forget_requests;
my $result = $session->run("DELETE FROM leads WHERE name = 'gone'");
is($result->{sqlstate}, '00000', 'a DELETE while reads lag') or diag $result->{err};
my ($last) = map { $_->{at} } reverse $sim->requests(qr{^DELETE});
my ($export) = map { $_->{at} } $sim->requests(qr{^POST .*/export$});
cmp_ok($export - $last, '>=', 3, 'the export is asked for when read_lag has passed');
is(made(qr{^DELETE}), $few / 100, 'a hundred a request');
is(made(qr{^POST .*/bulk$}), 0, 'and nothing is looked up');

# Reads that lag for longer than that show contacts that are gone: these are looked up.
$sim->set(read_lag_ms => 0);
load($few);
$session->run("ALTER SERVER genesys OPTIONS (SET read_lag '0')");
$sim->set(read_lag_ms => 5000);
await('searches to show what was loaded', sub { $watcher->value('SELECT count(*) FROM leads') == $few + 300 });
$sim->forget_requests;
$result = $session->run("DELETE FROM leads WHERE name = 'gone'");
is($result->{sqlstate}, '00000', 'a DELETE while reads lag for longer than read_lag') or diag $result->{err};
note made(qr{^POST .*/bulk$}), ' look-ups';
$sim->set(read_lag_ms => 0);
is(scalar $sim->contacts($list), 300, 'they are gone');

# U1: a cancel while it waits for the lag is at once, and says that the contacts are in doubt.
load($few);
$session->run("ALTER SERVER genesys OPTIONS (SET read_lag '10s')");
$sim->forget_requests;
$session->start("DELETE FROM leads WHERE name = 'gone'");
await('the DELETEs', sub { made(qr{^DELETE}) == $few / 100 });
await_waiting($watcher, $session);
$watcher->run('SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->finish;
is($result->{sqlstate}, '57014', 'a cancel while it waits for the lag') or diag $result->{err};
like($result->{err}, qr/in doubt: $few\b/, 'the contacts are in doubt');
$session->run("ALTER SERVER genesys OPTIONS (SET read_lag '0')");

# 100,000 contacts: a thousand requests, and those of one export; memory is bounded by work_mem.
my $rows = 100_000;
load($rows);
$session->run("SET work_mem = '1MB'");
$sim->forget_requests;
my $before = rss_kb($session->pid);
my $peak = 0;
$session->start("DELETE FROM leads WHERE name = 'gone'");
await('the DELETE', sub {
	my $now = rss_kb($session->pid);
	$peak = $now if $now > $peak;
	return $watcher->value('SELECT state FROM pg_stat_activity WHERE pid = ' . $session->pid) eq 'idle';
}, 180);
$result = $session->finish;
is($result->{sqlstate}, '00000', "a DELETE of $rows") or diag $result->{err};
is(made(qr{^DELETE}), $rows / 100, 'a thousand requests');
is(made(qr{^POST .*/bulk$}), 0, 'nothing is looked up');
my ($first) = map { $_->{seq} } $sim->requests(qr{^DELETE});
cmp_ok(scalar(grep { $_->{seq} > $first } $sim->requests(qr{^(?!DELETE)})), '<=', 12, 'and a few for one export');
is(scalar $sim->contacts($list), 300, 'they are gone');
SKIP:
{
	skip_sanitized();
	note sprintf 'process: %d kB before, %d at most', $before, $peak;
	cmp_ok($peak, '<=', $before + 8 * 1024, 'its memory is bounded');
}

$_->close for $session, $watcher;
$node->stop;
done_testing();

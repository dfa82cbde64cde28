# on_duplicate: exports that lag behind writes, cancels, memory, and whoever writes in between.
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
my $node = new_node('duplicates', "shared_preload_libraries = 'gc_fdw'");
add_server($node, $sim, 'genesys', read_lag => '3s', max_retries => 1);
leads_table($node, 'leads', 'genesys', 'Leads');
leads_table($node, 'fresh', 'genesys', 'Leads', on_duplicate => 'ignore');
leads_table($node, 'exported', 'genesys', 'Leads', on_duplicate => 'ignore', scan_method => 'export');
leads_table($node, 'strict', 'genesys', 'Leads', on_duplicate => 'error');

my $writer = GcSession->new($node);
my $loader = GcSession->new($node);
$_->run("INSERT INTO leads (k, name) VALUES ('warm', 'n')") for $writer, $loader;

sub name_of { my ($id) = @_; return (map { $_->{data}{Name} } grep { $_->{id} eq $id } $sim->contacts($list))[0] }

# inserts(SQL, ROWS, WHAT)
sub inserts
{
	my ($sql, $rows, $what) = @_;
	my $result = $loader->run("DO \$\$ DECLARE n bigint; BEGIN $sql; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE 'rows: %', n; END \$\$");
	is($result->{sqlstate}, '00000', $what) or diag $result->{err};
	like($result->{err}, qr/rows: $rows$/m, "$what: rows");
	return $result;
}

# By id what another session wrote shows at once; an export is asked for when it does (H3).
$sim->set(read_lag_ms => 1500);
$writer->run("INSERT INTO leads (k, name) VALUES ('K-1', 'theirs'), ('K-2', 'theirs')");
inserts("INSERT INTO fresh (k, name) VALUES ('K-1', 'ours'), ('K-3', 'ours')", 1, 'by id, a moment after the write');
is(name_of('K-1'), 'theirs', 'what another session wrote stays');
$writer->run("INSERT INTO leads (k, name) VALUES ('K-4', 'theirs')");
my $from = $writer->started;
my $result = inserts("INSERT INTO exported (k, name) VALUES ('K-4', 'ours'), ('K-5', 'ours')", 1, 'by export, a moment after the write');
is(name_of('K-4'), 'theirs', 'what another session wrote stays, too');
cmp_ok($result->{at} - $from, '>=', 3, 'the export is asked for when read_lag has passed');

# A cancel meanwhile is at once, and nothing was sent.
$writer->run("INSERT INTO leads (k, name) VALUES ('K-6', 'theirs')");
$sim->forget_requests;
$loader->start("INSERT INTO exported (k, name) VALUES ('K-7', 'ours')");
await_waiting($writer, $loader);
$writer->run('SELECT pg_cancel_backend(' . $loader->pid . ')');
$result = $loader->finish;
is($result->{sqlstate}, '57014', 'a cancel while it waits for the lag') or diag $result->{err};
cmp_ok($result->{seconds}, '<', 2.5, 'is served at once');
is(scalar $sim->requests(qr{^POST}), 0, 'and nothing was sent');
$sim->set(read_lag_ms => 0);

# A look-up that fails, or whose answer is about others, fails the statement before anything is sent.
for my $case ([ 'HV000', status => 200, body => '[{"id":"somebody"}]' ], [ 'HV000', status => 200, body => '{' ], [ '22023', status => 400 ])
{
	my ($sqlstate, %fault) = @$case;
	$sim->forget_requests;
	$sim->faults({ path => '*/bulk', %fault });
	$result = $loader->run("INSERT INTO strict (k) VALUES ('K-8'), ('K-9')");
	is($result->{sqlstate}, $sqlstate, 'a look-up that fails') or diag $result->{err};
	like($result->{err}, qr/accepted: 0, in doubt: 0, not sent: 2/, 'with the counts');
	is(scalar $sim->requests(qr{^POST .*/contacts$}), 0, 'and nothing was sent');
}
$sim->faults;

# Somebody else inserts a contact between the look and the POST.  It is overwritten, which the
# platform cannot prevent; the echo tells where the contact is some seconds older.
my $theirs = {
	path  => '/_sim/contacts',
	body => { listId => $list, id => 'K-10', data => { Key => 'K-10', Name => 'theirs' } } };
$sim->faults({ path => '*/contacts', method => 'POST', calls_before => [$theirs] });
inserts("INSERT INTO fresh (k, name) VALUES ('K-10', 'ours')", 1, 'ignore: a contact that comes in between');
is(name_of('K-10'), 'ours', 'is updated');
$sim->faults;

# A lost answer is no duplicate: the POST is repeated, and the contact is as old as the first attempt.
$sim->faults({ path => '*/contacts', method => 'POST', drop => 'after', nth => 1 });
inserts("INSERT INTO strict (k, name) VALUES ('K-11', 'ours')", 1, 'error: a POST whose answer is lost');
$sim->faults;

# Memory: half of it is there already, all of it waits on disk.
my $rows = 50000;
$loader->run("INSERT INTO leads (k, name) SELECT 'M-' || g, repeat('x', 200) FROM generate_series(1, $rows, 2) g");
$loader->run("SET work_mem = '1MB'");
$writer->run("ALTER SERVER genesys OPTIONS (SET read_lag '0')");
inserts("INSERT INTO exported (k, name) SELECT 'm-' || g, 'x' FROM generate_series(1, 2000) g", 2000, 'a small load');
my $before = rss_kb($loader->pid);
my $peak = 0;
$loader->start("INSERT INTO exported (k, name) SELECT 'M-' || g, repeat('y', 200) FROM generate_series(1, $rows) g");
await('the load', sub {
	my $now = rss_kb($loader->pid);
	$peak = $now if $now > $peak;
	return $writer->value('SELECT state FROM pg_stat_activity WHERE pid = ' . $loader->pid) eq 'idle';
}, 120);
is($loader->finish->{sqlstate}, '00000', "$rows rows that wait");
is(scalar(grep { $_->{id} =~ /^M-/ && $_->{data}{Name} =~ /^y/ } $sim->contacts($list)), $rows / 2, 'those that are new are there, the others as they were');
SKIP:
{
	skip_sanitized();
	note sprintf 'process: %d kB before, %d at most', $before, $peak;
	cmp_ok($peak, '<=', $before + 8 * 1024, 'its memory is bounded by work_mem');
}

$_->close for $writer, $loader;
$node->stop;
done_testing();

# Ten thousand statements that are cancelled in one session, wherever they are, leave no
# descriptor, memory, thread or connection behind, and nobody in the line of the quota
# (U1, U9, DESIGN 4.1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $statements = 10000;
my $sim = GcSim->new(qw(--client slow secret));
my %lists = map { $_ => $sim->list($_, qw(Phone Key Name)) } qw(Silent Busy Slow);
my $node = new_shimmed_node('leaks');
add_server($node, $sim, 'usual');
add_server($node, $sim, 'limited', requests_per_minute => 1, client => 'slow');
add_server($node, $sim, 'nameless', login_url => 'https://x.stall.test', max_retries => 0);
leads_table($node, 'silent', 'usual', 'Silent', batch_size => 2);
leads_table($node, 'busy', 'usual', 'Busy', batch_size => 2);
leads_table($node, 'slow', 'usual', 'Slow', batch_size => 2);
leads_table($node, 'limited', 'limited', 'Silent', batch_size => 2);
leads_table($node, 'nameless', 'nameless', 'Silent');

my $base = open_sockets($sim->pid);
my $session = GcSession->new($node);
my $other = GcSession->new($node);
plan skip_all => 'no /proc' unless defined open_sockets($session->pid);

# A list is known from then on, and its reads and writes do not end.
$session->value("SELECT 1 FROM $_ LIMIT 1; SELECT 1") for qw(silent busy slow);
$sim->faults(
	{ path => "/$lists{Silent}/contacts", stall => \1 },
	{ path => "/$lists{Busy}/contacts", status => 503, headers => { 'Retry-After' => '60' } },
	{ path => "/$lists{Slow}/contacts", bytes_per_second => 20 });
$session->value($_) for 'SET log_min_messages = fatal', 'SET log_min_error_statement = fatal', "SET log_statement = 'none'",
  'SET client_min_messages = error', 'CREATE SEQUENCE caught', "SELECT nextval('caught')", "SET statement_timeout = '2ms'";

# Five requests in flight, or one.
my @what = map { ("INSERT INTO $_ (k) SELECT 'c' || i FROM generate_series(1, 9) i", "SELECT * FROM $_") } qw(silent busy slow limited);
my @how = (
	sub { "$_[0];" },
	sub { "BEGIN; SAVEPOINT s; $_[0]; ROLLBACK TO s; COMMIT;" },
	sub { my $sql = $_[0] =~ s/^SELECT/PERFORM/r; "DO 'BEGIN $sql; EXCEPTION WHEN query_canceled THEN PERFORM nextval(''caught''); END';" =~ s/'c'/''c''/r },
	sub { "BEGIN; DECLARE c CURSOR FOR SELECT 1; SAVEPOINT s; $_[0]; ROLLBACK TO s; COMMIT;" },
);

# Runs so many, and tells how many of them were cancelled.
sub cancelled
{
	my ($count, @kinds) = @_;
	my $caught = $session->value('SELECT last_value FROM caught');
	my $seen = 0;

	while ($count > 0)
	{
		my @some = map { $how[ $_ % @how ]->($kinds[ ($_ / @how) % @kinds ]) } 1 .. ($count < 200 ? $count : 200);
		my $result = $session->run(join "\n", @some);
		$seen += () = $result->{err} =~ /canceling statement due to statement timeout/g;
		$count -= @some;
	}
	return $seen + $session->value('SELECT last_value FROM caught') - $caught;
}

# What there is at the moment, once the other side has noticed.
sub left
{
	my $pid = $session->pid;
	await('the simulator sees the connections closed', sub { $sim->state->{in_flight} == 0 });
	return {
		sockets => open_sockets($pid),
		descriptors => descriptors($pid),
		threads => tasks($pid),
		contexts => context_bytes($session),
		own => $session->value("SELECT count(*) || ' of ' || sum(total_bytes) FROM pg_backend_memory_contexts WHERE name LIKE 'gc_fdw%'"),
		rss => rss_kb($pid),
		waiters => $other->value('SELECT sum(waiters) FROM gc_fdw.rate_limits'),
	};
}

# With no connection kept: descriptors of the session's, and of the simulator's.
sub idle
{
	my $theirs = open_sockets($sim->pid);
	$session->run('SELECT gc_fdw.disconnect()');
	my $ours = open_sockets($session->pid);
	await('the simulator sees them closed', sub { open_sockets($sim->pid) == $base });
	return { sockets => $ours, simulator => open_sockets($sim->pid), kept => $theirs - open_sockets($sim->pid) };
}

is(cancelled(160, @what), 160, 'the first statements are cancelled');
my $before = left();
my $idle_before = idle();
my $from = time;
my $number = cancelled($statements, @what);
cmp_ok($number, '>=', 0.99 * $statements, 'so are ten thousand more');
note sprintf '%d cancelled in %.1f s', $number, time - $from;
cmp_ok($sim->fault_hits, '>', $statements / 10, 'many of them with requests in flight');
my $after = left();
my $idle_after = idle();
note join ', ', map { "$_: $before->{$_} to $after->{$_}" } sort keys %$after;

is($after->{threads}, 1, 'no thread is left');
is($after->{waiters}, 0, 'nobody is left in line');
my ($own, $bytes) = split / of /, $after->{own};
my ($own_before, $bytes_before) = split / of /, $before->{own};
is($own, $own_before, "there are as many memory contexts of the extension's own as before");
cmp_ok($bytes, '<=', $bytes_before, 'and they have not grown');
cmp_ok($after->{contexts}, '<=', $before->{contexts} + 16384, 'memory contexts do not grow');
cmp_ok($idle_after->{kept}, '<=', 5, 'no more connections are kept than a statement had');
is($idle_after->{simulator}, $idle_before->{simulator}, 'without these, the simulator has none');
is($idle_after->{sockets}, $idle_before->{sockets}, 'and the session no socket');
cmp_ok($after->{descriptors} - $after->{sockets}, '<=', $before->{descriptors} - $before->{sockets} + 20, 'no other descriptor for each statement is left open');
SKIP:
{
	skip_sanitized();
	cmp_ok($after->{rss}, '<=', $before->{rss} + 1024, 'the process does not grow');
}

# A name look-up cannot be stopped: its thread ends when the system's resolver returns.
# There are never more than a bound of them, beyond which a statement fails as if there was
# no connection.
cmp_ok(cancelled(400, 'SELECT * FROM nameless'), '>', 100, 'name look-ups are cancelled');
my $threads = tasks($session->pid);
cmp_ok($threads, '<=', 1 + 128 + 1, 'not all of their threads are left behind');
$session->run('SET statement_timeout = 0');
my $result = $session->run('SELECT * FROM nameless');
SKIP:
{
	skip 'this libcurl leaves no threads behind', 2 if $threads <= 100;
	is($result->{sqlstate}, '08001', 'one more look-up: SQLSTATE');
	like($result->{err}, qr/too many name look-ups of cancelled statements/, 'one more look-up: the message');
}
answer_names();
ok(await('their threads end', sub { tasks($session->pid) == 1 }), 'threads end with the look-ups');
$result = $session->run('SELECT * FROM nameless');
unlike($result->{err}, qr/too many name look-ups/, 'and there are look-ups again');
is(idle()->{sockets}, $idle_after->{sockets}, 'no descriptor of a look-up is left open');

$sim->faults;
is($session->run("INSERT INTO silent (k) VALUES ('after')")->{sqlstate}, '00000', 'and the session works');

$session->close;
$other->close;
$node->stop;
done_testing();

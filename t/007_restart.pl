# Shutdowns, kills and DDL while statements are at work: backends end promptly, and a
# rerun with a key leaves each contact there once (D2, U13, DESIGN 3, 4.1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('restart', 'restart_after_crash = on');
add_server($node, $sim, 'genesys', batch_size => 10, max_in_flight => 1);
leads_table($node, 'leads', 'genesys', 'Leads');

my $posts = qr{/contacts$};

# The keys k1 … kN of a run, each how often; '40 x 1' is right.
sub stored
{
	my ($prefix) = @_;
	my %times;
	$times{$_}++ for grep { /^$prefix\d/ } $sim->contact_ids($list);
	my %by_times;
	$by_times{$_}++ for values %times;
	return join ', ', map { "$by_times{$_} x $_" } sort keys %by_times;
}

sub insert_sql
{
	my ($prefix) = @_;
	return "INSERT INTO leads (k, name) SELECT '$prefix' || i, 'n' || i FROM generate_series(1, 40) i";
}

# A session in the middle of an INSERT whose second batch gets no answer.
sub stuck_insert
{
	my ($prefix) = @_;
	my $session = GcSession->new($node);
	$session->run('SELECT 1 FROM leads LIMIT 1');
	$sim->faults({ path => '/contacts', method => 'POST', nth => 2, stall => \1, effect => \1 });
	$sim->forget_requests;
	$session->start(insert_sql($prefix));
	await('the second batch', sub { $sim->requests($posts) == 2 });
	return $session;
}

sub stuck_select
{
	my $session = GcSession->new($node);
	$session->run('SELECT 1 FROM leads LIMIT 1');
	$sim->faults({ path => '/search', stall => \1 });
	$sim->forget_requests;
	$session->start('SELECT count(k) FROM leads');
	await('the search', sub { $sim->requests(qr{/search$}) == 1 });
	return $session;
}

# A run that was cut off, made whole by running it again.
sub run_again
{
	my ($prefix, $what) = @_;
	$sim->faults;
	cmp_ok(scalar(grep { /^$prefix\d/ } $sim->contact_ids($list)), '>=', 10, "$what: part of it was sent");
	my $session = GcSession->new($node);
	my $result = $session->run(insert_sql($prefix));
	is($result->{sqlstate}, '00000', "$what: run again") or diag $result->{err};
	is(stored($prefix), '40 x 1', "$what: every row once");
	is($session->run("SELECT count(*), count(DISTINCT k) FROM leads WHERE k ~ '^$prefix\\d'")->{out}, '40|40', "$what: as SELECT sees it");
	my %name = map { $_->{id} => $_->{data}{Name} } $sim->contacts($list);
	is(join(',', grep { $name{"$prefix$_"} ne "n$_" } 1 .. 40), '', "$what: and right");
	return;
}

# kill -9 of a backend in the middle of an INSERT: the server recovers, a rerun heals.
my $session = stuck_insert('backend');
my $pid = $session->pid;
is(kill('KILL', $pid), 1, 'a backend is killed');
my $result = $session->finish;
ok($result->{closed}, 'its client learns of it');
await('recovery', sub {
	$node->psql('postgres', 'SELECT 1', on_error_stop => 0) == 0 && !is_alive($pid);
});
run_again('backend', 'kill -9 of a backend');

# Fast shutdown does not wait for statements that wait.
my %stuck = (INSERT => stuck_insert('fast'), SELECT => stuck_select());
my $from = time;
$node->stop('fast');
my $took = time - $from;
cmp_ok($took, '<', 5, 'fast shutdown is prompt');
note sprintf 'fast shutdown during an INSERT and a SELECT: %.0f ms', 1000 * $took;
for my $verb (sort keys %stuck)
{
	like($stuck{$verb}->finish->{err}, qr/FATAL: .*terminating connection due to administrator command/,
		"fast shutdown during $verb: its words");
}
$node->start;
run_again('fast', 'fast shutdown');

# Smart shutdown lets it end by itself.
$session = GcSession->new($node);
$session->run('SELECT 1 FROM leads LIMIT 1');
$sim->faults({ path => '/contacts', method => 'POST', nth => 2, delay_ms => 500 });
$sim->forget_requests;
$session->start(insert_sql('smart'));
await('the second batch', sub { $sim->requests($posts) == 2 });
kill 'TERM', $node->{_pid};
$result = $session->finish;
is($result->{sqlstate}, '00000', 'smart shutdown: the statement ends');
is(stored('smart'), '40 x 1', 'smart shutdown: every row once');
$session->close;
await('the shutdown', sub { !-e $node->data_dir . '/postmaster.pid' });
$node->{_pid} = undef;
$node->start;

# When the postmaster dies, backends that wait notice at once.
my @stuck = (stuck_insert('orphan'), stuck_select());
my @pids = map { $_->pid } @stuck;
$from = time;
kill 'KILL', $node->{_pid};
ok(await('the backends end', sub { !grep { is_alive($_) } @pids }), 'backends end when the postmaster dies');
cmp_ok(time - $from, '<', 5, 'promptly');
note sprintf 'postmaster death to the end of the last backend: %.0f ms', 1000 * (time - $from);
ok($_->finish->{closed}, 'and clients learn of it') for @stuck;
$node->{_pid} = undef;
await('all of it ends', sub {
	# The next start needs the shared memory to be free.
	run_log([ 'pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, 'start' ]);
});
$node->_update_pid(1);
run_again('orphan', 'postmaster death');

# Objects that another session uses are dropped, made anew, and used.
my $user = GcSession->new($node);
my $owner = GcSession->new($node);
$user->run('SELECT 1 FROM leads LIMIT 1');
$sim->faults({ path => '/search', stall => \1 });
$sim->forget_requests;
$user->start('SELECT 1 FROM leads LIMIT 1');
await('the search', sub { $sim->requests(qr{/search$}) == 1 });
$result = $owner->run("SET lock_timeout = '200ms'; DROP SERVER genesys CASCADE");
is($result->{sqlstate}, '55P03', 'DROP SERVER waits for a statement at work');
$result = $owner->run("ALTER SERVER genesys OPTIONS (SET batch_size '20')");
is($result->{sqlstate}, '00000', 'ALTER SERVER does not');
$result = $owner->run("ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_secret 'secret')");
is($result->{sqlstate}, '00000', 'nor ALTER USER MAPPING');
$owner->run('SELECT pg_cancel_backend(' . $user->pid . ')');
is($user->finish->{sqlstate}, '57014', 'the statement can still be cancelled');
$sim->faults;
is($user->run('SELECT count(*) > 0 FROM leads')->{out}, 't', 'and the next one has the new options');

my $setup = sub {
	add_server($node, $sim, 'genesys', @_);
	leads_table($node, 'leads', 'genesys', 'Leads');
};
is($owner->run('RESET lock_timeout; DROP SERVER genesys CASCADE')->{sqlstate}, '00000', 'DROP SERVER');
is($user->run('SELECT 1 FROM leads LIMIT 1')->{sqlstate}, '42P01', 'gone for the other session');
$setup->();
is($user->run('SELECT count(*) > 0 FROM leads')->{out}, 't', 'a server of the same name works there');
is($owner->run('DROP EXTENSION gc_fdw CASCADE')->{sqlstate}, '00000', 'DROP EXTENSION');
is($user->run('SELECT 1 FROM leads LIMIT 1')->{sqlstate}, '42P01', 'gone for the other session');
is($user->run("INSERT INTO leads (k) VALUES ('x')")->{sqlstate}, '42P01', 'also for INSERT');
$owner->run('CREATE EXTENSION gc_fdw');
$setup->();
is($user->run('SELECT count(*) > 0 FROM leads')->{out}, 't', 'and there again');

# Credentials that change take effect with the next statement of a session that is connected.
$owner->run("ALTER USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (SET client_secret 'wrong')");
is($user->run('SELECT 1 FROM leads LIMIT 1')->{sqlstate}, '28000', 'a changed secret is used at once');
$owner->run('DROP USER MAPPING FOR CURRENT_USER SERVER genesys');
is($user->run('SELECT 1 FROM leads LIMIT 1')->{sqlstate}, '42704', 'a dropped mapping too');

$_->close for $user, $owner;

# Without a postmaster, too.
$node->safe_psql('postgres', "CREATE USER MAPPING FOR CURRENT_USER SERVER genesys OPTIONS (client_id 'id', client_secret 'secret')");
$node->stop;
SKIP:
{
	skip 'a server without pg_ctl has no sanitizers loaded', 1 if $ENV{GC_SANITIZE};
	my $statements = "INSERT INTO leads (k) VALUES ('alone')\nSELECT contact_id FROM leads WHERE k = 'alone'\n";
	my ($said, $complaints) = ('', '');
	IPC::Run::run([ 'postgres', '--single', '-D', $node->data_dir, 'postgres' ], '<', \$statements, '>', \$said, '2>', \$complaints);
	like($said, qr/contact_id = "alone"/, 'single-user mode writes and reads') or diag $complaints;
}
done_testing();

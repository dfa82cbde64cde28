# A cancel, statement_timeout and a terminate take effect in every phase of an INSERT
# and of a SELECT, with PostgreSQL's own words, and leave nothing behind (U1, DESIGN 4.1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use List::Util qw(max);
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new(qw(--client slow secret));
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('cancel');
my $control = GcSession->new($node);

my $silent = GcSim::silent_port();
my ($full, @waiting) = GcSim::full_port();
my %servers = (
	usual => {},
	limited => { requests_per_minute => 1, client => 'slow' },
	silent_port => { login_url => 'https://127.0.0.1:' . $silent->sockport },
	$full ? (full_port => { login_url => 'http://127.0.0.1:' . $full->sockport }) : (),
);
for my $name (sort keys %servers)
{
	add_server($node, $sim, $name, %{ $servers{$name} });
	leads_table($node, "leads_$name", $name, 'Leads', batch_size => 2);
}

my $posts = qr{^POST .*/contacts$};
my $searches = qr{^POST .*/contacts/search$};

sub recorded
{
	my ($pattern) = @_;
	return sub { scalar($sim->requests($pattern)) >= 1 };
}

# What to make go wrong, and how it shows that the phase is reached.
my @phases = (
	[ 'connecting', 'full_port', [], undef ],
	[ 'TLS handshake', 'silent_port', [], undef ],
	[ 'token call', 'usual', [ { path => '/oauth/token', stall => \1 } ], recorded(qr{/oauth/token}), 'no token' ],
	[ 'before the reply', 'usual', [ { path => '/contacts', stall => \1 } ], recorded(qr{/contacts}) ],
	[
		'inside the reply', 'usual', [ { path => '/contacts', bytes_per_second => 20 } ],
		sub { grep { $_->{status} == 200 } $sim->requests(qr{/contacts}) }
	],
	[
		'backing off', 'usual',
		[ { path => '/contacts', status => 503, headers => { 'Retry-After' => '60' } } ],
		sub { grep { $_->{status} == 503 } $sim->requests(qr{/contacts}) }
	],
	[ 'waiting for the quota', 'limited', [], undef ],
);
my %statements = (
	INSERT => "INSERT INTO leads_%s (k) SELECT 'c' || i FROM generate_series(1, 3) i",
	SELECT => 'SELECT count(*) FROM leads_%s',
);

my %ways = (
	cancel => {
		act => sub { $control->value('SELECT pg_cancel_backend(' . $_[0]->pid . ')') },
		sqlstate => '57014',
		message => qr/ERROR: .*canceling statement due to user request/,
	},
	timeout => {
		before => "SET statement_timeout = '150ms'",
		sqlstate => '57014',
		message => qr/ERROR: .*canceling statement due to statement timeout/,
	},
	terminate => {
		act => sub { $control->value('SELECT pg_terminate_backend(' . $_[0]->pid . ')') },
		message => qr/FATAL: .*57P01: terminating connection due to administrator command/,
	},
);

my $session = GcSession->new($node);
my %latencies;

sub check_phase
{
	my ($phase, $verb, $way) = @_;
	my ($what, $server, $faults, $reached) = @$phase;
	my $how = $ways{$way};
	my $name = "$way of $verb, $what";

	# A session that has spoken to the server, but for phases that come before.
	$session->run('\set VERBOSITY verbose');
	$session->run('SELECT gc_fdw.disconnect()');
	$session->run('SELECT 1 FROM leads_usual LIMIT 1') if @$faults && $what ne 'token call';
	$sim->faults(@$faults);
	$sim->forget_requests;
	$session->run($how->{before}) if $how->{before};
	my $from = time;
	$session->start(sprintf $statements{$verb}, $server);
	if ($how->{act})
	{
		await($name, $reached) if $reached;
		await_waiting($control, $session);
		$from = time;
		$how->{act}->($session);
	}
	else
	{
		$from += 0.150;
	}
	my $result = $session->finish(30);
	push @{ $latencies{$what}{$way} }, $result->{at} - $from;
	like($result->{err}, $how->{message}, "$name: PostgreSQL's own words");
	is($result->{sqlstate}, $how->{sqlstate}, "$name: SQLSTATE") if $how->{sqlstate};
	cmp_ok($result->{at} - $from, '<', 2, "$name: soon");

	$sim->faults;
	if ($result->{closed})
	{
		$session = GcSession->new($node);
		return;
	}
	$session->run('RESET statement_timeout');
	is($session->run('SELECT count(*) >= 0 FROM leads_usual')->{out}, 't', "$name: the session goes on");
}

for my $phase (@phases)
{
  SKIP:
	{
		skip "no port without room for a connection", 1 if $phase->[1] eq 'full_port' && !$full;
		for my $way (qw(cancel timeout terminate))
		{
			check_phase($phase, $_, $way) for qw(INSERT SELECT);
		}
	}
}

note 'from the cancel to the error, ms, INSERT and SELECT';
my @all;
for my $phase (@phases)
{
	my $by_way = $latencies{ $phase->[0] } // next;
	note sprintf '%-22s %s', $phase->[0], join ', ', map {
		my $way = $_;
		push @all, @{ $by_way->{$way} };
		sprintf '%s %s', $way, join ' ', map { sprintf '%.1f', 1000 * $_ } @{ $by_way->{$way} }
	} qw(cancel timeout terminate);
}
@all = sort { $a <=> $b } @all;
diag sprintf 'from the cancel to the error: median %.1f ms, longest %.1f ms', 1000 * $all[ @all / 2 ], 1000 * $all[-1];
cmp_ok($all[ @all / 2 ], '<', 0.25, 'within 250 ms, all but on a busy machine');

# The WARNING after a cancel has the three counts.  One request at a time: the first
# batch is accepted before the second goes out, and the third is never sent.
add_server($node, $sim, 'one_by_one', max_in_flight => 1);
leads_table($node, 'leads_one', 'one_by_one', 'Leads', batch_size => 10);
$sim->faults({ path => '/contacts', nth => 2, stall => \1 });
$sim->forget_requests;
$session->run('\set VERBOSITY default');
$session->start("INSERT INTO leads_one (k) SELECT 'w' || i FROM generate_series(1, 25) i");
await('the second batch', sub { $sim->requests($posts) == 2 });
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
my $result = $session->finish;
like($result->{err}, qr/WARNING: .*contact list "Leads" stays there after the rollback/, 'a WARNING about what was sent');
is(counts_in($result->{err}), '10/10/5', 'and its counts');

# The same where the statement stands inside a block, and is caught.
$sim->faults({ path => '/contacts', nth => 2, stall => \1 });
$sim->forget_requests;
$session->start(<<'SQL');
DO $$
BEGIN
  SET LOCAL statement_timeout = 0;
  INSERT INTO leads_one (k) SELECT 'x' || i FROM generate_series(1, 25) i;
EXCEPTION WHEN query_canceled THEN
  RAISE NOTICE 'caught %', SQLSTATE;
END $$
SQL
await('the second batch', sub { $sim->requests($posts) == 2 });
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->finish;
like($result->{err}, qr/WARNING: .*stays there after the rollback.*\n.*NOTICE:  caught 57014/s, 'a caught cancel WARNs too');
is(counts_in($result->{err}), '10/10/5', 'and counts');
$sim->faults;
is($session->run("INSERT INTO leads_one (k) VALUES ('after')")->{sqlstate}, '00000', 'the session goes on');

# Many cancels leave no socket open, and no memory behind.
SKIP:
{
	skip 'no /proc', 3 unless defined open_sockets($session->pid);
	my $rounds = sub {
		my ($count) = @_;
		my %seen;
		$sim->faults({ path => '/contacts', stall => \1 });
		for (1 .. $count)
		{
			$seen{ $session->run($_)->{sqlstate} }++
				for "INSERT INTO leads_usual (k) SELECT 'y' || i FROM generate_series(1, 9) i", 'SELECT * FROM leads_usual';
		}
		$sim->faults;
		return join ',', keys %seen;
	};

	$session->run("SET statement_timeout = '15ms'");
	$rounds->(5);
	my $sockets = open_sockets($session->pid);
	my $bytes = context_bytes($session);
	my $rss = rss_kb($session->pid);
	is($rounds->(50), '57014', 'a hundred cancels');
	cmp_ok(open_sockets($session->pid), '<=', $sockets, 'no socket is left open');
	cmp_ok(context_bytes($session), '<=', $bytes + 8192, 'no memory context grows');
	SKIP:
	{
		skip_sanitized();
		cmp_ok(rss_kb($session->pid), '<=', $rss + 1024, 'the process does not grow');
	}
	note sprintf 'open sockets %d to %d, memory %d to %d kB', $sockets, open_sockets($session->pid), $rss, rss_kb($session->pid);
	await('the simulator sees them closed', sub { $sim->state->{in_flight} == 0 });
	is($sim->state->{in_flight}, 0, 'no request is left behind');
}

$session->close;
$control->close;
$node->stop;
done_testing();

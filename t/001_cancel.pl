# A cancel, statement_timeout, Ctrl-C and a terminate take effect in every phase of an
# INSERT and of a SELECT, name look-ups included, with PostgreSQL's own words, and leave
# nothing behind (U1, DESIGN 4.1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcPhases;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

skip_unless_possible();

my $sim = GcSim->new(qw(--client slow secret));
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_shimmed_node('cancel');
my $phases = GcPhases->new($node, $sim);
my $control = GcSession->new($node);
my $posts = qr{^POST .*/contacts$};

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
	'Ctrl-C' => {
		# psql ends then, having shown the error.
		act => sub { $_[0]->interrupt },
		closed => 1,
		message => qr/ERROR: .*57014: canceling statement due to user request/,
	},
	terminate => {
		act => sub { $control->value('SELECT pg_terminate_backend(' . $_[0]->pid . ')') },
		closed => 1,
		message => qr/FATAL: .*57P01: terminating connection due to administrator command/,
	},
);

my $session = GcSession->new($node);
my %latencies;

sub check_phase
{
	my ($phase, $verb, $way) = @_;
	my $how = $ways{$way};
	my $name = "$way of $verb, $phase->{what}";

	$phases->begin($session, $phase, $verb, '\set VERBOSITY verbose', $how->{before} // ());
	my $from = $session->started + 0.150;
	if ($how->{act})
	{
		$phases->reach($control, $session, $phase);
		$from = time;
		$how->{act}->($session);
	}
	my $result = $session->finish(30);
	push @{ $latencies{ $phase->{what} }{$way} }, $result->{at} - $from;
	like($result->{err}, $how->{message}, "$name: PostgreSQL's own words");
	is($result->{sqlstate}, $how->{sqlstate}, "$name: SQLSTATE") if $how->{sqlstate};
	cmp_ok($result->{at} - $from, '<', 2, "$name: soon");
	is($result->{closed}, $how->{closed} // 0, "$name: the session is as it should be");

	$sim->faults;
	if ($result->{closed})
	{
		my $pid = $session->pid;
		await("$name: the backend ends", sub { !is_alive($pid) });
		$session = GcSession->new($node);
		return;
	}
	$session->run('RESET statement_timeout');
	is($session->run('SELECT count(k) >= 0 FROM leads_usual')->{out}, 't', "$name: the session goes on");
}

for my $phase ($phases->all)
{
	for my $way (sort keys %ways)
	{
		check_phase($phase, $_, $way) for $phases->verbs($phase);
	}
}
is($control->value("SELECT sum(waiters) FROM gc_fdw.rate_limits"), '0', 'nobody is left in the line of the quota');

note 'from the cancel to the error, ms, INSERT and SELECT';
my @all;
for my $phase ($phases->all)
{
	my $by_way = $latencies{ $phase->{what} };
	note sprintf '%-22s %s', $phase->{what}, join ', ', map {
		my $way = $_;
		push @all, @{ $by_way->{$way} };
		sprintf '%s %s', $way, join ' ', map { sprintf '%.1f', 1000 * $_ } @{ $by_way->{$way} }
	} sort keys %ways;
}
@all = sort { $a <=> $b } @all;
diag sprintf 'from the cancel to the error: median %.1f ms, longest %.1f ms', 1000 * $all[ @all / 2 ], 1000 * $all[-1];
cmp_ok($all[ @all / 2 ], '<', 0.25, 'within 250 ms, all but on a busy machine');

# A connection whose answer is still to come is closed; others are used again.
for my $case (
	[ 'before the reply', 0 ],
	[ 'inside the reply', 0 ],
	[ 'backing off', 1 ])
{
	my ($what, $kept) = @$case;
	my ($phase) = $phases->named($what);

	$phases->begin($session, $phase, 'SELECT');
	$phases->reach($control, $session, $phase);
	my ($before) = map { $_->{connection} } $sim->requests(qr{/search});
	$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
	$session->finish;
	$sim->faults;
	$sim->forget_requests;
	$session->run('SELECT count(k) FROM leads_usual');
	my ($after) = map { $_->{connection} } $sim->requests(qr{/search});
	is($after == $before ? 1 : 0, $kept, "cancel, $what: the connection is " . ($kept ? 'kept' : 'not used again'));
}

# Of two requests on the wire one is answered: its connection stays, the other's does not.
add_server($node, $sim, 'two', max_in_flight => 2);
leads_table($node, 'leads_two', 'two', 'Leads', batch_size => 10);
$session->run('SELECT 1 FROM leads_two LIMIT 1');
$sim->faults({ path => '/contacts', nth => 2, stall => \1 }, { path => '/contacts', delay_ms => 100 });
$sim->forget_requests;
$session->start("INSERT INTO leads_two (k) SELECT 'v' || i FROM generate_series(1, 20) i");
await('one of two answers', sub { $sim->requests($posts) == 2 && grep { $_->{status} == 200 } $sim->requests($posts) });
await_waiting($control, $session);
my %connections = map { $_->{status} => $_->{connection} } $sim->requests($posts);
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$session->finish;
$sim->faults;
$sim->forget_requests;
$session->run('SELECT count(k) FROM leads_two');
my %used = map { $_->{connection} => 1 } $sim->requests(qr{/search});
ok(!$used{ $connections{0} }, 'two on the wire: the connection in doubt is not used again');
is(join(',', keys %used), $connections{200}, 'two on the wire: the other one is');

# A cursor that was opened before a savepoint and fails inside it gives up its place in line
# when the savepoint is rolled back to, not when the transaction ends.
$session->run('BEGIN; DECLARE c CURSOR FOR SELECT * FROM leads_limited; SAVEPOINT s');
$session->start('FETCH c');
ok(await('a cursor stands in line', sub { $control->value('SELECT sum(waiters) FROM gc_fdw.rate_limits') eq '1' }),
	'a cursor stands in line');
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
is($session->finish->{sqlstate}, '57014', 'a cursor in a savepoint: cancelled');
is($session->run('ROLLBACK TO s')->{sqlstate}, '00000', 'a cursor in a savepoint: rolled back to');
is($control->value('SELECT sum(waiters) FROM gc_fdw.rate_limits'), '0', 'a cursor in a savepoint: nobody is in line');
$session->run('COMMIT');

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
like($result->{err}, qr/WARNING: .*contact list "Leads" is not undone by the rollback/, 'a WARNING about what was sent');
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
like($result->{err}, qr/WARNING: .*is not undone by the rollback.*\n.*NOTICE:  caught 57014/s, 'a caught cancel WARNs too');
is(counts_in($result->{err}), '10/10/5', 'and counts');
$sim->faults;
is($session->run("INSERT INTO leads_one (k) VALUES ('after')")->{sqlstate}, '00000', 'the session goes on');

# Between the two calls that take an entry out of a DNC list and put it back without its date: the error says what is out, and
# contact_audit has which (H4).
$sim->call('POST', '/_sim/dnclists', { id => 'robinson', name => 'Robinson' });
$session->value("CREATE FOREIGN TABLE robinson (entry text, expires_at timestamptz) SERVER one_by_one OPTIONS (object 'dnc_entries', dnc_list_id 'robinson')");
$session->value("INSERT INTO robinson VALUES ('+6002', '2031-01-01')");
$sim->faults({ method => 'PATCH', path => '/phonenumbers', nth => 2, stall => \1 });
$sim->forget_requests;
$session->start("UPDATE robinson SET expires_at = NULL WHERE entry = '+6002'");
await('the second call', sub { $sim->requests(qr{^PATCH .*/phonenumbers$}) == 2 });
$control->value('SELECT pg_cancel_backend(' . $session->pid . ')');
$result = $session->finish;
like($result->{err}, qr/WARNING: .*DNC list "Robinson" is not undone.*in doubt: 1,/s, 'a cancelled UPDATE of an entry WARNs');
like($result->{err}, qr/CONTEXT:  entries taken out of DNC list "Robinson" to lose their dates, and perhaps not back: 1;/, '… and says what is out');
my $audited = q{SELECT string_agg(concat_ws(' ', old_value, '->', new_value), ', ' ORDER BY id) FROM gc_fdw.contact_audit WHERE contact_id = '+6002'};
ok(await('it is noted', sub { $control->value($audited) =~ /removed/ }), '… which is in contact_audit');
like($control->value($audited), qr/^-> listed until 2031-\S+, listed -> removed$/, '… as removed') or diag $control->value($audited);
$sim->faults;

$session->close;
$control->close;
$node->stop;
done_testing();

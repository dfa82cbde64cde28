# Wherever statements wait, name look-ups included: the server shuts down, backends end with
# the postmaster, and what needs every backend's attention, like DROP DATABASE, is not held
# up by them (U1, DESIGN 4.1).
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
my $node = new_shimmed_node('ends');
my $phases = GcPhases->new($node, $sim);

# Those that need no fault of the simulator, and one of each pair that needs one.
my @without = grep { !$_->{faults} } $phases->all;
my %together = (
	'before the reply' => [ @without, $phases->named('before the reply') ],
	'backing off' => [ @without, $phases->named('backing off') ],
	'inside the reply' => [ @without, $phases->named('inside the reply') ],
);

# One session in each of these phases: [session, what it is at].
sub begin_all
{
	my ($control, @phases) = @_;
	my @begun;

	for my $phase (@phases)
	{
		for my $verb ($phases->verbs($phase))
		{
			my $session = GcSession->new($node);
			$session->run('SELECT 1 FROM leads_limited LIMIT 0') if $phase->{server} eq 'limited';
			$phases->begin($session, $phase, $verb);
			$phases->reach($control, $session, $phase);
			push @begun, [ $session, "$verb, $phase->{what}" ];
		}
	}
	return @begun;
}

# A statement that is not attended to would hold up a DROP DATABASE for ever.
my $control = GcSession->new($node);
my @begun = begin_all($control, @{ $together{'before the reply'} });
$control->run('CREATE DATABASE other');
my $result = $control->run('DROP DATABASE other', 20);
is($result->{sqlstate}, '00000', 'DROP DATABASE while statements wait');
cmp_ok($result->{seconds}, '<', 5, 'DROP DATABASE is not held up');
for my $one (@begun)
{
	my ($session, $what) = @$one;
	my $pid = $session->pid;
	is($control->value("SELECT state FROM pg_stat_activity WHERE pid = $pid"), 'active', "DROP DATABASE: $what goes on");
	$control->value("SELECT pg_cancel_backend($pid)");
	is($session->finish->{sqlstate}, '57014', "DROP DATABASE: $what can be cancelled");
	$session->close;
}
is($control->value('SELECT sum(waiters) FROM gc_fdw.rate_limits'), '0', 'nobody is left in line');

@begun = begin_all($control, @{ $together{'backing off'} });
$control->close;
my $from = time;
$node->stop('fast');
cmp_ok(time - $from, '<', 5, 'fast shutdown is prompt');
note sprintf 'fast shutdown with %d statements at work: %.0f ms', scalar @begun, 1000 * (time - $from);
like($_->[0]->finish->{err}, qr/FATAL: .*terminating connection due to administrator command/, "fast shutdown: $_->[1]") for @begun;
shimmed(sub { $node->start });

$control = GcSession->new($node);
@begun = begin_all($control, @{ $together{'inside the reply'} });
my @pids = map { $_->[0]->pid } @begun;
$from = time;
kill 'KILL', $node->{_pid};
ok(await('the backends end', sub { !grep { is_alive($_) } @pids }), 'backends end with the postmaster');
cmp_ok(time - $from, '<', 5, 'promptly');
note sprintf 'postmaster death with %d statements at work: %.0f ms', scalar @begun, 1000 * (time - $from);
ok($_->[0]->finish->{closed}, "postmaster death: $_->[1]") for @begun;
$node->{_pid} = undef;

done_testing();

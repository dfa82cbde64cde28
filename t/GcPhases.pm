# Where a statement can be when it is cut off: servers and faults that hold it there, and
# how a test sees that it has come so far.
package GcPhases;

use strict;
use warnings;

use GcTest;
use GcSim;

my %statements = (
	INSERT => "INSERT INTO leads_%s (k, name) SELECT 'c' || i, repeat('x', 300) FROM generate_series(1, 3) i",
	SELECT => 'SELECT count(k) FROM leads_%s',
);

# new(NODE, SIM): the simulator knows a client "slow" and a list "Leads".
sub new
{
	my ($class, $node, $sim) = @_;
	my $self = bless { sim => $sim, silent => GcSim::silent_port(), unread => GcSim::Unread->new }, $class;
	my ($full, @waiting) = GcSim::full_port();
	@$self{qw(full waiting)} = ($full, \@waiting);
	my $local = '127.0.0.1';
	my %servers = (
		usual => {},
		limited => { requests_per_minute => 1, client => 'slow' },
		nameless => { login_url => 'https://x.stall.test' },
		silent => { login_url => "https://$local:" . $self->{silent}->sockport },
		unread => { api_url => "http://$local:" . $self->{unread}->port },
		$full ? (full_port => { login_url => "http://$local:" . $full->sockport }) : (),
	);
	for my $name (sort keys %servers)
	{
		# Batches of two rows, but for the one that no buffer of the kernel's holds.
		add_server($node, $sim, $name, connect_timeout => '60s', %{ $servers{$name} });
		leads_table($node, "leads_$name", $name, 'Leads', batch_size => $name eq 'unread' ? 1000 : 2);
	}
	return $self;
}

# recorded(SIM, PATTERN[, STATUS]): a request that came, or was answered so.
sub recorded
{
	my ($sim, $pattern, $status) = @_;
	return sub { scalar grep { !$status || $_->{status} == $status } $sim->requests($pattern) };
}

my %unavailable = (path => '/contacts', status => 503, headers => { 'Retry-After' => '60' });

# Of each: the server, faults, how it shows that the phase is reached, whether a session
# has spoken to that server before.
sub all
{
	my ($self) = @_;
	my $sim = $self->{sim};
	my @all = (
		{ what => 'name look-up', server => 'nameless' },
		{ what => 'connecting', server => 'full_port' },
		{ what => 'TLS handshake', server => 'silent' },
		{ what => 'token call', server => 'usual', faults => [ { path => '/oauth/token', stall => \1 } ],
			reached => recorded($sim, qr{/oauth/token}) },
		{ what => 'sending', server => 'unread', verbs => ['INSERT'], reached => sub { $self->{unread}->posts } },
		{ what => 'before the reply', server => 'usual', known => 1, faults => [ { path => '/contacts', stall => \1 } ],
			reached => recorded($sim, qr{/contacts}) },
		{ what => 'inside the reply', server => 'usual', known => 1,
			faults => [ { path => '/contacts', bytes_per_second => 20 } ], reached => recorded($sim, qr{/contacts}, 200) },
		{ what => 'backing off', server => 'usual', known => 1, faults => [ \%unavailable ],
			reached => recorded($sim, qr{/contacts}, 503) },
		{ what => 'waiting for the quota', server => 'limited' },
	);
	return grep { $_->{server} ne 'full_port' || $self->{full} } @all;
}

sub named
{
	my ($self, @names) = @_;
	my %by_name = map { $_->{what} => $_ } $self->all;
	return map { $by_name{$_} // die "no phase $_" } @names;
}

sub verbs { my ($self, $phase) = @_; return @{ $phase->{verbs} // [qw(INSERT SELECT)] } }

# begin(SESSION, PHASE, VERB): prepares the session and starts the statement.
sub begin
{
	my ($self, $session, $phase, $verb, @before) = @_;
	my $sql = sprintf $statements{$verb}, $phase->{server};

	$self->{sim}->faults;
	$session->run('SELECT gc_fdw.disconnect()');
	$session->run('SELECT 1 FROM leads_usual LIMIT 1') if $phase->{known};
	$self->{unread}->forget;
	$self->{sim}->faults(@{ $phase->{faults} // [] });
	$self->{sim}->forget_requests;
	$session->run($_) for @before;
	$sql =~ s/, 3\)/, 1000)/ if $phase->{server} eq 'unread';
	$session->start($sql);
	return;
}

# reach(ASKED, SESSION, PHASE): until the statement is there, by the word of the other side
# and of the server.
sub reach
{
	my ($self, $asked, $session, $phase) = @_;
	await("$phase->{what}: reached", $phase->{reached}) if $phase->{reached};
	await_waiting($asked, $session);
	return;
}

1;

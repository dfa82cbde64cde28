# A proxy for tests: demands Basic credentials, tunnels on CONNECT, forwards plain http,
# and notes what passed.  A process for each connection; ended by its pid.
package GcProxy;

use strict;
use warnings;

use File::Temp ();
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use PostgreSQL::Test::Utils ();

my %running;

# new(USER, PASSWORD)
sub new
{
	my ($class, $user, $password) = @_;
	my $self = bless {
		dir => File::Temp->newdir(),
		basic => 'Basic ' . encode_base64("$user:$password", ''),
		socket => IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => 0) // die("no port: $!"),
	}, $class;

	$self->forget;
	my $test = $$;
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		$SIG{CHLD} = 'IGNORE';
		$SIG{TERM} = 'DEFAULT';
		while (1)
		{
			my $client = $self->{socket}->accept or next;
			my $child = fork // next;
			next if $child;
			eval { $self->_serve($client) };
			POSIX::_exit(0);
		}
	}
	$self->{pid} = $pid;
	$running{$pid} = $test;
	return $self;
}

sub port { return $_[0]{socket}->sockport }
sub url { return 'http://127.0.0.1:' . $_[0]->port }

# Answers every request with that status instead; undef: no more.
sub answer { my ($self, $status) = @_; $self->_write('answer', '>', $status // ''); return }

# What it was asked for since forget(): "METHOD TARGET STATUS", oldest first.
sub passed { return split /\n/, PostgreSQL::Test::Utils::slurp_file("$_[0]{dir}/passed") }

# All that went through it in the clear, and what was said to it.
sub traffic { return PostgreSQL::Test::Utils::slurp_file("$_[0]{dir}/traffic") }

sub forget { my ($self) = @_; $self->_write($_, '>', '') for qw(passed traffic answer); return }

sub _write
{
	my ($self, $name, $mode, $text) = @_;
	open my $out, $mode, "$self->{dir}/$name" or die "$name: $!";
	syswrite $out, $text;
	close $out;
	return;
}

sub _serve
{
	my ($self, $client) = @_;
	my $head = '';

	until ($head =~ /\r\n\r\n/)
	{
		sysread $client, $head, 65536, length $head or return;
	}
	$self->_write('traffic', '>>', $head);
	my ($method, $target) = $head =~ /^(\S+) (\S+)/;
	my ($credentials) = $head =~ /^Proxy-Authorization: (.*)\r$/mi;
	my $answer = PostgreSQL::Test::Utils::slurp_file("$self->{dir}/answer");
	my $status = $answer ? $answer : ($credentials // '') eq $self->{basic} ? 200 : 407;

	$self->_write('passed', '>>', "$method $target $status\n");
	if ($status != 200)
	{
		my $challenge = $status == 407 ? qq(Proxy-Authenticate: Basic realm="test"\r\n) : '';
		syswrite $client, "HTTP/1.1 $status No\r\n${challenge}Content-Length: 0\r\nConnection: close\r\n\r\n";
		# What is still on its way is read, lest a reset overtake the answer.
		shutdown $client, 1;
		1 while sysread $client, my $rest, 65536;
		return;
	}
	return $self->_tunnel($client, $target) if $method eq 'CONNECT';
	return $self->_forward($client, $target, $head);
}

sub _tunnel
{
	my ($self, $client, $target) = @_;
	my $server = IO::Socket::INET->new(PeerAddr => $target) or return;
	syswrite $client, "HTTP/1.1 200 Connection established\r\n\r\n";
	return $self->_pump($client, $server, 0);
}

# One request a connection, so that every one of them is asked for credentials.
sub _forward
{
	my ($self, $client, $target, $request) = @_;
	my ($host) = $target =~ m{^http://([^/]+)};
	my $server = IO::Socket::INET->new(PeerAddr => $host) or return;

	$request =~ s{^(\S+) http://[^/]+}{$1 };
	$request =~ s{^Proxy-[^\n]*\n}{}mgi;
	$request =~ s{\r\n\r\n}{\r\nConnection: close\r\n\r\n};
	syswrite $server, $request;
	return $self->_pump($client, $server, 1);
}

# Until either side closes.
sub _pump
{
	my ($self, $client, $server, $note) = @_;
	my $select = IO::Select->new($client, $server);

	while (1)
	{
		for my $from ($select->can_read)
		{
			my $to = $from == $client ? $server : $client;
			sysread $from, my $bytes, 65536 or return;
			$self->_write('traffic', '>>', $bytes) if $note;
			while (length $bytes)
			{
				my $sent = syswrite $to, $bytes or return;
				substr $bytes, 0, $sent, '';
			}
		}
	}
}

sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;
	local $?;
	kill 'TERM', $pid;
	waitpid $pid, 0;
	delete $running{$pid};
	return;
}

sub DESTROY
{
	my ($self) = @_;
	$self->stop if $self->{pid} && ($running{ $self->{pid} } // 0) == $$;
	return;
}

END
{
	local $?;
	for my $pid (grep { $running{$_} == $$ } keys %running)
	{
		kill 'TERM', $pid;
		waitpid $pid, 0;
	}
}

1;

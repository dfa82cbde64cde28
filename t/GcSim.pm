# A simulator of its own for a test: started on a free port of loopback, steered
# and asked through its control paths, ended by its pid.
package GcSim;

use strict;
use warnings;

use File::Temp ();
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use JSON::PP;
use POSIX ();
use PostgreSQL::Test::Utils ();
use Time::HiRes qw(sleep time);

my %running;

# Why there can be none, or undef.
sub missing
{
	return 'GC_SIM does not name the simulator' unless $ENV{GC_SIM} && -x $ENV{GC_SIM};
	return undef;
}

# new(ARGUMENT...): arguments of gc_sim, but for --port.  It speaks the dialect that GC_DIALECT names.
sub new
{
	my ($class, @args) = @_;
	unshift @args, '--set', 'rate_headers=xratelimit' if ($ENV{GC_DIALECT} // '') eq 'jobs';
	my $self = bless {
		args => [@args],
		port => 0,
		tls => scalar(grep { $_ eq '--tls' } @args),
		dir => File::Temp->newdir(),
		http => HTTP::Tiny->new(timeout => 20, keep_alive => 0),
		json => JSON::PP->new->utf8->canonical,
	}, $class;

	return $self->start;
}

# Starts it, on the port it had before, if any.
sub start
{
	my ($self) = @_;
	my $log = "$self->{dir}/log";
	my $test = $$;

	unlink $log;
	my $pid = fork // die "fork: $!";

	if ($pid == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', $log;
		open STDERR, '>>', $log;
		exec $ENV{GC_SIM}, '--port', $self->{port}, @{ $self->{args} } or POSIX::_exit(127);
	}
	$self->{pid} = $pid;
	$running{$pid} = $test;
	my $until = time + 20;
	while (time < $until)
	{
		my $text = -e $log ? PostgreSQL::Test::Utils::slurp_file($log) : '';
		if ($text =~ /listening on (\S+:(\d+))\n/)
		{
			($self->{url}, $self->{port}) = ($1, $2);
			return $self;
		}
		die "the simulator did not start: $text" if waitpid($pid, 1) == $pid;
		sleep 0.01;
	}
	die 'the simulator did not start in time';
}

# stop(SIGNAL): ends it; the port is kept for start().
sub stop
{
	my ($self, $signal) = @_;
	my $pid = delete $self->{pid} // return;

	kill $signal // 'TERM', $pid;
	my $status = do { local $?; waitpid $pid, 0; $? };
	delete $running{$pid};
	return $status;
}

sub url { return $_[0]{url} }
sub port { return $_[0]{port} }
sub pid { return $_[0]{pid} }

# The same port by another name of the host.
sub url_at
{
	my ($self, $host) = @_;
	return ($self->{tls} ? 'https' : 'http') . "://$host:$self->{port}";
}

# call(METHOD, PATH[, DATA]): a control path; returns what it answered, decoded.
sub call
{
	my ($self, $method, $path, $data) = @_;
	my $body = defined $data ? $self->{json}->encode($data) : undef;
	my ($status, $text);

	if ($self->{tls})
	{
		# Certificates are the extension's to check; this is only the remote control.
		my $file = "$self->{dir}/body";
		open my $fh, '>', $file or die "$file: $!";
		print $fh $body // '';
		close $fh;
		my @send = defined $body ? ('--data-binary', "\@$file", '-H', 'Content-Type: application/json') : ();
		open my $curl, '-|', 'curl', '-sk', '--max-time', 20, '-X', $method, '-w', "\n%{http_code}", @send,
			"$self->{url}$path"
			or die "curl: $!";
		$text = do { local $/; <$curl> };
		{ local $?; close $curl; }
		($text, $status) = $text =~ /^(.*)\n(\d+)$/s or die "no answer to $method $path";
	}
	else
	{
		my %send = defined $body ? (content => $body, headers => { 'Content-Type' => 'application/json' }) : ();
		my $reply = $self->{http}->request($method, "$self->{url}$path", \%send);
		($status, $text) = @$reply{qw(status content)};
	}
	die "$method $path: $status $text" if $status != 200;
	return $self->{json}->decode($text);
}

# token(): one that the simulator hands out; api(METHOD, PATH[, DATA]): a call of somebody
# else's, below /api/v2, and its answer; file(PATH): one that can be downloaded there.
sub token
{
	my ($self) = @_;
	my $login = $self->{http}->post_form("$self->{url}/oauth/token", { grant_type => 'client_credentials' },
		{ headers => { Authorization => 'Basic aWQ6c2VjcmV0' } });
	return $self->{json}->decode($login->{content})->{access_token};
}

sub api
{
	my ($self, $method, $path, $data) = @_;
	my %send = defined $data ? (content => $self->{json}->encode($data)) : ();
	my $reply = $self->{http}->request($method, "$self->{url}/api/v2$path",
		{ headers => { Authorization => 'Bearer ' . $self->token, 'Content-Type' => 'application/json' }, %send });
	die "$method $path: $reply->{status} $reply->{content}" if $reply->{status} != 200;
	return $self->{json}->decode($reply->{content});
}

sub file
{
	my ($self, $path) = @_;
	my $where = $self->api('GET', "$path?issueRedirect=false")->{url};
	return $self->{http}->get($where)->{content};
}

# list(NAME, COLUMN...): makes a list, whose first column is a phone; returns its id.
sub list
{
	my ($self, $name, @columns) = @_;
	my $list = $self->call('POST', '/_sim/lists', {
		name => $name,
		columnNames => [@columns],
		phoneColumns => [{ columnName => $columns[0], type => 'cell' }],
	});
	return $list->{id};
}

# faults(FAULT...): in place of those before.
sub faults
{
	my ($self, @faults) = @_;
	$self->call('POST', '/_sim/faults', [@faults]);
	return;
}

sub fault_hits
{
	my ($self) = @_;
	my $hits = 0;
	$hits += $_->{hits} for @{ $self->call('GET', '/_sim/faults') };
	return $hits;
}

# set(SWITCH => VALUE...)
sub set
{
	my ($self, %switches) = @_;
	return $self->call('POST', '/_sim/set', \%switches);
}

sub state { return $_[0]->call('GET', '/_sim/state') }

# requests([PATTERN]): those recorded whose "METHOD path" matches, oldest first.
sub requests
{
	my ($self, $pattern) = @_;
	my $all = $self->call('GET', '/_sim/requests');
	return grep { !defined $pattern || "$_->{method} $_->{path}" =~ $pattern } @$all;
}

sub forget_requests { $_[0]->call('DELETE', '/_sim/requests'); return }

# contacts(LIST ID): each as the platform has it, in its order.
sub contacts
{
	my ($self, $list) = @_;
	return @{ $self->call('GET', "/_sim/contacts?listId=$list") };
}

sub contact_ids { my ($self, $list) = @_; return map { $_->{id} } $self->contacts($list) }

# count(LIST ID): the number of contacts that a checksum counts.
sub count { my ($self, $list) = @_; return $self->call('GET', "/_sim/checksum?listId=$list")->{count} }

# A port that connects and then never says a word; and one that does not even connect.
sub silent_port
{
	my $socket = IO::Socket::INET->new(Listen => 64, LocalAddr => '127.0.0.1', LocalPort => 0)
		// die "no silent port: $!";
	return $socket;
}

sub full_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0)
		// die "no full port: $!";
	my @waiting;

	# The queue of a socket that accepts nobody holds a few; the next one waits.
	for (1 .. 64)
	{
		my $client = IO::Socket::INET->new(
			PeerAddr => '127.0.0.1', PeerPort => $socket->sockport, Timeout => 0.2);
		return ($socket, @waiting) unless $client;
		push @waiting, $client;
	}
	return;
}

# A peer that answers for one contact list, and never reads what is sent to it beyond
# the head of a POST.  Little fits into the buffers between it and the sender.
package GcSim::Unread
{
	use Socket qw(IPPROTO_TCP SOL_SOCKET SO_RCVBUF TCP_MAXSEG);

	sub new
	{
		my ($class) = @_;
		my $socket = GcSim::silent_port();
		my $self = bless { socket => $socket, dir => File::Temp->newdir(), test => $$ }, $class;

		setsockopt $socket, SOL_SOCKET, SO_RCVBUF, 4096;
		setsockopt $socket, IPPROTO_TCP, TCP_MAXSEG, 536;
		$self->{pid} = fork // die "fork: $!";
		return $self if $self->{pid};
		$self->serve;
		POSIX::_exit(0);
	}

	sub serve
	{
		my ($self) = @_;
		my $json = '{"id":"00000000-0000-4000-8000-000000000001","name":"Leads","columnNames":["Phone","Key","Name"],'
		  . '"phoneColumns":[{"columnName":"Phone","type":"cell"}]}';
		my $page = qq({"entities":[$json],"total":1,"pageNumber":1,"pageCount":1,"pageSize":100});
		my $select = IO::Select->new($self->{socket});
		my (%heads, @unread);

		while (my @ready = $select->can_read)
		{
			for my $peer (@ready)
			{
				if ($peer == $self->{socket})
				{
					$select->add(scalar $peer->accept);
					next;
				}
				my $read = sysread $peer, $heads{$peer}, 1, length($heads{$peer} //= '');
				$select->remove($peer) unless $read;
				next unless $heads{$peer} =~ /^(\w+) .*\r\n\r\n\z/s;
				if ($1 eq 'POST')
				{
					$select->remove($peer);
					push @unread, $peer;
					open my $fh, '>>', "$self->{dir}/posts" or die "posts: $!";
					syswrite $fh, '.';
					next;
				}
				syswrite $peer, sprintf "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", length $page, $page;
				$heads{$peer} = '';
			}
		}
		return;
	}

	sub port { return $_[0]{socket}->sockport }
	sub posts { return -s "$_[0]{dir}/posts" // 0 }
	sub forget { unlink "$_[0]{dir}/posts"; return }

	sub DESTROY
	{
		my ($self) = @_;
		local $?;
		return if $self->{test} != $$;
		kill 'TERM', $self->{pid};
		waitpid $self->{pid}, 0;
		return;
	}
}

# A port that nobody listens on.
sub closed_port
{
	my $socket = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1', LocalPort => 0);
	my $port = $socket->sockport;
	close $socket;
	return $port;
}

sub DESTROY
{
	my ($self) = @_;
	local $?;
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

# A session with the server that a test can leave waiting: one psql, fed and read
# through pipes.  Tells SQLSTATEs, and when each statement ended.
package GcSession;

use strict;
use warnings;

use IO::Select;
use IPC::Open3;
use Symbol qw(gensym);
use Time::HiRes qw(time);

# new(NODE, dbname => …, user => …)
sub new
{
	my ($class, $node, %options) = @_;
	my $self = bless { number => 0 }, $class;
	my $err = gensym;
	local $ENV{PGAPPNAME} = $options{name} // 'test';
	my @user = defined $options{user} ? ('-U', $options{user}) : ();

	$self->{psql} = open3(my $in, my $out, $err, 'psql', '-XAtq', @user, '-v', 'ON_ERROR_STOP=0',
		'-d', $node->connstr($options{dbname} // 'postgres'));
	@$self{qw(in out err)} = ($in, $out, $err);
	$in->autoflush(1);
	$_->blocking(0) for $out, $err;
	$self->{pid} = $self->run('SELECT pg_backend_pid()')->{out};
	die "no connection: $self->{last}{err}" unless $self->{pid};
	return $self;
}

# The backend's.
sub pid { return $_[0]{pid} }

# When what runs was started.
sub started { return $_[0]{started} }

# Ctrl-C.
sub interrupt { my ($self) = @_; kill 'INT', $self->{psql}; return }

# start(SQL): sends it and returns at once.
sub start
{
	my ($self, $sql) = @_;
	my $mark = '-- done ' . ++$self->{number};

	die 'the session is busy' if $self->{mark};
	$sql .= ';' unless $sql =~ /^\\|(;|\\\.)\s*\z/;
	local $SIG{PIPE} = 'IGNORE';
	@$self{qw(mark text_out text_err started)} = ($mark, '', '', time);
	print { $self->{in} } "$sql\n\\echo '$mark' :SQLSTATE\n\\warn '$mark'\n";
	return $self;
}

# finish([SECONDS]): waits for the end.  Returns {out, err, sqlstate, seconds, at, closed};
# "at" is when it was seen to end.
sub finish
{
	my ($self, $limit) = @_;
	my $until = time + ($limit // 60);
	my $mark = $self->{mark} // die 'nothing was started';
	my $select = IO::Select->new(@$self{qw(out err)});
	my $closed = 0;

	until ($closed || ($self->{text_out} =~ /^\Q$mark\E \w*\n/m && $self->{text_err} =~ /^\Q$mark\E\n/m))
	{
		my $left = $until - time;
		die "no end after $limit s: $self->{text_out}$self->{text_err}" if $left <= 0;
		for my $handle ($select->can_read($left))
		{
			my $text = $handle == $self->{out} ? 'text_out' : 'text_err';
			my $read = sysread $handle, $self->{$text}, 65536, length $self->{$text};
			$select->remove($handle) if defined $read && $read == 0;
		}
		$closed = 1 unless $select->count;
	}
	my $at = time;
	my %result = (at => $at, seconds => $at - $self->{started}, closed => $closed);
	$result{sqlstate} = $self->{text_out} =~ s/^\Q$mark\E (\w*)\n//m ? $1 : '';
	$self->{text_err} =~ s/^\Q$mark\E\n//m;
	@result{qw(out err)} = @$self{qw(text_out text_err)};
	chomp $result{out};
	$self->{mark} = undef;
	return $self->{last} = \%result;
}

# run(SQL): start and finish.
sub run
{
	my ($self, $sql, $limit) = @_;
	return $self->start($sql)->finish($limit);
}

# The text of what a query gives; dies if it fails.
sub value
{
	my ($self, $sql) = @_;
	my $result = $self->run($sql);
	die "$sql: $result->{err}" if $result->{sqlstate} ne '00000';
	return $result->{out};
}

sub close
{
	my ($self) = @_;
	my $psql = delete $self->{psql} // return;
	local ($?, $!);

	close $self->{in};
	close $_ for grep { $_ } @$self{qw(out err)};
	waitpid $psql, 0;
	return;
}

sub DESTROY { my ($self) = @_; local $@; eval { $self->close }; return }

1;

# What the tests have in common: a cluster with the extension, a server that leads
# to a simulator, polling, and looking at a backend from outside.
package GcTest;

use strict;
use warnings;

use Cwd qw(abs_path);
use Exporter qw(import);
use Fcntl qw(O_CREAT O_WRONLY);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

use GcSession;
use GcSim;

our @EXPORT = qw(
  skip_unless_possible skip_sanitized dialect part_path new_node new_shimmed_node new_database add_server leads_table
  await await_waiting await_recovery paced is_alive shimmed jump_clock stall_names answer_names fill_disk free_disk
  counts_in explained open_sockets descriptors tasks rss_kb context_bytes slurp_log
);

# Ends the test file, as skipped, where it cannot run.
sub skip_unless_possible
{
	my $missing = GcSim::missing();
	plan skip_all => $missing if $missing;
	return;
}

# Skips one test of a process's size: the sanitizer keeps what is freed for a while.
sub skip_sanitized
{
	skip 'the size of a process says nothing under the sanitizers', 1 if $ENV{GC_SANITIZE};
	return;
}

# No process of a server crashes, whatever a test does to it.
my @nodes;

END
{
	for my $node (@nodes)
	{
		next unless -e $node->logfile && slurp_log($node) =~ /(.*was terminated by signal (?:4|6|7|8|11)\b.*)/;
		diag('a process of ' . $node->name . " crashed: $1");
		$? ||= 1;
	}
}

# new_node(NAME, SETTING...): a running cluster.  TEMP_CONFIG tells where the
# extension is, if it is not installed in the system's place.
sub new_node
{
	my ($name, @settings) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	push @nodes, $node;
	$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8', '--no-sync' ]);
	$node->append_conf('postgresql.conf', join "\n", 'fsync = off', 'max_connections = 30', @settings);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION gc_fdw');
	return $node;
}

# Where t/shim.c reads by how much the time of day is off, and whether names are stalled or disks full.
my $shim_dir = abs_path(PostgreSQL::Test::Utils::tempdir());
my $clock = "$shim_dir/clock";
my $stall = "$shim_dir/stall";
my $full = "$shim_dir/full";

# new_shimmed_node(NAME, SETTING...): the same, with t/shim.c in all its processes, and
# the quota shared by them.
sub new_shimmed_node
{
	my ($name, @settings) = @_;
	my $shim = "$shim_dir/shim.so";

	system('cc', '-O2', '-shared', '-fPIC', '-o', $shim, "$FindBin::Bin/shim.c", '-ldl') == 0
	  or die 'the shim does not build';
	jump_clock(0);
	stall_names();
	return shimmed(sub { new_node($name, "shared_preload_libraries = 'gc_fdw'", @settings) });
}

# shimmed(SUB): what is started by it has the shim.
sub shimmed
{
	my ($sub) = @_;
	local @ENV{qw(LD_PRELOAD GC_SHIM_CLOCK GC_SHIM_STALL GC_SHIM_FULL)} =
	  (join(' ', $ENV{LD_PRELOAD} // (), "$shim_dir/shim.so"), $clock, $stall, $full);
	return $sub->();
}

# Names below .stall.test: looked up without end, from now on; or all are answered.
sub stall_names { PostgreSQL::Test::Utils::append_to_file($stall, ''); return }
sub answer_names { unlink $stall; return }

# Tables of shimmed nodes cannot grow from now on; or they can.
sub fill_disk { PostgreSQL::Test::Utils::append_to_file($full, ''); return }
sub free_disk { unlink $full; return }

# jump_clock(SECONDS): the time of day in shimmed nodes is off by so much.
sub jump_clock
{
	my ($seconds) = @_;

	# Written in place, at once: it is mapped.
	sysopen my $fh, $clock, O_WRONLY | O_CREAT or die "$clock: $!";
	syswrite $fh, pack 'q', $seconds;
	close $fh;
	return;
}

# The dialect that the tests are run for.
sub dialect { return $ENV{GC_DIALECT} || 'platform' }

# The POSTs by which parts of an import go, unless it says how: contacts, or the jobs of dialect "jobs".
sub part_path { return dialect() eq 'jobs' ? '*/outbound/lists/*/contacts/bulk' : '*/contacts' }

# new_database(NODE, NAME, ENCODING)
sub new_database
{
	my ($node, $name, $encoding) = @_;
	$node->safe_psql('postgres',
		"CREATE DATABASE $name ENCODING '$encoding' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
	$node->safe_psql($name, 'CREATE EXTENSION gc_fdw');
	return;
}

# add_server(NODE, SIM, NAME, OPTION => VALUE...): a server and the user's mapping.  No
# smoothing and no read_lag unless asked for, and a list that is written to is looked at once; of the
# dialect that GC_DIALECT names.  Takes "dbname" and "client" (an id of the simulator's) too.
sub add_server
{
	my ($node, $sim, $name, %options) = @_;
	my $dbname = delete $options{dbname} // 'postgres';
	my $client = delete $options{client} // 'id';
	my %all = (requests_per_second => 0, requests_per_minute => 1000000, jitter => 0, read_lag => 0, list_freshness => '1h',
		dialect => dialect(), %options);

	$all{api_url} //= $sim->url;
	$all{login_url} //= $sim->url;
	my $list = join ', ', map { "$_ '$all{$_}'" } grep { defined $all{$_} } sort keys %all;
	$node->safe_psql($dbname, <<"SQL");
CREATE SERVER $name FOREIGN DATA WRAPPER gc_fdw OPTIONS ($list);
CREATE USER MAPPING FOR CURRENT_USER SERVER $name OPTIONS (client_id '$client', client_secret 'secret');
SQL
	return;
}

# leads_table(NODE, TABLE, SERVER, LIST NAME, OPTION => VALUE...): over a list with the
# columns Phone, Key, Name.
sub leads_table
{
	my ($node, $table, $server, $list, %options) = @_;
	my $dbname = delete $options{dbname} // 'postgres';
	my %all = (object => 'contacts', list_name => $list, key => 'k', %options);
	my $text = join ', ', map { "$_ '$all{$_}'" } grep { defined $all{$_} } sort keys %all;

	$node->safe_psql($dbname, <<"SQL");
CREATE FOREIGN TABLE $table (
  contact_id text OPTIONS (attribute 'id'),
  k text OPTIONS (field 'Key'),
  phone text OPTIONS (field 'Phone'),
  name text OPTIONS (field 'Name')
) SERVER $server OPTIONS ($text);
SQL
	return;
}

# await(WHAT, SUB[, SECONDS]): polls until it is true; fails the test if it never is.
sub await
{
	my ($what, $sub, $limit) = @_;
	my $until = time + ($limit // 20);

	while (time < $until)
	{
		my $result = $sub->();
		return $result if $result;
		sleep 0.005;
	}
	fail "$what: not in time";
	return 0;
}

# await_waiting(SESSION ASKED, SESSION): until that backend waits in the extension.
sub await_waiting
{
	my ($asked, $session) = @_;
	my $pid = $session->pid;
	return await("backend $pid waits", sub {
		$asked->value("SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid") eq 't';
	});
}

# await_recovery(NODE, FROM): until the server is back after a crash, which came when its log
# was FROM bytes long; a session with it.
sub await_recovery
{
	my ($node, $from) = @_;
	await('the server is back', sub { substr(slurp_log($node), $from) =~ /database system is ready to accept connections/ });
	return GcSession->new($node);
}

# A process that has ended may be there until somebody asks for its status.
sub is_alive
{
	my ($process) = @_;
	return kill 0, $process unless -r '/proc/self/stat';
	open my $fh, '<', "/proc/$process/stat" or return 0;
	return (<$fh> // '') !~ /\) [ZX]/;
}

# paced(SECONDS, WHAT, REQUEST...): requests that should be so far apart are so over any
# eight of them.  Who was woken late is made up for, by a tenth of a second at most.
sub paced
{
	my ($distance, $what, @requests) = @_;
	my @at = map { $_->{at} } @requests;
	my $steps = @at > 8 ? 8 : $#at;
	my ($least) = sort { $a <=> $b } map { $at[ $_ + $steps ] - $at[$_] } 0 .. $#at - $steps;

	return cmp_ok($least // 0, '>=', $steps * $distance - 0.11, $what) || diag "@at";
}

# The three counts in a message: "accepted/in doubt/not sent".
sub counts_in
{
	my ($text) = @_;
	return $text =~ /Contacts accepted: (\d+), in doubt: (\d+), not sent: (\d+)\./ ? "$1/$2/$3" : 'none';
}

# explained(RESULT): EXPLAIN's properties as a hash.
sub explained
{
	my ($result) = @_;
	return { $result->{out} =~ /^ *([A-Z][A-Za-z ]+): (\S.*)$/mg };
}

# tasks(PID): how many threads it has; undef where there is no /proc.
sub tasks
{
	my ($pid) = @_;
	opendir my $dir, "/proc/$pid/task" or return undef;
	return scalar grep { /^\d/ } readdir $dir;
}

# Sockets, epolls and timers; undef where there is no /proc.  Files come and go with
# the tables that a backend looks at.
sub open_sockets
{
	my ($pid) = @_;
	opendir my $dir, "/proc/$pid/fd" or return undef;
	return scalar grep { (readlink "/proc/$pid/fd/$_" // '') =~ /^(socket|anon_inode):/ } readdir $dir;
}

# Of every kind.
sub descriptors
{
	my ($pid) = @_;
	opendir my $dir, "/proc/$pid/fd" or return undef;
	return scalar grep { /^\d/ } readdir $dir;
}

sub rss_kb
{
	my ($pid) = @_;
	open my $fh, '<', "/proc/$pid/status" or return undef;
	return (map { /^RssAnon:\s+(\d+)/ ? $1 : () } <$fh>)[0];
}

# What the backend's memory contexts hold, by its own account.
sub context_bytes
{
	my ($session) = @_;
	return $session->value('SELECT sum(total_bytes) FROM pg_backend_memory_contexts');
}

sub slurp_log { my ($node) = @_; return PostgreSQL::Test::Utils::slurp_file($node->logfile) }

1;

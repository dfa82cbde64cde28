# Lists below an Append are read side by side: their requests overlap, what one of them
# waits for holds up no other, and every wait wakes up when it should and for nothing
# else (DESIGN 4.1, 4.4, U1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use List::Util qw(max);
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my @lists = ('A' .. 'D');
my $sim = GcSim->new(map { ('--client', $_, 'secret') } qw(paced closed));
my %id = map { $_ => $sim->list("List $_", qw(Phone Key Name)) } @lists, 'Target';
my $node = new_node('async', "shared_preload_libraries = 'gc_fdw'", "jit = off");
my $session = GcSession->new($node);
my $control = GcSession->new($node);
my $columns = 'contact_id, k, phone, name';
my $searches = qr{/search$};

# parts(SERVER, OPTION => VALUE...): a server, a table for each list, all of them as one
# partitioned table "SERVER", with the lists' names and a token known to the session.
sub parts
{
	my ($name, %options) = @_;
	add_server($node, $sim, $name, fetch_size => 10, batch_size => 5, max_in_flight => 1, %options);
	leads_table($node, "${name}_$_", $name, "List $_") for @lists;
	my $sql = join "\n", map {
		"ALTER FOREIGN TABLE ${name}_$_ ADD list text OPTIONS (attribute 'list_name');
		ALTER TABLE $name ATTACH PARTITION ${name}_$_ FOR VALUES IN ('List $_');"
	} @lists;
	$node->safe_psql('postgres', "CREATE TABLE $name (contact_id text, k text, phone text, name text, list text)
		PARTITION BY LIST (list); $sql");
	known($name);
	return;
}

sub known
{
	my ($name) = @_;
	$session->value("SELECT count(*) FROM (SELECT FROM ${name}_$_ LIMIT 1) x") for @lists;
	$sim->forget_requests;
	return;
}

sub option { my ($name, $value) = @_; return $node->safe_psql('postgres', "ALTER SERVER $name OPTIONS (SET async_capable '$value')") }

# The rows of a query in one text, whatever their order.
sub rows { return join "\n", sort split /\n/, $session->value($_[0]) }

sub in_flight { return max(0, map { $_->{in_flight} } @_) }

# Both ways give the same.
sub same_rows
{
	my ($what, $sql) = @_;
	my $beside = rows($sql);
	option('main', 'off');
	known('main');
	unlike($session->value("EXPLAIN $sql"), qr/Async/, "$what: one after the other");
	my $after = rows($sql);
	option('main', 'on');
	known('main');
	like($session->value("EXPLAIN $sql"), qr/Async Foreign Scan/, "$what: side by side");
	isnt($beside, '', "$what: rows");
	return is($beside, $after, "$what: the same rows");
}

parts('main', async_capable => 'on');
$session->run("INSERT INTO main SELECT NULL, l || i, NULL, 'n' || i % 7, 'List ' || l
	FROM generate_series(1, 30) i, unnest('{A,B,C,D}'::text[]) l");
is($sim->count($id{$_}), 30, "list $_ has its contacts") for @lists;

#
# Overlap: each scan has one request at a time, so what is in flight together is of several.
#
$sim->set(latency_ms => 100);
{
	$sim->forget_requests;
	my $result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM main');
	my @pages = $sim->requests($searches);
	is(@pages, 12, 'partitions: a request a page');
	is(in_flight(@pages), 4, 'partitions: of all lists at once');
	is(() = $result->{out} =~ /Async Foreign Scan on main_/g, 4, 'partitions: EXPLAIN says so');
	is(() = $result->{out} =~ /Async Foreign Scan on main_\w .*actual .*rows=30(\.00)? loops=1/g, 4, 'partitions: and counts rows')
	  or diag $result->{out};
	my @waits = $result->{out} =~ /Wait Time: ([\d.]+) ms/g;
	cmp_ok($_, '>=', 100, 'partitions: and how long a scan was waited for') for @waits;
	note sprintf '12 pages of 100 ms in %.2f s', $result->{seconds};

	$sim->forget_requests;
	is($session->value("SELECT count(*) FROM (SELECT k FROM main_A UNION ALL SELECT k || '' FROM main_B WHERE name <> 'n1') x"), 55,
		'UNION ALL: rows');
	is(in_flight($sim->requests($searches)), 2, 'UNION ALL: both lists at once');

	$sim->forget_requests;
	is(rows("SELECT k FROM main WHERE k IN ('A1', 'B2', 'C3', 'nobody')"), "A1\nB2\nC3", 'by id: rows');
	is(in_flight($sim->requests(qr{/contacts/bulk$})), 4, 'by id: of all lists at once');
	is(in_flight($sim->requests($searches)), 4, 'by id: and so are the searches that follow');

	$sim->forget_requests;
	is(rows("SELECT k FROM main WHERE contact_id = 'C3'"), 'C3', 'one contact: rows');
	is(in_flight($sim->requests(qr{/contacts/C3$})), 4, 'one contact: of all lists at once');

	# Some of a statement's scans alone.
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE main_A OPTIONS (ADD async_capable 'false')");
	my $explained = $session->value('EXPLAIN SELECT * FROM main');
	is(() = $explained =~ /Async Foreign Scan on main_[bcd]/g, 3, 'async_capable of a table: it is not asynchronous') or diag $explained;
	like($explained, qr/ {2}Foreign Scan on main_a/, '… and no other');
	is($session->value('SELECT count(DISTINCT k) FROM main'), 120, '… and all rows come');
	$node->safe_psql('postgres', 'ALTER FOREIGN TABLE main_A OPTIONS (DROP async_capable)');
}
$sim->set(latency_ms => 0);

# Exports are made side by side: each is asked for before any of them is there.
{
	parts('files', scan_method => 'export');
	$sim->set(export_ms => 1000);
	my $result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM files');
	my @asked = $sim->requests(qr{^POST .*/export$});
	my ($read) = $sim->requests(qr{/downloads/});
	is(@asked, 4, 'exports: each is asked for once');
	cmp_ok($asked[-1]{at}, '<', $read->{at}, 'exports: before the first is read');
	is(() = $result->{out} =~ /Async Foreign Scan on files_\w .*actual .*rows=30(\.00)? loops=1/g, 4, 'exports: all rows') or diag $result->{out};
	cmp_ok($_, '>=', 200, 'exports: how long each was waited for') for $result->{out} =~ /Wait Time: ([\d.]+) ms/g;
	note sprintf '4 exports of 1 s in %.2f s', $result->{seconds};

	# A search of one list goes on while another list is exported.
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE files_B OPTIONS (ADD scan_method 'search')");
	$session->run('BEGIN; DECLARE c CURSOR FOR SELECT list FROM files');
	is($session->run('FETCH 30 FROM c')->{out}, join("\n", ('List B') x 30), 'exports: a search overtakes them');
	is($session->run('FETCH ALL FROM c')->{out} =~ tr/\n//, 89, 'exports: … which come then');
	$session->run('COMMIT');
	is($session->run('SELECT FROM files_B LIMIT 1')->{sqlstate}, '00000', 'exports: the session goes on');
	$sim->set(export_ms => 50);
	is($session->run("SELECT a.k FROM files a JOIN files b ON a.k = b.k WHERE a.list < 'List C'")->{out} =~ tr/\n//, 59,
		'exports: several of a list at once');

	# Another's export is on its way: that is waited for, and holds up nobody.
	$sim->faults({ method => 'POST', path => "/$id{A}/export", status => 409, times => 2, body => '{"code":"export.in.progress","status":409}' });
	is($session->value('SELECT count(DISTINCT k) FROM files'), 120, 'exports: one that has to be asked for again');
	is($sim->fault_hits, 2, 'exports: … twice');
	$sim->faults;
}

# Searches that turn out to be long go over to exports, side by side as well.
{
	add_server($node, $sim, 'filled');
	add_server($node, $sim, 'grown', fetch_size => 1);
	for my $i (1, 2)
	{
		$sim->list("Long $i", qw(Phone Key Name));
		leads_table($node, "${_}_$i", $_, "Long $i") for qw(filled grown);
		$session->run("INSERT INTO filled_$i (k) SELECT 'l' || i FROM generate_series(1, 150) i");
	}
	$sim->forget_requests;
	my $result = $session->run('EXPLAIN (ANALYZE) SELECT k FROM grown_1 UNION ALL SELECT k FROM grown_2');
	is(() = $result->{out} =~ /Async Foreign Scan on grown_\d .*actual .*rows=150(\.00)? loops=1/g, 2, 'from searches to exports: all rows')
	  or diag $result->{out};
	is(scalar $sim->requests($searches), 2, 'from searches to exports: a page each');
	is(scalar $sim->requests(qr{^POST .*/export$}), 2, 'from searches to exports: then a file');
}

#
# The same rows, whatever is above and below
#
{
	$node->safe_psql('postgres', "CREATE TABLE wanted (k text, n int);
		INSERT INTO wanted VALUES ('A1', 1), ('B2', 2), ('D30', 3), (NULL, 4), ('nobody', 5), ('C7', 6);
		CREATE TABLE main_local PARTITION OF main DEFAULT;
		INSERT INTO main_local VALUES ('x', 'x1', NULL, 'here', 'none'), ('y', 'y1', NULL, 'here', 'none')");
	my %queries = (
		'a scan' => 'SELECT * FROM main',
		'conditions' => "SELECT * FROM main WHERE name IN ('n1', 'n2') AND k <> 'A1' AND length(k) > 2",
		'a join by id' => 'SELECT w.n, l.* FROM wanted w JOIN main l USING (k)',
		'a lateral look-up' => 'SELECT w.n, l.* FROM wanted w, LATERAL (SELECT * FROM main m WHERE m.k = w.k OFFSET 0) l',
		'a scan that is repeated' => 'SELECT w.n, (SELECT count(*) FROM main m WHERE m.name < w.k) FROM wanted w',
		'a nested loop' => 'SELECT a.k, b.k FROM main a JOIN main b ON a.name < b.name AND a.k < b.k WHERE length(a.k) = 2',
		'two Appends at once' => 'SELECT * FROM (SELECT k FROM main_A UNION ALL SELECT k FROM main_B) a
			FULL JOIN (SELECT k FROM main_B UNION ALL SELECT k FROM main_C) b USING (k)',
		'the same list twice' => 'SELECT k FROM main_A UNION ALL SELECT k FROM main_A UNION ALL SELECT k FROM main_D',
		'a subquery of each row' => 'SELECT k, (SELECT count(*) FROM main b WHERE b.k = a.k) FROM main a WHERE length(k) = 2',
	);
	for my $what (sort keys %queries)
	{
		$session->run('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_material = off') if $what eq 'a nested loop';
		same_rows($what, $queries{$what});
		$session->run('RESET ALL');
	}
	$node->safe_psql('postgres', 'DROP TABLE main_local');

	# Objects without a list, with further calls; generic plans; partitions that are left out at run time.
	$node->safe_psql('postgres', "CREATE FOREIGN TABLE lists (id text, name text, size bigint) SERVER main OPTIONS (object 'contact_lists');
		CREATE FOREIGN TABLE jobs (list_id text, state text) SERVER main OPTIONS (object 'import_jobs')");
	same_rows('objects', 'SELECT name FROM lists UNION ALL SELECT list_id FROM jobs UNION ALL SELECT id FROM lists');
	$session->run("SET plan_cache_mode = force_generic_plan; PREPARE of_list AS SELECT count(*), min(k) FROM main WHERE list = \$1");
	is($session->value("EXECUTE of_list('List B')"), '30|B1', 'partitions left out at run time') for 1 .. 2;
	$session->run('RESET plan_cache_mode');
}

#
# What one of them waits for holds up no other.
#
{
	# A backoff: nothing is in flight any more, and only the alarm can end the wait.
	$sim->forget_requests;
	$sim->faults({ path => "/$id{B}/contacts/search", nth => 2, status => 503, headers => { 'Retry-After' => '1' } });
	my $cpu = cpu($session->pid);
	my $result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM main');
	$cpu = cpu($session->pid) - $cpu;
	$sim->faults;
	my @pages = $sim->requests($searches);
	is(@pages, 13, 'a fault: one request more');
	is(scalar(grep { $_->{path} !~ /$id{B}/ && $_->{at} - $pages[0]{at} < 0.9 } @pages), 9, 'a fault: the other lists are read meanwhile');
	cmp_ok($result->{seconds}, '>=', 1, 'a fault: Retry-After is a floor');
	like($result->{out}, qr/Append .*rows=120(\.00)? /, 'a fault: no row is missing');
	is(() = $result->{out} =~ /Retries: 1$/mg, 1, 'a fault: one retry');
	SKIP:
	{
		skip 'no /proc', 1 unless defined $cpu;
		cmp_ok($cpu, '<', 0.5, 'a fault: who waits does nothing else');
	}
	like($session->value('SELECT max(quota_wait) > interval \'0.5 s\' FROM gc_fdw.stat_servers WHERE server = \'main\''), qr/^t$/,
		'a fault: the wait is booked');

	# An answer that never comes: the rows of the others are there at once.
	$sim->faults({ path => "/$id{A}/contacts/search", stall => \1 });
	$session->run('BEGIN; DECLARE c CURSOR FOR SELECT list FROM main');
	is($session->run("FETCH 90 FROM c", 20)->{out} =~ tr/\n//, 89, 'a list that does not answer: the rows of the others come');
	$session->run('ROLLBACK');
	$sim->faults;
	await('requests of a cursor end with it', sub { $sim->state->{in_flight} == 0 });

	# The quota: slots are the whole client's, whoever takes them.
	parts('paced', client => 'paced', requests_per_second => 20, max_in_flight => 4);
	$result = $session->run('EXPLAIN (ANALYZE) SELECT * FROM paced');
	@pages = $sim->requests($searches);
	is(@pages, 12, 'a quota: all pages');
	paced(0.05, 'a quota: no faster than it allows', @pages);
	cmp_ok($pages[-1]{at} - $pages[0]{at}, '<', 0.1 * $#pages, 'a quota: and no slower than need be');
	like($result->{out}, qr/Append .*rows=120(\.00)? /, 'a quota: no row is missing');

	# A search that is repeated, because it misses what has just been written: others are not.
	add_server($node, $sim, 'lagging', read_lag => '20s');
	leads_table($node, "lagging_$_", 'lagging', "Long $_") for 1, 2;
	$node->safe_psql('postgres', "CREATE FOREIGN TABLE keyless (id text OPTIONS (attribute 'id'), k text OPTIONS (field 'Key'))
		SERVER lagging OPTIONS (object 'contacts', list_name 'Long 2')");
	$sim->set(read_lag_ms => 700);
	$session->run("INSERT INTO keyless VALUES ('another-id', 'late'); INSERT INTO lagging_1 (k) VALUES ('soon')");
	is(rows("SELECT * FROM (SELECT contact_id FROM lagging_1 WHERE k IN ('late', 'l1')
		UNION ALL SELECT contact_id FROM lagging_2 WHERE k = 'late') x LIMIT 2"), "another-id\nl1", 'a key that is looked for again: it is found');
	cmp_ok($session->{last}{seconds}, '<', 15, 'a key that is looked for again: another list is not waited for');
	$sim->set(read_lag_ms => 0);

	# A token that is revoked in the middle.
	$sim->faults(map { { path => "/$id{$_}/contacts/search", nth => 2, status => 401 } } @lists);
	is($session->value('SELECT count(DISTINCT k) FROM main'), 120, 'a token that is renewed: no row is missing');
	$sim->faults;
}

# CPU seconds that a process has used; undef where there is no /proc.
sub cpu
{
	my ($pid) = @_;
	open my $fh, '<', "/proc/$pid/stat" or return undef;
	my @fields = split / /, <$fh> =~ s/^.*\) //r;
	return ($fields[11] + $fields[12]) / 100;
}

# The latch: a quota that is closed for long opens early, because another session forgets it.
{
	parts('closed', client => 'closed');
	my $closed = sub { my ($what) = @_; $control->value("SELECT $what FROM gc_fdw.rate_limits WHERE server = 'closed'") };
	my @others = map { GcSession->new($node) } 1 .. 2;
	$others[0]->run('SELECT FROM closed_A LIMIT 1');
	$sim->faults({ path => '/search', status => 429, headers => { 'Retry-After' => '50' } });
	$others[1]->start('SELECT FROM closed_A');
	await('the quota is closed', sub { $closed->('closed_until IS NOT NULL') eq 't' });
	$control->value('SELECT pg_cancel_backend(' . $others[1]->pid . ')');
	$others[1]->finish;
	$sim->faults;
	$session->start('SELECT count(*) FROM closed');
	await('all its scans are in line', sub { $closed->('waiters') == 4 });
	$others[0]->value("SELECT gc_fdw.disconnect('closed')");
	my $result = $session->finish(20);
	is($result->{out}, 120, 'a quota that opens early: all rows');
	cmp_ok($result->{seconds}, '<', 10, 'a quota that opens early: at once');
	$_->close for @others;
}

#
# Ends: errors, LIMIT, cancels
#
sub no_requests_left
{
	my ($what) = @_;
	await("$what: no request is left", sub { $sim->state->{in_flight} == 0 });
	return is($session->value('SELECT count(DISTINCT k) FROM main'), 120, "$what: the session goes on");
}

{
	$sim->faults({ path => "/$id{C}/contacts/search", nth => 2, status => 400 },
		{ path => "/$id{D}/contacts/search", stall => \1 });
	my $result = $session->run('SELECT * FROM main', 20);
	$sim->faults;
	is($result->{sqlstate}, '22023', 'an error of one list ends the statement') or diag $result->{err};
	like($result->{err}, qr/could not read contact list "List C"/, 'and names it');
	no_requests_left('an error');

	# In a subtransaction, with a cursor from before.
	$sim->faults({ path => "/$id{C}/contacts/search", nth => 3, status => 400 });
	$session->run('BEGIN; DECLARE c CURSOR FOR SELECT k FROM main; FETCH 5 FROM c; SAVEPOINT s');
	is($session->run('SELECT count(*) FROM main')->{sqlstate}, '22023', 'an error in a savepoint');
	$sim->faults;
	$session->run('ROLLBACK TO s');
	is($session->run('FETCH ALL FROM c')->{out} =~ tr/\n//, 114, 'a cursor from before the savepoint goes on');
	$session->run('COMMIT');

	$sim->forget_requests;
	$sim->faults(map { { path => "/$id{$_}/contacts/search", stall => \1 } } qw(B C D));
	$result = $session->run('SELECT k FROM main LIMIT 7', 20);
	$sim->faults;
	is($result->{out} =~ tr/\n//, 6, 'LIMIT: rows');
	# What is still on its way when the rows are there is given up, and may never arrive.
	my %pages = (A => 0);
	$pages{ $_->{path} =~ m{/$id{A}/} ? 'A' : $_->{path} }++ for $sim->requests($searches);
	is_deeply([ map { $pages{$_} } sort keys %pages ], [ (1) x keys %pages ], 'LIMIT: a page of each list, and no more');
	no_requests_left('LIMIT');
}

for my $case (
	[ 'an answer', { path => '/search', stall => \1 } ],
	[ 'the end of a backoff', { path => '/search', status => 503, headers => { 'Retry-After' => '30' } } ],
  )
{
	my ($what, $fault) = @$case;
	for my $way ('pg_cancel_backend', 'statement_timeout', 'pg_terminate_backend')
	{
		my $name = "$way while an Append waits for $what";
		my $pid = $session->pid;
		$sim->faults($fault);
		$session->run("SET statement_timeout = '300ms'") if $way eq 'statement_timeout';
		$session->start('SELECT * FROM main');
		my $from = $session->started + 0.3;
		if ($way ne 'statement_timeout')
		{
			await($name, sub {
				$control->value("SELECT wait_event = 'AppendReady' FROM pg_stat_activity WHERE pid = $pid") eq 't';
			});
			$from = Time::HiRes::time();
			$control->value("SELECT $way($pid)");
		}
		my $result = $session->finish(20);
		$sim->faults;
		cmp_ok($result->{at} - $from, '<', 2, "$name: soon");
		like($result->{err}, $way eq 'pg_terminate_backend' ? qr/terminating connection/ : qr/canceling statement due to/, "$name: told so");
		$session = GcSession->new($node) if $result->{closed};
		$session->run('RESET statement_timeout');
		no_requests_left($name);
	}
}

#
# Statements that write what they read (DESIGN 3): all of it is read before the first write.
#
{
	# What it may write: a list, or any partition.
	my %written = (main_A => qr{/$id{A}/contacts/search$}, main => $searches);
	for my $table (sort keys %written)
	{
		known('main');
		$sim->set(latency_ms => 20);
		my $result = $session->run("INSERT INTO $table (k, list) SELECT '$table-' || k, 'List A' FROM main WHERE length(k) = 2");
		$sim->set(latency_ms => 0);
		is($result->{sqlstate}, '00000', "$table from all lists") or diag $result->{err};
		my ($first) = $sim->requests(qr{^POST .*/contacts$});
		is(scalar(grep { $_->{at} > $first->{at} } $sim->requests($written{$table})), 0, "$table from all lists: read before it is written");
		is($session->value("SELECT count(*) FROM main WHERE k LIKE '$table-%'"), 36, "$table from all lists: once");
	}

	# A list that is not read meanwhile need not be read ahead.
	leads_table($node, 'target', 'main', 'List Target');
	is($session->run("INSERT INTO target (k) SELECT k FROM main WHERE list <> 'List A'")->{sqlstate}, '00000', 'another list as target');
	is($sim->count($id{Target}), 90, 'another list as target: all rows');
}

$session->close;
$control->close;
$node->stop;
done_testing();

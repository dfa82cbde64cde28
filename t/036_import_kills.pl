# Imports, and SIGKILL: of workers, of whoever submits or waits, of the postmaster, of the platform, which breaks off
# and stands still, too, at any moment, with faults on, while others opt out contacts of the imports.  Every import that was
# committed ends done, with each contact once and as it was staged, and no opt-out is undone (DESIGN 3, 4.6; D2, D2b,
# H4, U13).  GC_IMPORT_KILLS says how many runs; GC_IMPORT_SEED begins with the run of that seed.  Under dialect "jobs"
# parts are jobs, of every kind.
use strict;
use warnings;

use Digest::MD5 qw(md5);
use FindBin;
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(sleep time);

skip_unless_possible();

my $runs = $ENV{GC_IMPORT_KILLS} // 5;
my $first = $ENV{GC_IMPORT_SEED} // time % 100000;
my $heavy = $ENV{GC_IMPORT_FAULTS} // 1;    # so many times as many faults
my @methods = dialect() eq 'jobs' ? qw(contacts upload bulk import) : qw(contacts upload);

my $sim = GcSim->new('--journal', PostgreSQL::Test::Utils::tempdir() . '/journal');
my @settings = ('restart_after_crash = on', 'max_worker_processes = 16', "log_min_messages = 'log'");
# Left imports are adopted by the launcher in one, by resume_imports() and await_import() in the other.
my %nodes = (
	launcher => new_node('launcher', @settings, "shared_preload_libraries = 'gc_fdw'", "gc_fdw.databases = 'postgres'"),
	plain => new_node('plain', @settings));
my @server = (batch_size => 100, max_in_flight => 3, retry_timeout => '2min', max_retries => 40, request_timeout => '5s', upload_url => $sim->url, import_threshold => 1000);
add_server($_, $sim, 'genesys', @server) for values %nodes;

my @columns = qw(Phone Key Name Zip);
my ($node, $session, $plan, %killed);

# ---- plans ----

my $random;

# draw(N): a whole number below it; pick(THING...): one of them.
sub draw
{
	my ($n) = @_;
	{ use integer; $random = ($random * 25214903917 + 11) & 281474976710655; }
	return int $n * $random / 2**48;
}
sub pick { return $_[ draw(scalar @_) ] }

# What somebody submits.  Rows before "old" are there already, in another state.
sub plan_import
{
	my ($name, $method) = @_;
	my $on_duplicate = pick(qw(update update update ignore error));
	my $rows = 1200 + draw(2000);
	return {
		name => $name, method => $method, rows => $rows,
		on_duplicate => $on_duplicate,
		old => $on_duplicate eq 'error' ? 0 : draw($rows / 2),
		upload_method => pick(qw(multipart presigned)),
		part_rows => pick(1000, 1500),
		bad => pick(0, 397),
		opt_outs => [ map { 1 + draw($rows) } 1 .. 40 ],
		updates => [ map { 1 + draw($rows) } 1 .. 40 ],
	};
}

sub planned
{
	my ($seed) = @_;
	$random = $seed * 7919 + 1;
	draw(2) for 1 .. 10;
	my @imports = map { plan_import("s${seed}_$_", { a => 'contacts', b => 'upload', c => 'auto' }->{$_}) } qw(a b c);
	my @kills;
	for my $number (1 .. 2 + draw(4))
	{
		my $what = pick(qw(worker worker worker submitter awaiting postmaster simulator outage frozen));
		push @kills, { what => $what, after => draw(1500) / 1000, ms => draw(700) };
		$kills[-1]{import} = plan_import("s${seed}_k$number", pick(@methods)) if $what eq 'submitter';
	}
	return {
		seed => $seed,
		node => $seed % 2 ? 'launcher' : 'plain',
		adopts => pick(qw(resume await)),
		imports => \@imports,
		kills => \@kills,
		read_lag => pick(0, 0, 800),
	};
}

sub told
{
	my ($plan) = @_;
	return join ' ', "seed $plan->{seed} ($plan->{node}", "$plan->{adopts}):", map { sprintf '%s@%.2f', $_->{what}, $_->{after} } @{ $plan->{kills} };
}

# ---- rows ----

sub id_of { my ($import, $i) = @_; return "$import->{name}-$i" }

# The platform refuses it.
sub is_bad { my ($import, $i) = @_; return $import->{bad} && $i % $import->{bad} == 0 }

# What a contact's cells are to be in the end; undef: there is none.
sub cells
{
	my ($import, $i) = @_;
	my $is_old = $i <= $import->{old};
	return $is_old ? old_cells($import, $i) : undef if is_bad($import, $i) || $is_old && $import->{on_duplicate} eq 'ignore';
	return [ sprintf('+1415%07d', $i), id_of($import, $i), "new, \"$i\"", '10115' ];
}
sub old_cells { my ($import, $i) = @_; return [ sprintf('+1212%07d', $i), id_of($import, $i), "old $i", '10117' ] }

# The same for the server; every 50th opts out by itself.
sub query
{
	my ($import) = @_;
	my $bad = $import->{bad} ? "i % $import->{bad} = 0" : 'false';
	return "SELECT '$import->{name}-' || i AS contact_id, '$import->{name}-' || i AS k, "
	  . "'+1415' || lpad(i::text, 7, '0') AS phone, "
	  . "'new, \"' || i || '\"' AS name, CASE WHEN $bad THEN 'none' ELSE '10115' END AS zip, "
	  . "i % 50 <> 0 AS callable FROM generate_series(1, $import->{rows}) i";
}

sub submission
{
	my ($import) = @_;
	return "SELECT gc_fdw.submit_import('$import->{name}', \$q\$" . query($import) . "\$q\$, on_duplicate => '$import->{on_duplicate}', "
	  . "verification => 'relaxed', method => '$import->{method}', import_key => '$import->{name}', options => '{\"part_rows\": $import->{part_rows}, \"stall_timeout\": \"5s\"}')";
}

# make_list(IMPORT): a list, what is there before, and a foreign table.
sub make_list
{
	my ($import) = @_;
	$import->{list} = $sim->call('POST', '/_sim/lists', {
		name => $import->{name}, columnNames => \@columns, automaticTimeZoneMapping => \1, zipCodeColumnName => 'Zip',
		phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] })->{id};
	my $path = "/outbound/contactlists/$import->{list}/contacts";
	for (my $from = 1; $from <= $import->{old}; $from += 1000)
	{
		my $to = $from + 999 < $import->{old} ? $from + 999 : $import->{old};
		$sim->api('POST', $path, [
			map {
				my %data;
				@data{@columns} = @{ old_cells($import, $_) };
				$import->{out}{ id_of($import, $_) } = 'before' if $_ % 30 == 0;
				{ id => id_of($import, $_), contactListId => $import->{list}, data => \%data, $_ % 30 ? () : (callable => JSON::PP::false) }
			} $from .. $to ]);
	}
	leads_table($node, $import->{name}, 'genesys', $import->{name}, on_error => 'reject', $import->{upload_method} eq 'presigned' ? (upload_method => 'presigned') : ());
	$node->safe_psql('postgres', "ALTER FOREIGN TABLE $import->{name} ADD callable boolean OPTIONS (attribute 'callable'), ADD zip text OPTIONS (field 'Zip')");
	return;
}

# ---- a server that comes and goes ----

# ask(SQL): in a new session, if need be, until it is answered.
sub ask
{
	my ($sql) = @_;
	my $until = time + 60;
	my $why = '';
	while (time < $until)
	{
		my $value = eval { $session //= GcSession->new($node, name => 'test'); $session->value($sql) };
		return $value if defined $value;
		$why = $@;
		undef $session;
		sleep 0.02;
	}
	die "no answer to $sql: $why";
}

# gone(PID): killed, and the server is there again; 0: it has just ended by itself.
sub gone
{
	my ($pid) = @_;
	my $from = length slurp_log($node);
	my $killed = kill 'KILL', $pid;
	my $at = time;
	undef $session;
	my $log = '';
	await('the server to see it', sub {
		$log = substr slurp_log($node), $from;
		return $log =~ /\(PID $pid\) was terminated by signal/ || time > $at + 1 && !kill 0, $pid;
	}, 60) if $killed;
	return 0 if $log !~ /terminated by signal/;
	$session = await_recovery($node, $from);
	return 1;
}

sub kill_postmaster
{
	undef $session;
	$node->kill9;
	await('the server to start', sub {
		# Which needs the shared memory to be free.
		run_log([ 'pg_ctl', '-w', '-D', $node->data_dir, '-l', $node->logfile, 'start' ]);
	}, 60);
	$node->_update_pid(1);
	return 1;
}

# What can be killed; each returns whether it was.
my %kill = (
	worker => sub {
		my ($kill) = @_;
		my @pids = split /\n/, ask("SELECT pid FROM pg_stat_activity WHERE backend_type = 'gc_fdw worker' ORDER BY pid");
		return @pids ? gone($pids[ $kill->{ms} % @pids ]) : 0;
	},
	submitter => sub {
		my ($kill) = @_;
		my $submitter = eval { GcSession->new($node)->start(submission($kill->{import})) } // return 0;
		sleep $kill->{ms} / 2000;
		return gone($submitter->pid);
	},
	awaiting => sub {
		my $id = ask("SELECT coalesce(max(id), 0) FROM gc_fdw.imports WHERE state NOT IN ('done', 'failed')") or return 0;
		my $awaiting = eval { GcSession->new($node)->start("SELECT gc_fdw.await_import($id)") } // return 0;
		return gone($awaiting->pid);
	},
	postmaster => \&kill_postmaster,
	# What it has answered for is stored; files that it was at work with are lost.
	simulator => sub {
		my ($kill) = @_;
		$sim->stop('KILL');
		sleep $kill->{ms} / 1000;
		$sim->start;
		set_simulator();
		return 1;
	},
	# All connections break, none is taken for a while, and all tokens are forgotten; what is stored stays.
	outage => sub {
		my ($kill) = @_;
		$sim->set(revoke_tokens => JSON::PP::true);
		$sim->call('POST', '/_sim/outage', { ms => $kill->{ms} });
		sleep $kill->{ms} / 1000 + 0.02;
		return 1;
	},
	frozen => sub {
		my ($kill) = @_;
		kill 'STOP', $sim->pid;
		sleep $kill->{ms} / 1000;
		kill 'CONT', $sim->pid;
		return 1;
	});

# ---- opt-outs meanwhile ----

# By another client: those that are there.
sub opt_out
{
	my ($import) = @_;
	my $i = shift @{ $import->{opt_outs} } // return;
	my $done = eval { $sim->call('POST', '/_sim/contacts', { listId => $import->{list}, id => id_of($import, $i), callable => JSON::PP::false }) };
	$import->{out}{ id_of($import, $i) } = 'by another client' if $done;
	push @{ $import->{opt_outs} }, $i if !$done && @{ $import->{opt_outs} } < 60;
	return;
}

# By UPDATE, in a session of their own: of contacts that the import brought.  What is told is known to be out.
sub begin_updates
{
	my ($import) = @_;
	my @ids = map { id_of($import, $_) } grep { $_ > $import->{old} && !is_bad($import, $_) } @{ $import->{updates} };
	my $clerk = eval { GcSession->new($node) } // return;
	$import->{clerk} = $clerk->start(join '; ', map { "UPDATE $import->{name} SET callable = false WHERE contact_id = '$_' RETURNING contact_id" } @ids);
	return;
}

sub end_updates
{
	my ($import) = @_;
	my $clerk = delete $import->{clerk} // return;
	my $result = $clerk->finish(120);
	$import->{out}{$_} //= 'by UPDATE' for grep { /^\Q$import->{name}\E-\d+$/ } split /\n/, $result->{out};
	$import->{maybe_out} = 1;
	return;
}

# ---- a run ----

sub faults
{
	my %to = (path => '*/contact*', method => 'POST');
	return map { { %$_, percent => $_->{percent} * $heavy } } (
		{ %to, percent => 3, status => 429, headers => { 'Retry-After' => '1' } },
		{ %to, percent => 3, status => 503 },
		{ %to, percent => 2, drop => 'before', rst => \1 },
		{ %to, percent => 3, drop => 'after', rst => \1 },
		{ %to, percent => 2, drop => 'during' },
		{ %to, percent => 0.5, status => 503, effect => \1 },
		{ path => '*/importstatus', percent => 5, status => 503 },
		{ path => '*/outbound/jobs/*', percent => 5, status => 503 },
		{ path => '*/oauth/token', percent => 3, status => 503 },
		{ %to, percent => 10, delay_before_ms => 60 },
		{ %to, percent => 10, delay_ms => 150 });
}

sub set_simulator
{
	$sim->set(seed => $plan->{seed}, read_lag_ms => $plan->{read_lag});
	$sim->faults(faults());
	return;
}

# Goes through the kills; the imports go on meanwhile.
sub go_through
{
	my @submitters = map { GcSession->new($node)->start(submission($_)) } @{ $plan->{imports} };
	for my $kill (@{ $plan->{kills} })
	{
		begin_updates($_) for grep { !$_->{clerk} } @{ $plan->{imports} };
		my $until = time + $kill->{after};
		while (time < $until)
		{
			opt_out($_) for @{ $plan->{imports} };
			sleep 0.02;
		}
		$killed{ $kill->{what} } += $kill->{done} = $kill{ $kill->{what} }->($kill);
		next if !$kill->{done} || $kill->{what} =~ /simulator|outage|frozen/;
		end_updates($_) for @{ $plan->{imports} };
		ask('SELECT gc_fdw.resume_imports()') if $plan->{node} eq 'plain' && $plan->{adopts} eq 'resume';
	}
	# A task that does not know whether its import was submitted submits it again.
	for my $import (@{ $plan->{imports} })
	{
		(shift @submitters)->finish(120);
		$import->{id} = ask(submission($import));
	}
	return;
}

sub open_imports { return ask("SELECT coalesce(string_agg(id || ' ' || state || coalesce(' ' || failure_reason, ''), ', '), '') FROM gc_fdw.imports WHERE state <> 'done'") }

# Until every import has ended, by whoever is to see to that.
sub all_end
{
	my $until = time + 180;
	while (time < $until && open_imports() =~ /(\d+) (staged|running|paused)/)
	{
		my ($id, $state) = ($1, $2);
		opt_out($_) for @{ $plan->{imports} };
		# It would be tried again in a minute.
		$killed{paused} += ask("SELECT gc_fdw.resume_imports($id)") if $state eq 'paused';
		ask($plan->{adopts} eq 'await' ? "SELECT gc_fdw.await_import($id, '2s')" : 'SELECT gc_fdw.resume_imports()') if $plan->{node} eq 'plain';
		sleep 0.1;
	}
	end_updates($_) for @{ $plan->{imports} };
	return open_imports();
}

# ---- what is to be in the end ----

sub checksum
{
	my (@rows) = @_;
	my $sum = 0;
	{
		use integer;
		$sum += unpack 'q>', substr md5(join "\x1f", @$_), 0, 8 for @rows;
	}
	return sprintf '%016x', unpack 'Q', pack 'q', $sum;
}

# What is wrong of a list's contacts, one by one.
sub differences
{
	my ($import) = @_;
	my (%left, @wrong);
	$left{ id_of($import, $_) } = $_ for grep { cells($import, $_) } 1 .. $import->{rows};
	for my $contact ($sim->contacts($import->{list}))
	{
		my $i = delete $left{ $contact->{id} };
		my $cells = join '|', map { $contact->{data}{$_} // '' } @columns;
		push @wrong, "$contact->{id} $cells" if !$i || $cells ne join '|', @{ cells($import, $i) };
	}
	return join "\n", @wrong[ 0 .. ($#wrong < 5 ? $#wrong : 5) ], 'missing: ' . join ' ', grep { defined } (sort keys %left)[ 0 .. 5 ];
}

sub is_exact
{
	my ($import) = @_;
	my @rows = map { my $cells = cells($import, $_); $cells ? [ id_of($import, $_), @$cells ] : () } 1 .. $import->{rows};
	my $there = $sim->call('GET', "/_sim/checksum?listId=$import->{list}&columns=" . join ',', @columns);
	is("$there->{count} $there->{checksum}", @rows . ' ' . checksum(@rows), "$import->{name}: every contact once, as it was staged")
	  || diag differences($import);

	my %ids;
	my @contacts = $sim->contacts($import->{list});
	$ids{ $_->{id} }++ for @contacts;
	is(scalar keys %ids, scalar @contacts, '… and no id twice');
	my %back = %{ $import->{out} // {} };
	delete $back{ $_->{id} } for grep { defined $_->{callable} && !$_->{callable} } @contacts;
	$back{ id_of($import, $_) } = 'by the import' for grep { my $row = $_; $row % 50 == 0 && cells($import, $row) && ($row > $import->{old} || $import->{on_duplicate} ne 'ignore') } 1 .. $import->{rows};
	delete $back{ $_->{id} } for grep { defined $_->{callable} && !$_->{callable} } @contacts;
	is(join(', ', map { "$_ $back{$_}" } sort keys %back), '', '… and no opt-out is undone, of ' . keys %{ $import->{out} // {} });
	return;
}

# What the tables say of it.
sub is_told
{
	my ($import) = @_;
	my $bad = grep { is_bad($import, $_) } 1 .. $import->{rows};
	my $skipped = $import->{on_duplicate} eq 'ignore' ? $import->{old} : 0;
	# Those that are passed over are not refused.
	$bad -= grep { is_bad($import, $_) } 1 .. $skipped;
	my $accepted = $import->{rows} - $bad - $skipped;
	($accepted, $bad, $skipped) = told_by_jobs($import, $bad, $skipped) if dialect() eq 'jobs' && $skipped;
	is(ask("SELECT concat_ws(' ', state, rows_total, rows_accepted, rows_rejected, rows_skipped, rows_in_doubt) FROM gc_fdw.imports WHERE id = $import->{id}"),
		"done $import->{rows} $accepted $bad $skipped 0", "$import->{name}: its counts");
	is(ask("SELECT count(*) || ' ' || count(DISTINCT key) FROM gc_fdw.rejected_rows WHERE source = 'import' AND source_id = $import->{id}"),
		"$bad $bad", '… and its rejected rows, each once');
	is(ask("SELECT count(*) FROM gc_fdw.sent_contacts WHERE source = 'import' AND source_id = $import->{id}"), $accepted + 0, '… and the ledger');
	is(ask("SELECT coalesce(string_agg(DISTINCT state, ' '), '') FROM gc_fdw.import_parts WHERE import_id = $import->{id}"), 'done', '… and its parts');
	is(ask("SELECT count(*) FROM gc_fdw.audit_log WHERE source_id = $import->{id} AND operation = 'IMPORT'"), 1, '… and one row of the audit');
	return;
}

# A job says how many rows are well, of which some may have been passed over, and refuses bad ones also where it would have
# passed them over; what goes by POST is told apart.  So accepted, rejected and skipped are what is said, if it can be.
sub told_by_jobs
{
	my ($import, $bad, $skipped) = @_;
	my ($rejected, $passed) = split ' ', ask("SELECT rows_rejected || ' ' || rows_skipped FROM gc_fdw.imports WHERE id = $import->{id}");
	my $worst = grep { is_bad($import, $_) } 1 .. $import->{rows};
	$rejected = $bad unless $rejected >= $bad && $rejected <= $worst;
	$passed = $skipped unless $passed <= $skipped;
	return ($import->{rows} - $rejected - $passed, $rejected, $passed);
}

sub run
{
	($plan) = @_;
	my $began = time;
	$node = $nodes{ $plan->{node} };
	undef $session;
	note told($plan);
	my @all = (@{ $plan->{imports} }, map { $_->{import} // () } @{ $plan->{kills} });
	make_list($_) for @all;
	# What others have just made, nobody can be sure to find before that.
	sleep $plan->{read_lag} / 1000;
	set_simulator();
	go_through();
	is(all_end(), '', told($plan) . ': all is done');
	$sim->faults();
	$sim->set(read_lag_ms => 0);
	for my $import (@all)
	{
		$import->{id} //= ask("SELECT coalesce(max(id), 0) FROM gc_fdw.imports WHERE import_key = '$import->{name}'");
		if ($import->{id})
		{
			is_exact($import);
			is_told($import);
		}
		else
		{
			is($sim->count($import->{list}), $import->{old}, "$import->{name}: an import that was not committed leaves nothing");
		}
	}
	is(ask('SELECT count(*) FROM gc_fdw.import_chunks'), 0, 'no payload is left');
	is($sim->call('POST', '/_sim/reset') && 1, 1, sprintf 'that took %.1f s', time - $began);
	return;
}

note "the first seed is $first";
run(planned($_)) for $first .. $first + $runs - 1;
undef $session;
unlike(slurp_log($_), qr/PANIC|TRAP|signal 11|signal 6/, 'no server has crashed by itself') for values %nodes;
note join ', ', 'killed', map { "$_ $killed{$_}" } sort keys %killed;

done_testing();

# The fault matrix: every fault, for every class of call, ends as net/policy.c and the
# reference's "What becomes of a failure" have it (DESIGN 3 and 5, SCENARIOS E2, K, B2, D2).
#
# A cell of the table is a statement of its own, on a list of its own, in a session of its
# own; those of a row run at the same time.  Each ends with all rows once, or with its
# SQLSTATE, its words and three counts that fit what the platform has; after as many tries
# as the policy allows; and the session works afterwards.
use strict;
use warnings;

use File::Temp ();
use FindBin;
use JSON::PP ();
use lib $FindBin::Bin;
use GcTest;
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

# "each" sends row by row, since it returns an attribute.
my @classes = qw(page1 page2 list batch row each unsafe token);
my %reads = map { $_ => 1 } qw(page1 page2 list token);

# Rows of a write, of a request, and taken from the query when the second, or the first, has failed.
my %writes = (
	batch => { rows => 25, request => 10, taken => 25, taken_first => 20 },
	row => { rows => 1, request => 1, taken_first => 1 },
	each => { rows => 3, request => 1, taken => 2, taken_first => 1 },
	unsafe => { rows => 25, request => 10, taken => 25, taken_first => 20 },
);

# The request of each class that a fault strikes, and how many of its kind go before and
# after it in a statement that succeeds: three pages, three batches, three rows.
my %struck = (
	page1 => { path => '/page1/contacts/search', body_contains => '"pageNumber":1,' },
	page2 => { path => '/page2/contacts/search', body_contains => '"pageNumber":2,' },
	list => { path => dialect() eq 'jobs' ? '/outbound/lists/list' : '*/contactlists/list', method => 'GET' },
	batch => { path => '*/batch/contacts', method => 'POST', nth => 2 },
	row => { path => '*/row/contacts', method => 'POST' },
	each => { path => '*/each/contacts', method => 'POST', nth => 2 },
	unsafe => { path => '*/unsafe/contacts', method => 'POST', nth => 2 },
	token => { path => '/oauth/token' },
);
my %before = (page2 => 1, batch => 1, each => 1, unsafe => 1);
my %after = (page1 => 2, page2 => 1, batch => 1, each => 1, unsafe => 1);
my %request_of = (
	page1 => qr{/page1/contacts/search$},
	page2 => qr{/page2/contacts/search$},
	list => dialect() eq 'jobs' ? qr{^GET .*/outbound/lists/list$} : qr{^GET .*/contactlists/list$},
	batch => qr{/batch/contacts$},
	row => qr{/row/contacts$},
	each => qr{/each/contacts$},
	unsafe => qr{/unsafe/contacts$},
	token => qr{/oauth/token$},
);

# ---- worlds: a simulator, and for each class a server, tables and a session

# Lists come from a file, so that they are there again when the simulator is started anew.
my $seed = File::Temp->new;
print $seed JSON::PP->new->encode([
	map { { id => $_, name => $_, columnNames => [qw(Phone Key Name)], phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] } }
	  @classes, 'other' ]);
close $seed;

# Without JIT, whose libraries would weigh more than all answers.
my $node = new_node('faults', 'jit = off');
my $admin = GcSession->new($node);

my %settings = (batch_size => 10, fetch_size => 10, max_in_flight => 1, max_retries => 1, retry_timeout => '5s',
	max_response_size => '1MB');

# One client each, since what is said of one's quota is not said of another's.
sub new_world
{
	my ($name, $sim_args, %options) = @_;
	my $sim = GcSim->new('--seed-lists', "$seed", @$sim_args, map { ('--client', $_, 'secret') } @classes);
	my $world = { name => $name, sim => $sim };

	for my $class (@classes)
	{
		my %table = (list_name => undef, list_id => $class);
		$table{clear_system_data} = 'true' if $class eq 'unsafe';
		add_server($node, $sim, "${name}_$class", client => $class, %settings, %options);
		leads_table($node, "${name}_t_$class", "${name}_$class", undef, %table);
		leads_table($node, "${name}_other_$class", "${name}_$class", undef, list_name => undef, list_id => 'other');
		$admin->value("ALTER FOREIGN TABLE ${name}_t_each ADD callable boolean OPTIONS (attribute 'callable')") if $class eq 'each';
		$world->{sessions}{$class} = GcSession->new($node);
	}
	fill($world);
	return $world;
}

# The statement of a class; the rows of a write carry the label.
sub statement
{
	my ($world, $class, $label) = @_;
	my $table = "$world->{name}_t_$class";

	return "SELECT k, name FROM $table ORDER BY k" if $reads{$class};
	return "INSERT INTO $table (k, name) SELECT 'k' || to_char(i, 'FM000'), '$label ' || i "
	  . "FROM generate_series(1, $writes{$class}{rows}) i" . ($class eq 'each' ? ' RETURNING callable' : '');
}

my $contents = join "\n", map { sprintf 'k%03d|read %d', $_, $_ } 1 .. 25;

# What the classes that read find.
sub fill
{
	my ($world) = @_;
	for my $class (grep { $reads{$_} } @classes)
	{
		my $result = $world->{sessions}{$class}->run(<<"SQL");
SELECT gc_fdw.disconnect();
INSERT INTO $world->{name}_t_$class (k, name) SELECT 'k' || to_char(i, 'FM000'), 'read ' || i FROM generate_series(1, 25) i
SQL
		die $result->{err} if $result->{sqlstate} ne '00000';
	}
	return;
}

sub all_run
{
	my ($world, $sql_of, $meanwhile) = @_;
	my %results;

	$world->{sessions}{$_}->start($sql_of->{$_}) for keys %$sql_of;
	$meanwhile->() if $meanwhile;
	$results{$_} = $world->{sessions}{$_}->finish for keys %$sql_of;
	return \%results;
}

# Each class up to its request: the token is there, and the list known, unless they are asked for.
sub begin
{
	my ($world) = @_;
	my $name = $world->{name};
	my %sql = map { $_ => "SELECT 1 FROM ${name}_t_$_ LIMIT 1" } @classes;

	$sql{list} = "SELECT gc_fdw.disconnect(); SELECT 1 FROM ${name}_other_list LIMIT 1";
	$sql{token} = 'SELECT gc_fdw.disconnect()';
	return all_run($world, \%sql);
}

# ---- one row of the table

my @matrix;

# How many rows of a load are there.
sub stored
{
	my ($world, $class, $label) = @_;
	return scalar grep { $_->{data}{Name} =~ /^\Q$label\E \d/ } $world->{sim}->contacts($class);
}

# Are the rows all there, as they should be?
sub complete
{
	my ($world, $class, $label, $result) = @_;
	return $result->{out} eq $contents if $reads{$class};
	my %want = map { sprintf('k%03d', $_) => "$label $_" } 1 .. $writes{$class}{rows};
	my @there = grep { $_->{data}{Name} eq ($want{ $_->{id} } // '') } $world->{sim}->contacts($class);
	return @there == $writes{$class}{rows} && ($class ne 'each' || $result->{out} eq "t\nt\nt");
}

# "ok/2": it succeeded, the request was tried twice.  "08006/1?": it failed, and left rows in doubt.
sub outcome
{
	my ($class, $result, $requests) = @_;
	my $ok = $result->{sqlstate} eq '00000';
	my $tries = grep { "$_->{method} $_->{path}" =~ $request_of{$class} } @$requests;
	my $doubt = $result->{err} =~ /in doubt: [1-9]/ ? '?' : '';

	$tries -= ($before{$class} // 0) + ($ok ? $after{$class} // 0 : 0);
	return ($ok ? 'ok' : $result->{sqlstate}) . "/$tries$doubt";
}

# The counts of a write that failed: they add up, and fit what is there.
sub check_counts
{
	my ($world, $class, $label, $what, $result, $from_the_first) = @_;
	my $writes = $writes{$class} // return;
	my $second = $before{$class} && !$from_the_first;
	my $taken = $second ? $writes->{taken} : $writes->{taken_first};
	my $first = $second ? $writes->{request} : 0;
	my $doubtful = $result->{err} =~ /in doubt: [1-9]/ ? $writes->{request} : 0;
	my $there = stored($world, $class, $label);

	is(counts_in($result->{err}), join('/', $first, $doubtful, $taken - $first - $doubtful), "$what: accepted/in doubt/not sent");
	ok($there >= $first && $there <= $first + $doubtful, "$what: $there contacts are there");
	return;
}

# What a failure says, besides the SQLSTATE.
sub check_words
{
	my ($class, $what, $result, $expected, $says) = @_;

	like($result->{err}, $says, "$what: the message") if $says;
	like($result->{err}, qr/CONTEXT:  remote request: (GET|POST) \/|list "list" does not exist/, "$what: where");
	like($result->{err}, qr/max_retries|retry_timeout/, "$what: why it gave up") if $expected =~ m{/2} && $expected !~ /28000/;
	like($result->{err}, qr/It is unknown whether it took effect/, "$what: says that it is unknown")
	  if $class eq 'unsafe' && $expected =~ /\?/;
	return;
}

# run_row(WORLD, NAME, FAULT, [EXPECTED...], SAYS, OPTIONS): "-" is not asked; options are
# "alter" (options of the servers), and subs that break and mend what no fault can: "strike"
# before the statements, "meanwhile", "mend" after them.
sub run_row
{
	my ($world, $name, $fault, $expected, $says, %options) = @_;
	my $sim = $world->{sim};
	my $label = 'row' . @matrix;
	my %expect;
	my %done;

	@expect{ grep { $_ ne 'each' } @classes } = @$expected;
	$expect{each} = $expect{row};
	alter_servers($world, %{ $options{alter} }) if $options{alter};
	begin($world);
	my @asked = grep { $expect{$_} ne '-' } @classes;
	$sim->faults(map { { times => 1, %{ $struck{$_} }, %$fault } } @asked) if $fault;
	$sim->forget_requests;
	$options{strike}->() if $options{strike};
	my $results = all_run($world, { map { $_ => statement($world, $_, $label) } @asked }, $options{meanwhile});
	$options{mend}->() if $options{mend};
	my @requests = $sim->requests;
	$sim->faults;

	for my $class (@asked)
	{
		my $what = "$name, $class";
		my $result = $results->{$class};
		$done{$class} = outcome($class, $result, \@requests);
		$done{$class} =~ s{/.*}{} if $options{strike};
		is($done{$class}, $expect{$class}, "$what: result/tries") or diag $result->{err};
		if ($result->{sqlstate} eq '00000')
		{
			ok(complete($world, $class, $label, $result), "$what: every row once");
		}
		else
		{
			check_counts($world, $class, $label, $what, $result, $options{strike});
			check_words($class, $what, $result, $expect{$class}, $says);
		}
	}
	check_afterwards($world, $name, $label, $results);
	if ($options{alter})
	{
		alter_servers($world, map { $_ => $settings{$_} } keys %{ $options{alter} });
		begin($world);
	}
	push @matrix, [ $name, map { $done{$_} // '-' } @classes ];
	return $results;
}

# Gives the servers other settings; without a value, the default.
sub alter_servers
{
	my ($world, %options) = @_;
	my %verb = map { $_ => !exists $settings{$_} ? defined $options{$_} ? 'ADD' : 'DROP' : 'SET' } keys %options;
	my $list = join ', ', map { "$verb{$_} $_" . (defined $options{$_} ? " '$options{$_}'" : '') } sort keys %options;
	$admin->value(join ';', map { "ALTER SERVER $world->{name}_$_ OPTIONS ($list)" } @classes);
	return;
}

# The next statement of each session succeeds, and a load that failed can be run again.
sub check_afterwards
{
	my ($world, $name, $label, $results) = @_;
	my %again;
	for my $class (keys %$results)
	{
		# A quota stays closed as long as was said, unless it is forgotten.
		my $forget = $results->{$class}{sqlstate} eq '53400' ? "SELECT gc_fdw.disconnect() AS closed \\gset\n" : '';
		$again{$class} = $forget . statement($world, $class, "$label again");
	}
	my $afterwards = all_run($world, \%again);
	for my $class (sort keys %again)
	{
		my $result = $afterwards->{$class};
		is($result->{sqlstate}, '00000', "$name, $class: the next statement") or diag $result->{err};
		ok(complete($world, $class, "$label again", $result), "$name, $class: the next statement's rows");
	}
	return;
}

# ---- what is expected: for page1 page2 list batch row unsafe token; "each" is as "row"

# It passes, whatever the call.
sub passes { return [ ('ok/2') x 7 ] }

# No answer that counts: calls are repeated, but for those that could act twice.
sub lost { my ($sqlstate) = @_; return [ ('ok/2') x 5, "$sqlstate/1?", 'ok/2' ] }

# The same, each time.
sub lost_for_ever { my ($sqlstate) = @_; return [ ("$sqlstate/2") x 3, ("$sqlstate/2?") x 2, "$sqlstate/1?", "$sqlstate/2" ] }

# Refused: nothing took effect, nothing is repeated.  The token call may say it in its own way.
sub refused { my ($sqlstate, $token) = @_; return [ ("$sqlstate/1") x 6, ($token // $sqlstate) . '/1' ] }

# Refused each time.
sub refused_for_ever { my ($sqlstate) = @_; return [ ("$sqlstate/2") x 7 ] }

# An answer that is none, and would be none again.
sub unusable { my ($sqlstate, $token) = @_; return [ ("$sqlstate/1") x 3, ("$sqlstate/1?") x 3, $token // "$sqlstate/1" ] }

# A GET has nothing to upload.
sub without_list { my ($expected) = @_; return [ @$expected[ 0, 1 ], '-', @$expected[ 3 .. 6 ] ] }

sub error_body { my ($code, $message) = @_; return (body_json => { code => $code, message => $message }) }

# What each session keeps when it is connected to nobody: sockets, and kB of memory.
sub kept_by
{
	my ($world) = @_;
	begin($world);
	all_run($world, { map { $_ => 'SELECT gc_fdw.disconnect()' } @classes });
	my %pids = map { $_ => $world->{sessions}{$_}->pid } @classes;
	return { map { $_ => open_sockets($pids{$_}) } @classes }, { map { $_ => rss_kb($pids{$_}) } @classes };
}

sub throttle { my (%headers) = @_; return { status => 429, headers => { 'inin-ratelimit-reset' => undef, %headers } } }

my $world = new_world('plain', []);
my ($sockets, $memory) = kept_by($world);
my $always = 9;
my @rows = (
	# 429 (E2): what is no whole number of seconds above 0 is not taken for "at once".
	[ '429, Retry-After: 1', throttle('Retry-After' => '1'), passes() ],
	[ '429, Retry-After: 1, always', { %{ throttle('Retry-After' => '1') }, times => $always }, refused_for_ever('53400'), qr/max_retries.*HINT:/s ],
	[ '429, reset header only', throttle('inin-ratelimit-reset' => 1), passes() ],
	map({ [ '429, Retry-After: ' . ($_ // 'none'), throttle(defined $_ ? ('Retry-After' => $_) : ()), refused('53400'), qr/retry_timeout \(5 s\).*HINT:/s ] }
		undef, '0', '-5', 'soon', 'Wed, 21 Oct 2099 07:28:00 GMT', '100'),
	[ '429, Retry-After: 99999999999999999999', throttle('Retry-After' => '99999999999999999999'), refused('53400'), qr/retry_timeout \(100 s\)/, alter => { retry_timeout => '100s' } ],

	# The platform's own failures
	[ '500', { status => 500, error_body('internal.server.error', 'Sorry.') }, lost('58000'), qr/internal\.server\.error\): Sorry\./ ],
	[ '500, took effect', { status => 500, effect => \1 }, lost('58000') ],
	[ '502 in HTML', { status => 502, body_kind => 'html' }, lost('58000') ],
	[ '503', { status => 503 }, lost('58000') ],
	[ '503, Retry-After: 1', { status => 503, headers => { 'Retry-After' => '1' } }, lost('58000') ],
	[ '503, Retry-After: 100', { status => 503, headers => { 'Retry-After' => '100' } }, unusable('58000'), qr/retry_timeout \(5 s\)|unknown/ ],
	[ '503, always', { status => 503, times => $always }, lost_for_ever('58000') ],
	[ '504', { status => 504, body => '' }, lost('58000') ],
	[ '501', { status => 501 }, refused('58000') ],
	[ '408', { status => 408 }, passes() ],
	[ '408, always', { status => 408, times => $always }, refused_for_ever('40001') ],

	# Conflicts
	[ 'K1', { conflict => 'K1' }, refused('23505', 'HV000'), qr/external id/ ],
	[ 'K2', { conflict => 'K2' }, [ ('ok/2') x 6, 'HV000/1' ] ],
	# A batch goes on as two halves.
	[ 'K3', { conflict => 'K3' }, [ ('ok/2') x 3, 'ok/3', 'ok/2', 'ok/3', 'HV000/1' ] ],
	[ 'K4', { conflict => 'K4' }, refused('40001', 'HV000') ],
	[ 'K5', { conflict => 'K5' }, refused('40001', 'HV000'), qr/import jobs/ ],
	[ 'K6', { conflict => 'K6' }, refused('23505', '28000') ],
	[ 'K7', { conflict => 'K7' }, refused('23503', 'HV000'), qr/Field: contactList\. Entity: Campaign\.|token/ ],
	[ 'K8', { conflict => 'K8' }, refused('23505', 'HV000'), qr/duplicate contact/ ],
	[ 'K2, always', { conflict => 'K2', times => $always, headers => { 'Retry-After' => '6' } }, refused('40001', 'HV000'), qr/retry_timeout|token/ ],
	[ 'K1 by words', { conflict => 'K1', conflict_words => \1 }, refused('23505', 'HV000'), qr/HINT:.*external_id_unique|token/ ],
	[ 'K2 by words, 1', { conflict => 'K2', conflict_words => \1 }, [ ('ok/2') x 6, '-' ] ],
	[ 'K2 by words, 2', { conflict => 'K2', conflict_words => 2 }, [ ('ok/2') x 6, '-' ] ],
	[ 'K2 by words, 3', { conflict => 'K2', conflict_words => 3 }, [ ('ok/2') x 6, '-' ] ],
	[ 'K3 by words', { conflict => 'K3', conflict_words => \1 }, [ ('ok/2') x 3, 'ok/3', 'ok/2', 'ok/3', '-' ] ],
	map({ [ "K4 by words, $_", { conflict => 'K4', conflict_words => $_ }, refused('40001', 'HV000') ] } 1, 2, 3),
	[ 'K5 by words', { conflict => 'K5', conflict_words => \1 }, refused('40001', 'HV000'), qr/HINT:  Too many jobs|token/ ],
	[ 'K6 by words', { conflict => 'K6', conflict_words => \1, status => 409 }, refused('23505', 'HV000') ],
	map({ [ "K7 by words, $_", { conflict => 'K7', conflict_words => $_ }, refused('23503', 'HV000') ] } 1, 2),
	[ 'K8 by words', { conflict => 'K8', conflict_words => \1 }, refused('23505', 'HV000'), qr/HINT:  Remove the second|token/ ],
	[ '409 of no known kind', { status => 409, error_body('general.conflict', 'Who knows.') }, [ ('ok/2') x 6, 'HV000/1' ] ],

	# Refusals
	[ '400', { status => 400 }, refused('22023', '28000') ],
	# A batch is searched for the contact, and none is refused.
	[ '400 of a contact', { status => 400, error_body('invalid.value', 'No.') }, [ ('22023/1') x 3, 'ok/6', '22023/1', 'ok/6', '28000/1' ], qr/\(invalid\.value\): No\./ ],
	[ '400, unknown column', { status => 400, error_body('invalid.contact.columns', 'No.') }, refused('42703', '28000') ],
	[ '400, K7', { conflict => 'K7', status => 400 }, refused('23503', '28000') ],
	[ '302', { status => 302, headers => { Location => '/elsewhere' } }, refused('HV000') ],
	[ '403', { status => 403, error_body('missing.permissions', 'outbound:contact:add') }, refused('42501'), qr/outbound:contact:add/ ],
	[ '404', { status => 404 }, refused('HV00R', 'HV000'), qr/\A(?!.*you meant the list "list").*(list|HINT:.*login_url)/s ],
	[ '413', { status => 413 }, [ ('54000/1') x 3, 'ok/3', '54000/1', 'ok/3', 'HV000/1' ] ],
	[ '401', { status => 401 }, [ ('ok/2') x 6, '-' ] ],
	[ '401, always', { status => 401, times => $always }, [ ('28000/2') x 6, '-' ], qr/HINT:/ ],
	[ '401 of the token call', { status => 401 }, [ ('-') x 6, '28000/1' ], qr/HINT:/ ],

	# Connections that break
	[ 'closed before the effect', { drop => 'before' }, lost('08006') ],
	[ 'closed during the upload', { drop => 'during' }, without_list(lost('08006')) ],
	[ 'closed after the effect', { drop => 'after' }, lost('08006') ],
	[ 'closed after the effect, always', { drop => 'after', times => $always }, lost_for_ever('08006') ],
	[ 'reset before the effect', { drop => 'before', rst => \1 }, lost('08006') ],
	[ 'reset during the upload', { drop => 'during', rst => \1 }, without_list(lost('08006')) ],
	[ 'reset after the effect', { drop => 'after', rst => \1 }, lost('08006') ],
	[ 'reset in the answer', { truncate => 20, rst => \1 }, lost('08006') ],
	[ 'truncated', { truncate => 20 }, lost('08006'), qr/bytes (?:remaining|missing)/ ],
	[ 'truncated to nothing', { truncate => 0 }, lost('08006') ],
	[ 'stalled', { stall => \1, effect => \1 }, lost('08006'), qr/limit: request_timeout/, alter => { request_timeout => '800ms' } ],
	[ 'a byte a second', { bytes_per_second => 1 }, lost('08006'), qr/limit: request_timeout/, alter => { request_timeout => '800ms' } ],

	# Answers that are none
	[ '200, empty', { body_kind => 'empty', effect => \1 }, lost('HV000'), qr/not JSON/ ],
	[ '200, HTML', { body_kind => 'html', effect => \1 }, lost('HV000'), qr/not JSON/ ],
	[ '200, HTML, always', { body_kind => 'html', effect => \1, times => $always }, lost_for_ever('HV000'), qr/not JSON/ ],
	[ '204', { status => 204, effect => \1 }, lost('HV000') ],
	[ 'wrong content type', { content_type => 'text/html' }, [ ('ok/1') x 7 ] ],
	[ 'malformed JSON', { status => 200, effect => \1, body => '[{"id" 7}]' }, unusable('HV000', 'ok/2') ],
	[ 'half a JSON', { status => 200, effect => \1, body => '{"entities":[{"id"' }, lost('HV000') ],
	[ '10,000 levels deep', { body_kind => 'deep', effect => \1 }, unusable('HV000', 'ok/2') ],
	[ '1 GB', { body_kind => 'huge', effect => \1 }, unusable('HV000'), qr/larger than max_response_size/ ],
	[ 'gzip damaged', { body_kind => 'gzip_damaged', effect => \1 }, lost('08006') ],
	[ 'gzip bomb', { body_kind => 'gzip_bomb', body_bytes => 50_000_000, effect => \1 }, unusable('HV000'), qr/larger than max_response_size/ ],
);
run_row($world, @$_) for @rows;

# Nobody listens: nothing is sent, so that everything is tried again; and back in time.
run_row($world, 'connection refused', undef, [ ('08001') x 7 ], qr/max_retries/,
	strike => sub { $world->{sim}->stop }, mend => sub { $world->{sim}->start; fill($world) });
# Those that read would find nothing yet.
run_row($world, 'connection refused, then back', undef, [ ('-') x 3, ('ok') x 3, '-' ], undef,
	alter => { max_retries => 20, retry_timeout => '30s' },
	strike => sub { $world->{sim}->stop },
	meanwhile => sub {
		await_waiting($admin, $world->{sessions}{$_}) for keys %writes;
		$world->{sim}->start;
	},
	mend => sub { fill($world) });

# ---- certificates that go bad between two statements

# certificates(DIR): ca.pem, and for each of "good", "expired" and "elsewhere" a .pem and .key.
sub certificates
{
	my ($dir) = @_;
	my %kinds = (good => [ '127.0.0.1', 2 ], expired => [ '127.0.0.1', -1 ], elsewhere => [ '127.0.0.2', 2 ]);
	my $new_key = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes';
	my $openssl = sub { return system("cd $dir && openssl $_[0] >>log 2>&1") == 0 };

	return 0 unless $openssl->("req -x509 $new_key -days 2 -subj /CN=ca -keyout ca.key -out ca.pem");
	for my $kind (sort keys %kinds)
	{
		my ($address, $days) = @{ $kinds{$kind} };
		append_to_file("$dir/$kind.ext", "subjectAltName=IP:$address\n");
		return 0 unless $openssl->("req $new_key -subj /CN=$kind -keyout $kind.key -out $kind.csr")
		  && $openssl->("x509 -req -in $kind.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $days -extfile $kind.ext -out $kind.pem");
	}
	return 1;
}

SKIP:
{
	my $dir = PostgreSQL::Test::Utils::tempdir;
	skip 'openssl makes no certificates', 1 unless certificates($dir);
	my $use = sub {
		my ($kind) = @_;
		system("cp $dir/$kind.pem $dir/server.pem && cp $dir/$kind.key $dir/server.key") == 0 or die 'no certificate';
	};
	$use->('good');
	my $tls = new_world('tls', [ '--tls', "$dir/server.pem", "$dir/server.key" ], ca_file => "$dir/ca.pem");
	my $restart = sub { $tls->{sim}->stop; $use->($_[0]); $tls->{sim}->start; return };
	for my $row ([ 'certificate expired', 'expired', qr/certificate.*expired/ ], [ 'certificate of another host', 'elsewhere', qr/127\.0\.0\.1/ ])
	{
		my ($what, $kind, $says) = @$row;
		run_row($tls, $what, undef, [ ('08001') x 7 ], $says,
			strike => sub { $restart->($kind) }, mend => sub {
				is(scalar $tls->{sim}->requests, 0, "$what: nothing is asked");
				$restart->('good');
				fill($tls);
			});
	}
	$_->close for values %{ $tls->{sessions} };
}

# ---- tokens that end in the middle of a statement

my $sim = $world->{sim};

my @disturbed = qw(page1 batch unsafe);

# disturbed(LABEL, MS, SUB): statements whose second request takes so long, and what happens
# meanwhile.  Returns the requests of each class.
sub disturbed
{
	my ($label, $ms, $disturb) = @_;

	$sim->faults(map { { path => $struck{$_}{path}, nth => 2, times => 1, delay_ms => $ms } } @disturbed);
	$sim->forget_requests;
	my $results = all_run($world, { map { $_ => statement($world, $_, $label) } @disturbed }, sub {
		await('the second requests', sub { $sim->fault_hits == @disturbed });
		$disturb->();
	});
	$sim->faults;
	for my $class (@disturbed)
	{
		is($results->{$class}{sqlstate}, '00000', "$label, $class") or diag $results->{$class}{err};
		ok(complete($world, $class, $label, $results->{$class}), "$label, $class: every row once");
	}
	my @requests = $sim->requests;
	return map { my $class = $_; $class => [ grep { ($_->{client} // '') eq $class || $_->{path} =~ m{/$class/} } @requests ] } @disturbed;
}

begin($world);
my %requests = disturbed('token revoked', 700, sub { $sim->set(revoke_tokens => \1) });
for my $class (@disturbed)
{
	is(scalar(grep { $_->{status} == 401 } @{ $requests{$class} }), 1, "token revoked, $class: refused once");
	is(scalar(grep { $_->{path} eq '/oauth/token' } @{ $requests{$class} }), 1, "token revoked, $class: renewed once");
}

# Of a second, and renewed after nine tenths of it.
$sim->set(token_lifetime => 1);
$world->{sessions}{$_}->value('SELECT gc_fdw.disconnect()') for @disturbed;
begin($world);
%requests = disturbed('token expires', 1000, sub { });
$sim->set(token_lifetime => 86400);
cmp_ok(scalar(grep { $_->{path} eq '/oauth/token' } @{ $requests{$_} }), '>=', 1, "token expires, $_: renewed") for @disturbed;

# ---- doubts outlive what comes after them

# An answer is lost, and the repeat met by a 413: the halves may be there already.
my $batch = $world->{sessions}{batch};
my @lost_then_split = ({ %{ $struck{batch} }, times => 1, drop => 'after' }, { %{ $struck{batch} }, nth => 3, times => 1, status => 413 });
begin($world);
$sim->faults(@lost_then_split, { %{ $struck{batch} }, nth => 4, status => 400 });
my $result = $batch->run(statement($world, 'batch', 'doubtful halves'));
is($result->{sqlstate}, '22023', 'lost, split, refused: SQLSTATE');
is(counts_in($result->{err}), '10/10/5', 'lost, split, refused: accepted/in doubt/not sent');
is(stored($world, 'batch', 'doubtful halves'), 20, 'lost, split, refused: as many are there');
$sim->faults(@lost_then_split);
$result = $batch->run('BEGIN; ' . statement($world, 'batch', 'halves') . '; ROLLBACK');
is(counts_in($result->{err}), '25/0/0', 'lost, split, rolled back: the WARNING counts all as accepted');
$sim->faults;

# ---- everything at once, at random, with several requests in flight

my @mixture = map { { path => '*/contacts', %$_ } } (
	{ drop => 'before' }, { drop => 'during' }, { drop => 'after' }, { drop => 'after', rst => \1 }, { truncate => 10 },
	{ status => 503 }, { status => 503, effect => \1 }, { body_kind => 'html', effect => \1 }, { conflict => 'K2' }, { status => 413 });

# random_load(CLASS, SEED, PERCENT of each fault): 300 rows, of which as many are there as the counts say.
sub random_load
{
	my ($class, $seed, $percent) = @_;
	my $label = "seed $seed";

	$sim->set(seed => $seed);
	$sim->faults(map { { %$_, percent => $percent } } @mixture);
	my $sql = statement($world, $class, $label) =~ s/, 25\) i/, 300) i/r;
	my $result = $world->{sessions}{$class}->run($sql);
	$sim->faults;
	my @there = grep { $_->{data}{Name} =~ /^\Q$label\E \d/ } $sim->contacts($class);
	is(scalar(grep { $_->{data}{Name} ne "$label " . (substr($_->{id}, 1) + 0) } @there), 0, "$class, $label: no row is another's");
	return ($result, scalar @there);
}
alter_servers($world, max_in_flight => 4, max_retries => 20, retry_timeout => '60s');
begin($world);
for my $seed (1, 2)
{
	my ($result, $there) = random_load('batch', $seed, 2);
	is("$result->{sqlstate} $there", '00000 300', "faults at random, seed $seed: every row once") or diag $result->{err};
}
alter_servers($world, max_retries => 0);
begin($world);
for my $seed (4 .. 11)
{
	for my $class (qw(batch unsafe))
	{
		my ($result, $there) = random_load($class, $seed, 4);
		my ($accepted, $doubtful) = $result->{sqlstate} eq '00000' ? (300, 0) : split m{/}, counts_in($result->{err});
		ok($there >= $accepted && $there <= $accepted + $doubtful, "$class, faults at random, seed $seed: $there contacts are there, $accepted accepted, $doubtful in doubt");
	}
}
alter_servers($world, %settings);

# ---- the end

my $width = 0;
for my $row (@matrix) { $width = length $row->[0] if length $row->[0] > $width }
note sprintf "%-*s" . '  %-9s' x @classes, $width, 'fault', @classes;
note sprintf "%-*s" . '  %-9s' x @classes, $width, @$_ for @matrix;

my ($sockets_now, $memory_now) = kept_by($world);
for my $class (@classes)
{
	my $session = $world->{sessions}{$class};
	is($session->value("SELECT count(*) FROM pg_backend_memory_contexts WHERE name LIKE 'gc_fdw c%'"), 0, "$class: no call is left");
  SKIP:
	{
		skip 'no /proc', 2 unless defined $sockets->{$class};
		is($sockets_now->{$class}, $sockets->{$class}, "$class: no descriptor is left");
		skip_sanitized();
		cmp_ok($memory_now->{$class} - $memory->{$class}, '<', 8 * 1024, "$class: nor the memory of an answer");
	}
}
$admin->close;
$node->stop;
done_testing();

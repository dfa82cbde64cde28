# What a load never changes: an opt-out, attempts, the statuses of numbers, what it does not name, whoever loads, by whichever
# way and dialect (docs/compliance.md; H1, H2, H4, D2b; DESIGN 2.1).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new;
my $list = $sim->list('Leads', qw(Phone Key Name Note));
my $node = new_node('loads', "shared_preload_libraries = 'gc_fdw'");
my %tables;

for my $dialect (qw(platform jobs))
{
	add_server($node, $sim, $dialect, dialect => $dialect, upload_url => $dialect eq 'platform' ? $sim->url : undef);
	for my $kind ([ 'leads' ], [ 'deferred', deliver => 'commit' ], [ 'merging', partial_rows => 'merge' ], [ 'presigned', upload_method => 'presigned' ],
		[ 'bulk', direct_modify => 'true', exact_filters => 'true' ], [ 'queued', do_not_queue => 'true' ])
	{
		my ($table, %options) = @$kind;
		leads_table($node, "${dialect}_$table", $dialect, 'Leads', %options);
		$node->safe_psql('postgres', "ALTER FOREIGN TABLE ${dialect}_$table ADD note text OPTIONS (field 'Note'), ADD callable boolean OPTIONS (attribute 'callable'),
			ADD statuses jsonb OPTIONS (attribute 'phone_number_status')");
	}
}
my $session = GcSession->new($node);

sub import_by
{
	my ($method, $table, @arguments) = @_;
	return sub {
		my ($dialect, $row) = @_;
		my $id = $session->value('SELECT gc_fdw.submit_import(' . join(', ', "'${dialect}_" . ($table // 'leads') . "'", "\$q\$SELECT $row\$q\$", "method => '$method'", @arguments) . ')');
		my $state = $session->value("SELECT state || coalesce(' ' || failure_reason, '') FROM gc_fdw.await_import($id, '1min')");
		is($state, 'done', "$dialect: import by $method ends");
		return;
	};
}

sub run { my ($sql) = @_; my $result = $session->run($sql); is($result->{sqlstate}, '00000', $sql) or diag $result->{err}; return }
sub statement { my ($sql) = @_; return sub { my ($dialect, $row) = @_; run($sql =~ s/DIALECT/$dialect/gr =~ s/ROW/$row/gr); return } }

# Each way to load a row that names all columns of the list, and to change a contact.
my $columns = '(k, phone, name, note, callable, statuses)';
my %loads = (
	'INSERT' => statement("INSERT INTO DIALECT_leads $columns SELECT ROW"),
	'INSERT at COMMIT' => statement("INSERT INTO DIALECT_deferred $columns SELECT ROW"),
	'INSERT, merging' => statement("INSERT INTO DIALECT_merging $columns SELECT ROW"),
	'COPY' => sub {
		my ($dialect, $row) = @_;
		$session->value("CREATE TEMP TABLE source AS SELECT $row");
		my $file = PostgreSQL::Test::Utils::tempdir() . '/rows';
		chmod 0777, $file =~ s{/rows$}{}r;
		run("COPY source TO '$file'");
		run("COPY ${dialect}_leads $columns FROM '$file'; DROP TABLE source");
	},
	'import by contacts' => import_by('contacts'),
	'import by upload' => import_by('upload'),
	'platform: import by upload, presigned' => import_by('upload', 'presigned'),
	'jobs: import by bulk' => import_by('bulk'),
	'jobs: import by import' => import_by('import'),
);
my %changes = (
	'UPDATE' => statement(q(UPDATE DIALECT_leads SET name = 'after' WHERE k = 'K-1')),
	'UPDATE at COMMIT' => statement(q(UPDATE DIALECT_deferred SET name = 'after' WHERE k = 'K-1')),
	'UPDATE, as a bulk job' => statement(q(UPDATE DIALECT_bulk SET name = 'after' WHERE name = 'before')),
);

# A contact with everything that the dialler, agents and compliance have left on it.
my %left = (
	callable => JSON::PP::false,
	phoneNumberStatus => { Phone => { callable => JSON::PP::false } },
	contactableStatus => { Email => { contactable => JSON::PP::false } },
	callRecords => { Phone => { lastAttempt => '2026-01-31T10:00:00.000Z', lastResult => 'ININ-OUTBOUND-BUSY' } },
	contactColumnTimeZones => { Phone => { timeZone => 'Europe/Oslo', columnType => 'PHONE' } },
);

sub put
{
	$sim->set(import_ms => 0);
	$sim->api('POST', "/outbound/contactlists/$list/contacts?clearSystemData=true", [ { id => 'K-1', contactListId => $list,
		data => { Key => 'K-1', Phone => '+14155550100', Name => 'before', Note => 'an agent was here' } } ]);
	return $sim->call('POST', '/_sim/contacts', { listId => $list, id => 'K-1', %left, @_ });
}

sub contact { my ($found) = grep { $_->{id} eq 'K-1' } $sim->contacts($list); return $found }

# flat(CONTACT): its members by their paths, less what says nothing of it.
sub flat
{
	my ($value, $path) = @_;
	return map { flat($value->{$_}, defined $path ? "$path.$_" : $_) } grep { !/^(?:doNotQueue|configurationOverrides|inUse)$/ } keys %$value if ref $value eq 'HASH';
	return ($path => ref $value eq 'ARRAY' ? JSON::PP->new->canonical->encode($value) : defined $value ? "$value" : 'null');
}

# changed(BEFORE, AFTER): the members that differ.
sub changed
{
	my %before = flat($_[0]);
	my %after = flat($_[1]);
	my %all = (%before, %after);
	return join ', ', sort grep { ($before{$_} // '-') ne ($after{$_} // '-') } keys %all;
}

# Somebody whom no load has, and what is not this list's.
my $other_list = $sim->list('Others', qw(Phone Key Name));
leads_table($node, 'others', 'platform', 'Others');
$sim->api('POST', "/outbound/contactlists/$list/contacts", [ { id => 'K-2', contactListId => $list, data => { Key => 'K-2', Phone => '+14155550102', Name => 'aside' } } ]);
$sim->call('POST', '/_sim/contacts', { listId => $list, id => 'K-2', %left });
$sim->call('POST', '/_sim/campaigns', { id => 'c-1', name => 'Spring', contactList => { id => $list }, dncLists => [ { id => 'robinson' } ], campaignStatus => 'complete' });
$sim->call('POST', '/_sim/dnclists', { id => 'robinson', name => 'Robinson', entries => ['+14155550100'] });

sub aside
{
	my ($contact) = grep { $_->{id} eq 'K-2' } $sim->contacts($list);
	return { contact => $contact, campaign => $sim->api('GET', '/outbound/campaigns/c-1'), dnc => $sim->api('GET', '/outbound/dnclists/robinson?includeSize=true'), others => $sim->count($other_list) };
}
my $aside = aside();

# changes(WHAT, WANTED, SUB): the members of the contact that it changes.
sub changes
{
	my ($what, $wanted, $sub) = @_;
	my $before = contact();

	$sub->();
	return is(changed($before, contact()), $wanted, "$what: what changes");
}

my $row = "'K-1' AS k, '+14155550100' AS phone, 'after' AS name, 'an agent was here' AS note";
my $callable = "$row, true AS callable, '{\"Phone\": {\"callable\": true}}'::jsonb AS statuses";
my $silent = "$row, NULL::boolean AS callable, NULL::jsonb AS statuses";
# A new contact would be dialled, too: a load puts those that it updates at the end of the queue, but for do_not_queue.
my $loaded = 'data.Name, queueMoves';

for my $setting ({ put_absent => 'keep', absent_cells => 'keep', status_parts => 'merge' }, { put_absent => 'reset', absent_cells => 'blank', status_parts => 'replace' })
{
	my $told = join ', ', map { "$_ $setting->{$_}" } sort keys %$setting;
	$sim->set(%$setting);
	for my $dialect (qw(platform jobs))
	{
		for my $name (sort keys %loads)
		{
			my ($only) = $name =~ /^(\w+):/;
			next if $only && $only ne $dialect;
			# That the row says that it is callable, or nothing of it, is all the same.
			for my $says ($name =~ /import/ ? $callable : ($callable, $silent))
			{
				put();
				changes("$dialect, $told: $name", $loaded, sub { $loads{$name}->($dialect, $says) });
			}
		}
		for my $name (sort keys %changes)
		{
			put();
			$sim->forget_requests;
			changes("$dialect, $told: $name", 'data.Name', sub { $changes{$name}->($dialect) });
			is(!!$sim->requests(qr{/bulk/update$}), $name =~ /bulk/, "$dialect: $name: by bulk jobs, or not");
		}
		put();
		changes("$dialect, $told: INSERT that names not all columns, merging", $loaded, sub { run("INSERT INTO ${dialect}_merging (k, name) VALUES ('K-1', 'after')") });
		changes("$dialect, $told: INSERT, do_not_queue", 'data.Name', sub { run("INSERT INTO ${dialect}_queued (k, phone, name, note) VALUES ('K-1', '+14155550100', 'again', 'an agent was here')") });
		# What is asked for by name is done, and nothing beside it.
		changes("$dialect, $told: UPDATE callable = true", 'callable', sub { run("UPDATE ${dialect}_leads SET callable = true WHERE k = 'K-1'") });
		changes("$dialect, $told: UPDATE callable = false", 'callable', sub { run("UPDATE ${dialect}_leads SET callable = false WHERE k = 'K-1'") });
		put(callable => JSON::PP::true);
		changes("$dialect, $told: quarantine", 'callable', sub { run("SELECT gc_fdw.quarantine(key => 'K-1', server => '$dialect')") });
		put(callable => JSON::PP::true);
		changes("$dialect, $told: INSERT with an opt-out", "callable, $loaded", sub { run("INSERT INTO ${dialect}_leads $columns SELECT $row, false, NULL") });
	}
}

# D2b: an opt-out between an answer that was lost and the retry stays, whatever is retried.
for my $dialect (qw(platform jobs))
{
	for my $name ('INSERT', 'INSERT at COMMIT', 'INSERT, merging', 'COPY', 'import by contacts', 'UPDATE', 'UPDATE at COMMIT')
	{
		put(callable => JSON::PP::true);
		$sim->faults({ method => 'POST', path => "*/contactlists/$list/contacts", nth => 1, drop => 'after',
			calls_after => [ { path => '/_sim/contacts', body => { listId => $list, id => 'K-1', callable => JSON::PP::false } } ] });
		($loads{$name} // $changes{$name})->($dialect, $callable);
		is($sim->fault_hits, 1, "$dialect: $name: the answer was lost");
		$sim->faults;
		is(contact()->{callable} . ' ' . contact()->{data}{Name}, '0 after', "$dialect: $name: the opt-out in between stays");
	}
}

is(changed($aside, aside()), '', 'all the while: other contacts, lists, campaigns and DNC lists stay');

# An opt-out is of one list; and nobody is made by an UPDATE.
put();
run("INSERT INTO others (k, phone, name) VALUES ('K-1', '+14155550100', 'elsewhere')");
is(join(' ', map { $_->{callable} } contact(), $sim->contacts($other_list)), '0 1', 'a contact that is loaded into another list is callable there, and not here');
run("UPDATE platform_leads SET name = 'nobody' WHERE k = 'K-9'");
is(scalar(grep { $_->{id} eq 'K-9' } $sim->contacts($list)), 0, 'an id that nobody has: an UPDATE makes no contact');

# What does undo an opt-out: clear_system_data, and a contact that is deleted and loaded again.
put();
changes('INSERT with clear_system_data', 'callRecords.Phone.lastAttempt, callRecords.Phone.lastResult, callable, contactableStatus.Email.contactable, data.Name, phoneNumberStatus.Phone.callable, queueMoves', sub {
	run("ALTER FOREIGN TABLE platform_leads OPTIONS (ADD clear_system_data 'true')");
	run("INSERT INTO platform_leads (k, phone, name, note) VALUES ('K-1', '+14155550100', 'after', 'an agent was here')");
	run('ALTER FOREIGN TABLE platform_leads OPTIONS (DROP clear_system_data)');
});
put();
run("DELETE FROM platform_leads WHERE k = 'K-1'");
run("INSERT INTO platform_leads (k, phone) VALUES ('K-1', '+14155550100')");
is(contact()->{callable}, 1, 'deleted and loaded again: it is callable');

done_testing();

# The table of docs/permissions.md: each feature works with a client that has exactly the permissions of its row, and without
# any one of them it is 42501, which names the one that is missing (issue 7, 9; DESIGN 5: 403).
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use GcTest;
use JSON::PP ();
use PostgreSQL::Test::Utils;
use Test::More;

skip_unless_possible();

my $sim = GcSim->new('--client', 'limited', 'secret', '--set', 'export_ms=0', '--set', 'recycle_ms=0');
my $list = $sim->list('Leads', qw(Phone Key Name));
my $node = new_node('permissions', "shared_preload_libraries = 'gc_fdw'");
my $admin = GcSession->new($node);

# The client of all tables has the permissions that a row says; what prepares a feature is done by another one.
add_server($node, $sim, 'genesys', client => 'limited', upload_url => $sim->url, import_threshold => 5, retry_timeout => '5s', ready_timeout => '5s');
leads_table($node, 'leads', 'genesys', 'Leads');
leads_table($node, 'deferred', 'genesys', 'Leads', deliver => 'commit');
leads_table($node, 'skipping', 'genesys', 'Leads', on_duplicate => 'ignore');
leads_table($node, 'merging', 'genesys', 'Leads', partial_rows => 'merge');
leads_table($node, 'bulk', 'genesys', 'Leads', direct_modify => 'true', exact_filters => 'true');
leads_table($node, 'signed', 'genesys', 'Leads', upload_method => 'presigned');
leads_table($node, 'exported', 'genesys', 'Leads', scan_method => 'export');
leads_table($node, 'cleared', 'genesys', 'Leads', truncatable => 'true');
$admin->value("ALTER FOREIGN TABLE $_ ADD callable boolean OPTIONS (attribute 'callable'), ADD list_name text OPTIONS (attribute 'list_name')") for qw(leads bulk);
$admin->value($_) for split /\n/, <<'SQL';
IMPORT FOREIGN SCHEMA outbound LIMIT TO (contact_lists, campaigns, dnc_lists, events, import_jobs) FROM SERVER genesys INTO public
CREATE FOREIGN TABLE robinson (entry text, expires_at timestamptz) SERVER genesys OPTIONS (object 'dnc_entries', dnc_list_name 'Robinson', truncatable 'true')
CREATE FOREIGN TABLE dialling (name text, attempts int, idle_agents int) SERVER genesys OPTIONS (object 'campaigns')
CREATE FOREIGN TABLE codes (id text, name text, description text) SERVER genesys OPTIONS (object 'entities', path '/api/v2/routing/wrapupcodes', natural_key 'name')
CREATE FOREIGN TABLE filters (id text, name text, list text OPTIONS (field 'contactList/id'), filter_type text OPTIONS (field 'filterType'), clauses jsonb, version int) SERVER genesys OPTIONS (object 'entities', path '/api/v2/outbound/contactlistfilters', natural_key 'name', version_field 'version')
CREATE FOREIGN TABLE units (id text, name text, unit text OPTIONS (field 'businessUnitId'), zone text OPTIONS (field 'timeZone'), version int OPTIONS (field 'settings/metadata/version')) SERVER genesys OPTIONS (object 'entities', paged 'off', update_method 'patch', natural_key 'name', path '/api/v2/workforcemanagement/managementunits?expand=settings.metadata', version_field 'settings/metadata/version')
SQL

# The organisation as it is before each try; $n makes names that were not there.
my $n = 0;

sub prepare
{
	$n++;
	$sim->set(client_permissions => { limited => undef });
	$sim->call('POST', '/_sim/campaigns', { id => 'c-1', name => 'Spring', contactList => { id => $list }, dncLists => [ { id => 'robinson' } ], campaignStatus => 'off',
		dialingMode => 'preview', callerName => 'Us', callerAddress => '+14155550100', phoneColumns => [ { columnName => 'Phone', type => 'cell' } ] });
	$sim->call('POST', '/_sim/dnclists', { id => 'robinson', name => 'Robinson', entries => [ '+14155550199' ] });
	$sim->api('POST', "/outbound/contactlists/$list/contacts?clearSystemData=true", [ map { { id => "K-$_", contactListId => $list,
		data => { Key => "K-$_", Phone => '+14155550100', Name => "before $n" } } } 1 .. 8 ]);
	return;
}

my $spare;
sub spare { $spare = $sim->list("Spare $n", qw(Phone Key Name)); return }
sub campaign { $sim->call('POST', '/_sim/campaigns', { id => 'c-1', @_ }); return }

# An import ends, or pauses: with its reason as the error.
sub import_by
{
	my ($table, $rows, @arguments) = @_;
	my $arguments = join '', map { ", $_" } @arguments;

	return sub {
		return <<"SQL";
DO \$do\$ DECLARE r record; i bigint; BEGIN
  i := gc_fdw.submit_import('$table', \$q\$SELECT 'I-$n-' || g AS k, '+1415' || lpad(g::text, 7, '0') AS phone, 'import $n' AS name FROM generate_series(1, $rows) g\$q\$$arguments);
  COMMIT;
  SELECT state, failure_code, failure_reason INTO r FROM gc_fdw.await_import(i);
  IF r.state <> 'done' THEN
    PERFORM gc_fdw.cancel_import(i);
    COMMIT;
    RAISE EXCEPTION '%', r.state USING ERRCODE = r.failure_code, DETAIL = r.failure_reason;
  END IF;
END \$do\$
SQL
	};
}

# Rows that tell of a failure are an error, with what they say.
sub all_done
{
	my ($call, $failed, $says) = @_;
	return <<"SQL";
DO \$do\$ DECLARE said text; BEGIN
  SELECT string_agg($says, ', ') FILTER (WHERE $failed) INTO said FROM $call;
  IF said IS NOT NULL THEN
    RAISE EXCEPTION 'a row says so' USING ERRCODE = '42501', DETAIL = said;
  END IF;
END \$do\$
SQL
}

# The four verbs of a collection, of which there is one thing before.
my $clause = '{"filterType": "AND", "predicates": [{"column": "Name", "columnType": "alphabetic", "operator": "EQUALS", "value": "x"}]}';

sub verbs
{
	my ($name, $table, %of) = @_;
	my $anew = sub
	{
		my $at = $of{at} ? "/$of{at}" : '/outbound/contactlistfilters';
		my %thing = $of{at} ? (name => $of{name}) : (name => "Filter $n", contactList => { id => $list }, filterType => 'AND', clauses => [ JSON::PP::decode_json($clause) ]);
		$thing{businessUnitId} = 'bu-1' if $table eq 'units';
		my $all = $sim->api('GET', "$at?pageSize=100");
		eval { $sim->api('DELETE', "$at/$_->{id}") } for @{ $all->{entities} };
		$sim->api('POST', $at, \%thing);
	};
	return (
		"$name, SELECT" => { before => $anew, sql => sub { "SELECT * FROM $table" } },
		"$name, INSERT" => { before => $anew, sql => sub { "INSERT INTO $table $of{insert}" } },
		"$name, UPDATE" => { before => $anew, sql => sub { "UPDATE $table SET $of{update} = 'changed $n'" } },
		"$name, DELETE" => { before => $anew, sql => sub { "DELETE FROM $table" } });
}

# Each feature of the table: what is run, and what is to be there before.
my %features = (
	'SELECT, by search' => { sql => sub { "SELECT * FROM leads WHERE name = 'before $n'" } },
	'SELECT, by id or key' => { sql => sub { "SELECT * FROM leads WHERE k = 'K-1'" } },
	'SELECT, by export' => { sql => sub { 'SELECT k, name FROM exported' } },
	'COUNT(*)' => { sql => sub { 'SELECT count(*) FROM leads' } },
	'ANALYZE' => { sql => sub { 'ANALYZE leads' } },
	'INSERT, COPY' => { sql => sub { "INSERT INTO leads (k, phone, name) VALUES ('K-1', '+14155550100', 'after $n')" } },
	'… with deliver commit' => { sql => sub { "INSERT INTO deferred (k, phone, name) VALUES ('K-1', '+14155550100', 'after $n')" } },
	'… with on_duplicate ignore or error, ON CONFLICT DO NOTHING' => { sql => sub { "INSERT INTO skipping (k, phone, name) VALUES ('N-$n', '+14155550100', 'after $n')" } },
	'… with partial_rows merge' => { sql => sub { "INSERT INTO merging (k, name) VALUES ('K-1', 'after $n')" } },
	'UPDATE' => { sql => sub { "UPDATE leads SET callable = false WHERE k = 'K-1'" } },
	'UPDATE, as a bulk job' => { sql => sub { "UPDATE bulk SET name = 'after' WHERE name = 'before $n'" } },
	'DELETE' => { sql => sub { "DELETE FROM leads WHERE k = 'K-2'" } },
	'DELETE, as a bulk job' => { sql => sub { "DELETE FROM bulk WHERE name = 'before $n'" } },
	'TRUNCATE' => { sql => sub { 'TRUNCATE cleared' } },
	'IMPORT FOREIGN SCHEMA' => { sql => sub { "CREATE SCHEMA s$n; IMPORT FOREIGN SCHEMA outbound FROM SERVER genesys INTO s$n" } },
	'schema_diff' => { sql => sub { q(SELECT * FROM gc_fdw.schema_diff('leads', 'SELECT 1 AS k')) } },
	'create_list_parent' => { sql => sub { "SELECT gc_fdw.create_list_parent('public', 'parent_$n', '{leads}')" } },
	'import by contacts' => { sql => import_by('leads', 3) },
	'import by contacts, on_duplicate ignore or error' => { sql => import_by('leads', 3, "on_duplicate => 'ignore'") },
	'import by upload' => { sql => import_by('leads', 9) },
	'import by upload, presigned' => { sql => import_by('signed', 9) },
	'contact_lists, SELECT' => { sql => sub { 'SELECT * FROM contact_lists' } },
	'contact_lists, INSERT' => { sql => sub { qq(INSERT INTO contact_lists (name, column_names, phone_columns) VALUES ('New $n', '{Phone}', '[{"columnName": "Phone", "type": "cell"}]')) } },
	'contact_lists, UPDATE' => { sql => sub { "UPDATE contact_lists SET trim_whitespace = NOT trim_whitespace WHERE name = 'Leads'" } },
	'contact_lists, DELETE' => { before => \&spare, sql => sub { "DELETE FROM contact_lists WHERE name = 'Spare $n'" } },
	'campaigns, SELECT' => { sql => sub { 'SELECT * FROM campaigns' } },
	'campaigns, SELECT of stats' => { sql => sub { 'SELECT * FROM dialling' } },
	'campaigns, UPDATE' => { sql => sub { "UPDATE campaigns SET name = 'Spring $n'" } },
	'campaigns, binding' => { before => \&spare, sql => sub { "UPDATE campaigns SET contact_list_id = '$spare'" } },
	'campaigns, on' => { sql => sub { "UPDATE campaigns SET campaign_status = 'on'" } },
	'campaigns, off' => { before => sub { campaign(campaignStatus => 'on') }, sql => sub { "UPDATE campaigns SET campaign_status = 'off'" } },
	'campaigns, recycle' => { sql => sub { "UPDATE campaigns SET campaign_status = 'recycle'" } },
	'dnc_lists, SELECT' => { sql => sub { 'SELECT * FROM dnc_lists' } },
	'dnc_lists, INSERT' => { sql => sub { "INSERT INTO dnc_lists (name, source_type, contact_method) VALUES ('New $n', 'rds', 'Phone')" } },
	'dnc_lists, UPDATE' => { before => sub { $sim->call('POST', '/_sim/dnclists', { id => 'robinson', name => "Was $n" }) }, sql => sub { "UPDATE dnc_lists SET name = 'Robinson $n' WHERE name = 'Was $n'" } },
	'dnc_lists, DELETE' => { before => sub { $sim->call('POST', '/_sim/dnclists', { id => "spare-$n", name => "Spare $n" }) }, sql => sub { "DELETE FROM dnc_lists WHERE name = 'Spare $n'" } },
	'dnc_entries, SELECT' => { sql => sub { 'SELECT * FROM robinson' } },
	'dnc_entries, INSERT, COPY' => { sql => sub { "INSERT INTO robinson VALUES ('+14155550101')" } },
	'dnc_entries, UPDATE' => { sql => sub { "UPDATE robinson SET expires_at = '2030-01-01 00:00+00'" } },
	'dnc_entries, DELETE' => { sql => sub { 'DELETE FROM robinson' } },
	'dnc_entries, TRUNCATE' => { sql => sub { 'TRUNCATE robinson' } },
	'events' => { sql => sub { 'SELECT * FROM events' } },
	'import_jobs' => { sql => sub { 'SELECT * FROM import_jobs' } },
	'quarantine, of a contact' => { sql => sub { all_done("gc_fdw.quarantine(key => 'K-1')", q(result LIKE 'failed%'), 'result') } },
	'quarantine, of a number' => { sql => sub { all_done("gc_fdw.quarantine(number => '+1415555' || lpad('$n', 4, '0'))", q(result LIKE 'failed%'), 'result') } },
	'… on the DNC lists of messaging campaigns, too' => { warns => 'outbound:messagingCampaign:view', sql => sub { all_done("gc_fdw.quarantine(number => '+1415556' || lpad('$n', 4, '0'))", q(result LIKE 'failed%'), 'result') } },
	# The WARNING says why.
	'forget_contact' => { sql => sub { all_done("gc_fdw.forget_contact('K-1')", 'rows IS NULL', 'relation') } },
	verbs('wrap-up codes', 'codes', insert => "(name) VALUES ('New')", update => 'description', at => 'routing/wrapupcodes', name => 'Sale'),
	verbs('contact list filters', 'filters', insert => "(name, list, clauses) VALUES ('New', '$list', '[$clause]')", update => 'name'),
	verbs('management units', 'units', insert => "(name) VALUES ('New')", update => 'zone', at => 'workforcemanagement/managementunits', name => 'North'),
);

# try(FEATURE, PERMISSION...): in a session that knows nothing yet; its result.
sub try
{
	my ($name, @permissions) = @_;
	my $feature = $features{$name};

	prepare();
	$feature->{before}->() if $feature->{before};
	$sim->set(client_permissions => { limited => \@permissions });
	my $session = GcSession->new($node);
	my $result = $session->run($feature->{sql}->());
	$session->close;
	return $result;
}

# The rows of the document: [FEATURE, [PERMISSION, ALTERNATIVE...]...].
my @rows;
for my $line (split /\n/, PostgreSQL::Test::Utils::slurp_file("$FindBin::Bin/../docs/permissions.md"))
{
	my ($name, $permissions) = $line =~ /^\| (.*?) \| (`[a-z]+:.*?) \|/ or next;
	push @rows, [ $name, map { [ /`([^`]+)`/g ] } split /, /, $permissions ];
}
is(join("\n", sort map { $_->[0] } @rows), join("\n", sort keys %features), 'each row of the document is tried');

# chosen(GROUP...): all ways to have one permission of each.
sub chosen
{
	my ($first, @rest) = @_;
	return [] if !$first;
	my @rest_chosen = chosen(@rest);
	return map { my $one = $_; map { [ $one, @$_ ] } @rest_chosen } @$first;
}

for my $row (@rows)
{
	my ($name, @groups) = @$row;

	next if !$features{$name};
	for my $set (chosen(@groups))
	{
		my $result = try($name, @$set);
		is($result->{sqlstate}, '00000', "$name: with @$set") or diag $result->{err};
	}
	for my $without (0 .. $#groups)
	{
		my @others = map { @{ $groups[$_] } } grep { $_ != $without } 0 .. $#groups;
		my $result = try($name, @others);
		my $names = join '|', map { quotemeta } @{ $groups[$without] };
		# What can be done without it is done, with a WARNING.
		my $warns = grep { $_ eq ($features{$name}{warns} // '') } @{ $groups[$without] };
		is($result->{sqlstate}, $warns ? '00000' : '42501', "$name: without @{ $groups[$without] }") or diag $result->{err};
		like($result->{err}, qr/(permission\(s\)|assigned): \[[^]]*\b(?:$names)\b/, "$name: … which is named");
	}
}

# What a TRUNCATE has done is told, though it may not look.
my $truncated = try('TRUNCATE', qw(outbound:contactList:view outbound:contact:delete))->{err};
like($truncated, qr/ERROR:  could not see whether contact list "Leads" is empty/, 'TRUNCATE, without outbound:contact:view: it could not be seen');
like($truncated, qr/WARNING:  contacts that TRUNCATE took .* are not brought back by the rollback/, '… and the contacts are gone');

# A permission that is for other divisions alone; its hint is another one.
$sim->faults({ method => 'POST', path => "*/contactlists/$list/contacts", status => 403, times => 1,
	body_json => { status => 403, code => 'missing.division.permission', message => 'You are missing the permission outbound:contact:add in division North.' } });
$sim->set(client_permissions => { limited => undef });
my $elsewhere = $admin->run("INSERT INTO leads (k, phone) VALUES ('K-1', '+14155550100')");
is($elsewhere->{sqlstate}, '42501', 'a permission of other divisions');
like($elsewhere->{err}, qr/outbound:contact:add in division North.*HINT:  Give the role of the OAuth client for that division, too/s, '… the message names both, the hint what to do');
$sim->faults;

# A name that a list has which the client does not see.
for my $what ([ 'contact_lists', $features{'contact_lists, INSERT'}{sql} ], [ 'dnc_lists', $features{'dnc_lists, INSERT'}{sql} ])
{
	my ($table, $insert) = @$what;
	my $path = $table =~ s/_//r;

	$n++;
	$sim->faults({ method => 'POST', path => "/outbound/$path", status => 400, body_json => { status => 400, code => 'duplicate.name', message => 'The name is taken.' } });
	is($admin->run($insert->())->{sqlstate}, '23505', "$table: a name that is taken in another division");
}
$sim->faults;

# An import by file that may not look what became of it waits, and goes on when it may: the file went once.
my @by_file = qw(outbound:contactList:view outbound:contact:add);
for my $case ([ 'outbound:eventLog:view', 0 ], [ 'outbound:contact:view', 100 ])
{
	my ($missing, $tiny) = @$case;

	prepare();
	$sim->set(import_tiny => $tiny, client_permissions => { limited => [ @by_file, grep { $_ ne $missing } qw(outbound:eventLog:view outbound:contact:view) ] });
	$sim->forget_requests;
	my $session = GcSession->new($node);
	my $id = $session->value("SELECT gc_fdw.submit_import('leads', \$\$SELECT 'F-$n-' || g AS k, '+1415555000' || g AS phone, 'file' AS name FROM generate_series(1, 9) g\$\$)");
	is($session->value("SELECT state || ' ' || failure_code FROM gc_fdw.await_import($id, '1min')"), 'paused 42501', "import by upload, without $missing: it waits");
	like($session->value("SELECT failure_reason FROM gc_fdw.imports WHERE id = $id"), qr/\Q$missing\E/, '… the reason names it');
	$sim->set(client_permissions => { limited => [ @by_file, qw(outbound:eventLog:view outbound:contact:view) ] });
	$session->value("SELECT gc_fdw.resume_imports($id)");
	is($session->value("SELECT state || ' ' || rows_accepted || ' ' || rows_in_doubt FROM gc_fdw.await_import($id, '1min')"), 'done 9 0', '… and is done with it');
	is(scalar($sim->requests(qr{/uploads/v2/contactlist})), 1, '… by one upload');
}

done_testing();

# The differential test of reading: random queries are run over contact lists and over a
# local table that holds the same, and their results compared.
package GcDiff;

use strict;
use utf8;
use warnings;

use Encode qw(decode_utf8 encode_utf8);
use Test::More;

use GcDiffData;
use GcDiffExpr qw(render);
use GcDiffQuery;
use GcSession;
use GcSim;
use GcTest;

my $contacts = 330;
my $most_shown = 10;
my @methods = qw(ids search export);

# new(NODE, SEED, FORMS): a variant for each way to read and each way in which the platform
# may compare text; and "word", in which the option exact_filters says that it compares as
# PostgreSQL does, and it does.
sub new
{
	my ($class, $node, $seed, $forms) = @_;
	my $self = bless {
		node => $node, seed => $seed, forms => $forms, data => GcDiffData->new($seed, $contacts, $forms), variants => [],
			differences => 0,
			empty => 0,
		map { $_ => {} } qw(kinds compared skipped failed alike refused),
	}, $class;

	$self->connect;
	$self->make_local;
	$self->add_lists($_, $_) for qw(ignorecase exact);
	$self->add_lists('word', 'exact', 1) unless $forms eq 'any';
	return $self;
}

sub connect
{
	my ($self) = @_;
	local $ENV{PGCLIENTENCODING} = 'UTF8';

	# After a crash it takes a moment.
	$self->{session} = await('a session', sub { eval { GcSession->new($self->{node}) } });
	$self->must($_) for "\\pset null '\\\\N'", "\\pset fieldsep '\\x1f'", "\\pset recordsep '\\x1e'", '\\set VERBOSITY verbose',
	  '\\pset tuples_only off', 'SET client_min_messages = warning', "SET statement_timeout = '2min'", 'SET jit = off';
	return;
}

# must(SQL): a statement that has to succeed; returns what it gives.
sub must
{
	my ($self, $sql) = @_;
	my $result = $self->{session}->run(encode_utf8($sql), 300);
	die "$sql\n$result->{err}" if $result->{err} =~ /^(ERROR|FATAL)/m || $result->{closed};
	return decode_utf8($result->{out});
}

sub make_local
{
	my ($self) = @_;

	if ($self->{node}->safe_psql('postgres', "SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'") ne '')
	{
		$self->must(q{CREATE COLLATION public.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)});
	}
	else
	{
		$self->{data}->forget_icu;
		note 'without the collations of ICU';
	}
	$self->must($self->{data}->local_sql);
	return;
}

# A simulator with the list, and a table for each way of reading that there is.
sub add_lists
{
	my ($self, $name, $compare, $word) = @_;
	my $sim = GcSim->new('--set', "text_compare=$compare");
	my $data = $self->{data};
	my $list = $data->make_list($sim, $word);

	add_server($self->{node}, $sim, $name, $word ? (exact_filters => 'true') : ());
	$self->must("CREATE SCHEMA load_$name;" . $data->load_sql("load_$name", $name));
	$data->set_attributes($sim, $list);
	for my $method ('auto', $word ? 'search' : @methods)
	{
		my $schema = "${name}_$method";
		$self->must($data->far_sql($schema, $name));
		if ($method ne 'auto')
		{
			my $set = $self->{session}->run("ALTER FOREIGN TABLE $schema.leads OPTIONS (ADD scan_method '$method')");
			if ($set->{err} ne '')
			{
				$self->{refused}{$method} = error_of($set);
				next;
			}
		}
		push @{ $self->{variants} }, { name => "$method, $name", schema => $schema, method => $method, sim => $sim,
			word => $word };
	}
	return;
}

# altered(COLUMN, EXPRESSION): the right table, but for that.
sub altered
{
	my ($self, $name, $as) = @_;
	return 'SELECT ' . join(', ',
		map { $_->{name} eq $name ? "$as AS $name" : $_->{name} } $self->{data}->columns) . ' FROM near.leads';
}

sub variants { return @{ $_[0]{variants} } }

# ---- results -------------------------------------------------------------------------

sub error_of { my ($result) = @_; return $result->{err} =~ /^(?:ERROR|FATAL|PANIC): +(\w{5}: .*)/m ? decode_utf8($1) : '' }

# result(SCHEMA, QUERY, SQL): {rows, error, warnings}; rows are undecoded.  Of several
# results headers and counts are left in, since a cell may hold a newline.
sub result
{
	my ($self, $schema, $query, $sql) = @_;
	my $session = $self->{session};
	my $settings = join '', map { "SET LOCAL $_;\n" } @{ $query->{settings} };
	my $result = $session->run(encode_utf8("BEGIN;\n$settings" . $sql =~ s/\{\{leads\}\}/$schema.leads/gr . ";\nCOMMIT"), 300);

	if ($result->{closed})
	{
		die "the session ended again: $sql" if ++$self->{ended} > 3;
		$self->connect;
		return { error => '57P01: the session ended', rows => [], warnings => '' };
	}
	my $error = error_of($result);
	$session->run('DEALLOCATE ALL') if $error ne '';
	my @rows = split $query->{several} ? qr/[\x1e\n]/ : qr/\x1e/, $result->{out}, -1;
	@rows = @rows[ 1 .. $#rows - 1 ] unless $query->{several};
	return {
		error => $error,
		rows => \@rows,
		warnings => join("\n", $result->{err} =~ /^(WARNING: .*)/mg),
	};
}

sub bag_of { return join "\x1e", sort @_ }

# What is wrong with the far result, or undef; "skip: why", if it says nothing.
sub judge
{
	my ($self, $query, $where, $variant, $near, $far) = @_;

	return 'skip: a method that is forced cannot answer'
	  if $variant->{method} ne 'auto' && $far->{error} =~ /^0A000/ && $near->{error} !~ /^0A000/;
	return "a warning: $far->{warnings}" if $far->{warnings} ne $near->{warnings};
	if ($near->{error} ne '' || $far->{error} ne '')
	{
		my ($near_class, $far_class) = map { substr $_->{error}, 0, 2 } $near, $far;
		return "skip: both fail, with class $far_class" if $near_class eq $far_class;
		return 'skip: one fails, by the order in which conditions are looked at'
		  if $query->{fallible} && "$near_class$far_class" eq '22';
		return 'errors differ';
	}
	return judge_some($far, $near, $self->result('near', $query, $query->{all}->($where))) if $query->{order} eq 'some';
	my ($near_rows, $far_rows) = map { $query->{order} eq 'list' ? join "\x1e",
		@{ $_->{rows} } : bag_of(@{ $_->{rows} }) } $near, $far;
	return $near_rows eq $far_rows ? undef : 'rows differ';
}

# So many rows, and all of them among those that there are.
sub judge_some
{
	my ($far, $near, $all) = @_;
	my %left;

	return 'the number of rows differs' if @{ $far->{rows} } != @{ $near->{rows} };
	$left{$_}++ for @{ $all->{rows} };
	return (grep { $left{$_}-- <= 0 } @{ $far->{rows} }) ? 'rows that are not there' : undef;
}

# compare(QUERY, WHERE, VARIANT): what is wrong, the near result, the far one.
sub compare
{
	my ($self, $query, $where, $variant, $near) = @_;
	my $sql = $query->{build}->($where);

	$near //= $self->result('near', $query, $sql);
	my $far = $self->result($variant->{schema}, $query, $sql);
	return ($self->judge($query, $where, $variant, $near, $far), $near, $far);
}

# ---- queries -------------------------------------------------------------------------

# Queries that may be asked for more exactly; and those in which ids may be found to ask for.
my %by_word = map { $_ => 1 } qw(count sorted plain where ordered aggregate rescan nested prepared function cursor);
my %by_id = map { $_ => 1 } qw(key join semijoin self_join rescan prepared function);

# variants_for(QUERY): one that chooses its way; for every second query one whose way is
# forced, in turns (an export takes its time); by ids, and by the user's word, too, if it
# may matter.
sub variants_for
{
	my ($self, $query) = @_;
	my $number = $query->{number};
	my %of;

	push @{ $of{ $_->{word} ? 'word' : $_->{method} =~ /auto|ids/ ? $_->{method} : 'forced' } }, $_ for $self->variants;
	delete $of{word} unless $by_word{ $query->{kind} };
	delete $of{ids} unless $by_id{ $query->{kind} };
	delete $of{forced} if $number % 2;
	return map { $of{$_} ? $of{$_}[ ($number >> ($_ eq 'forced')) % @{ $of{$_} } ] : () } qw(auto forced ids word);
}

# run_query(NUMBER[, VARIANT...]): by these, or by those whose turn it is.
sub run_query
{
	my ($self, $number, @variants) = @_;
	my $query = GcDiffQuery::new_query($self->{data}, $self->{seed}, $number);
	my $where = render($query->{where});
	my $near = $self->result('near', $query, $query->{build}->($where));

	@variants = $self->variants_for($query) unless @variants;
	$self->{kinds}{ $query->{kind} }++;
	$self->{empty}++ unless @{ $near->{rows} };
	for my $variant (@variants)
	{
		my ($wrong, undef, $far) = $self->compare($query, $where, $variant, $near);
		if (defined $wrong && $wrong =~ /^skip: (.*)/)
		{
			$self->{skipped}{"$variant->{method}: $1"}++;
			$self->{alike}{ $far->{error} }++ if $1 =~ /both/ && !$query->{fallible};
			next;
		}
		$self->{compared}{ $variant->{name} }++;
		next unless defined $wrong;
		$self->{failed}{ $query->{kind} }++;
		$self->report($query, $variant, $wrong, $near, $far) if ++$self->{differences} <= $most_shown;
	}
	return $query;
}

# found_by(SQL): the number of the first query that tells a table of this definition from
# the right one; 0 if none of a few hundred does.
sub found_by
{
	my ($self, $select) = @_;
	my $schema = 'wrong_' . ++$self->{wrong};

	$self->must("CREATE SCHEMA $schema; CREATE VIEW $schema.leads AS $select");
	for my $number (1 .. 300)
	{
		my $query = GcDiffQuery::new_query($self->{data}, $self->{seed}, $number);
		my ($wrong) = $self->compare($query, render($query->{where}), { schema => $schema, method => 'auto' });
		return $number if defined $wrong && $wrong !~ /^skip/;
	}
	return 0;
}

# ---- reports -------------------------------------------------------------------------

# smaller(TREE): conditions with a part less.
sub smaller
{
	my ($tree) = @_;
	return $tree eq 'true' ? () : ('true') unless ref $tree;
	my ($word, @parts) = @$tree;
	my @less = @parts;

	for my $i (0 .. $#parts)
	{
		my @others = @parts[ grep { $_ != $i } 0 .. $#parts ];
		push @less, [ $word, @others ] if @others > 1;
		push @less, map { my @with = @parts; $with[$i] = $_; [ $word,
			@with ] } grep { ref || $_ ne 'true' } smaller($parts[$i]);
	}
	return @less;
}

# The smallest condition found by which the results still differ.
sub shrink
{
	my ($self, $query, $variant) = @_;
	my ($tree, $tries) = ($query->{where}, 0);

	SMALLER: while (1)
	{
		for my $less (smaller($tree))
		{
			return $tree if $tries++ > 100;
			my ($wrong) = $self->compare($query, render($less), $variant);
			next if !defined $wrong || $wrong =~ /^skip/;
			$tree = $less;
			next SMALLER;
		}
		return $tree;
	}
}

sub shown
{
	my ($row) = @_;
	my $text = decode_utf8($row) =~ s/\x1f/ | /gr =~ s/(.)\g1{20,}/$1…/gr;
	return length $text > 400 ? substr($text, 0, 400) . ' …' : $text;
}

# The rows that are in one of the two, or where the order begins to differ.
sub differing_rows
{
	my ($query, $near, $far) = @_;
	my (%left, @lines);

	$left{$_}++ for @{ $near->{rows} };
	my @extra = grep { $left{$_}-- <= 0 } @{ $far->{rows} };
	my @missing = map { ($_) x $left{$_} } grep { $left{$_} > 0 } sort keys %left;

	push @lines, map { '- ' . shown($_) } grep { defined } @missing[ 0 .. 4 ];
	push @lines, map { '+ ' . shown($_) } grep { defined } @extra[ 0 .. 4 ];
	return @lines if @lines || $query->{order} ne 'list';
	my ($i) = grep { $near->{rows}[$_] ne $far->{rows}[$_] } 0 .. $#{ $near->{rows} };
	return ('from row ' . ($i + 1) . ' on:', '- ' . shown($near->{rows}[$i]), '+ ' . shown($far->{rows}[$i]));
}

sub report
{
	my ($self, $query, $variant, $wrong, $near, $far) = @_;
	my $where = render($query->{where});
	my $schema = $variant->{schema};
	my $small = $far->{error} =~ /session ended/ ? $where : render($self->shrink($query, $variant));
	my $text = sub { ($query->{$_[0]}->($_[1])) =~ s/\{\{leads\}\}/$schema.leads/gr };
	my ($small_wrong, $small_near, $small_far) = $small eq $where ? ($wrong, $near, $far) : $self->compare($query, $small,
		$variant);
	my $explain = { %$query, order => 'bag' };
	my $plan = $self->result($schema, $explain, $query->{explain}->($small) =~ s/\{\{explain\}\}/EXPLAIN (VERBOSE)/r);

	($wrong, $near, $far) = ($small_wrong, $small_near, $small_far) if defined $small_wrong && $small_wrong !~ /^skip/;
	diag encode_utf8(join "\n", '',
		"seed $self->{seed}, query $query->{number} ($query->{kind}), $variant->{name}: $wrong",
		(map { "SET $_;" } @{ $query->{settings} }),
		$text->('build', $where) . ';',
		($small ne $where ? ('with less of its condition:', $text->('build', $small) . ';') : ()),
		sprintf('the local table gives %s (-), the foreign table %s (+):', map { outcome($_) } $near, $far),
		differing_rows($query, $near, $far),
		(map { decode_utf8($_) } @{ $plan->{rows} }, $plan->{error}),
		"again: GC_DIFF_FORMS=$self->{forms} GC_DIFF_SEED=$self->{seed} GC_DIFF_ONLY=$query->{number} scripts/check --only differential", '');
	return;
}

sub outcome { my ($result) = @_; return $result->{error} ne '' ? "error $result->{error}" : @{ $result->{rows} } . ' rows' }

# What was done, in lines.
sub summary
{
	my ($self) = @_;
	my $queries = 0;
	$queries += $_ for values %{ $self->{kinds} };
	my $requests = $self->{node}->safe_psql('postgres', <<'SQL');
SELECT method || ' ' || endpoint || ' ' || coalesce(status_class, 'no answer') || ': ' || sum(count)
FROM gc_fdw.stat_requests GROUP BY method, endpoint, status_class ORDER BY 1
SQL
	my $list = sub { my ($what, $of) = @_; return %$of ? "$what: " . join '; ', map { "$_: $of->{$_}" } sort keys %$of : () };

	return (
		"$queries queries, $self->{empty} of them without a row; $self->{differences} differences",
		$list->('kinds', $self->{kinds}), $list->('compared', $self->{compared}), $list->('not compared', $self->{skipped}),
		(map { "there is no scan_method $_: $self->{refused}{$_}" } sort keys %{ $self->{refused} }),
		(map { "requests: $_" } split /\n/, $requests), $list->('of these fail unexpectedly', $self->{alike}));
}

1;

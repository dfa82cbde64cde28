# Random queries over the contacts of GcDiffData, for the differential test.
#
# A query has: "kind"; "where", a condition of GcDiffExpr; "build", which makes the SQL
# of a condition's text, with {{leads}} for the table; "order": list (the rows in their
# order), bag (in any), or some (any so many rows of those that "all" gives); "several", if it has several results; "explain",
# the same with {{explain}} where EXPLAIN goes; "settings"; "fallible", if the order in
# which conditions are looked at may decide whether it fails.
package GcDiffQuery;

use strict;
use utf8;
use warnings;

use GcDiffData qw(begin_random chance pick quote roll some_of);
use GcDiffExpr qw(condition key_condition plain_condition render);

my %kinds = (
	plain => [ 16, \&plain_query ],
	where => [ 20, \&where_query ],
	key => [ 14, \&key_query ],
	ordered => [ 16, \&ordered_query ],
	distinct => [ 4, \&distinct_query ],
	aggregate => [ 10, \&aggregate_query ],
	join => [ 8, \&join_query ],
	semijoin => [ 4, \&semijoin_query ],
	self_join => [ 3, \&self_join_query ],
	rescan => [ 4, \&rescan_query ],
	nested => [ 5, \&nested_query ],
	prepared => [ 8, \&prepared_query ],
	function => [ 4, \&function_query ],
	cursor => [ 4, \&cursor_query ],
	error => [ 2, \&error_query ],
	count => [ 12, \&count_query ],
	sorted => [ 8, \&sorted_query ],
);

sub kinds { return sort keys %kinds }

# Those whose SQL is several statements, with several results.
my %several = map { $_ => 1 } qw(prepared function cursor);

# new_query(DATA, SEED, NUMBER): always the same for the same three.
sub new_query
{
	my ($data, $seed, $number) = @_;

	begin_random($seed, 'query', $number);
	my $kind = pick(map { ($_) x $kinds{$_}[0] } kinds());
	my $scope = { data => $data, alias => 'x' };
	my $query = $kinds{$kind}[1]->($scope);
	$query->{explain} //= sub { '{{explain}} ' . $query->{build}->($_[0]) };
	return { order => 'bag', several => $several{$kind}, %$query, kind => $kind, number => $number,
		settings => [ some_settings($kind) ] };
}

# What makes plans differ, and what makes the same text mean something else.
sub some_settings
{
	my ($kind) = @_;
	my @settings;

	push @settings, 'enable_' . pick(qw(hashjoin mergejoin nestloop memoize sort hashagg incremental_sort)) . ' = off'
	  for 1 .. (chance(25) ? 1 + roll(2) : 0);
	push @settings, 'enable_material = off' if $kind =~ /^(join|semijoin)$/ && chance(20);
	push @settings,
		map { "enable_$_ = off" } qw(hashjoin mergejoin material) if $kind =~ /^(join|semijoin|rescan|prepared)$/ && chance(20);
	push @settings, 'TimeZone = ' . quote(pick('Asia/Kathmandu', 'America/Los_Angeles', 'Europe/Oslo')) if chance(15);
	push @settings, 'DateStyle = ' . quote(pick('SQL, DMY', 'German', 'ISO, MDY')) if chance(8);
	push @settings, 'IntervalStyle = iso_8601' if chance(4);
	push @settings, 'extra_float_digits = ' . pick(0, -10, 3) if chance(6);
	push @settings, 'transform_null_equals = on' if chance(3);
	return @settings;
}

# ---- what is selected ----------------------------------------------------------------

sub any_column { my ($scope, $but) = @_; return pick(grep { !$but || $_->{name} !~ $but } $scope->{data}->columns) }

# What equal values have in common: they may print differently, and any of them may be
# the one that stands for a group.
sub same_of
{
	my ($column, $alias) = @_;
	my $x = "$alias.$column->{name}";
	my %forms = (n => "trim_scale($x)", q => "trim_scale($x)", n3 => "trim_scale($x)", f => "($x + 0)", tn => "lower($x)",
		iv => "extract(epoch FROM $x)");
	return $forms{ $column->{name} } // $x;
}

sub outputs
{
	my ($scope) = @_;
	my $a = $scope->{alias};
	my $choice = roll(100);

	return "$a.*" if $choice < 20;
	return "$a" if $choice < 24;
	return pick('1', "'x', NULL", "$a.contact_id", "$a.k") if $choice < 36;
	return join ', ', map {
		my $x = "$a.$_->{name}";
		chance(85) ? $x : pick("$x\::text", "$x IS NULL", "coalesce($x\::text, '-')", "length($x\::text)")
	} map { any_column($scope) } 1 .. 1 + roll(6);
}

sub limit
{
	my $limit = pick('', "\nLIMIT " . pick(0, 1, 1, 2, 5, 10, 50, 99, 100, 101, 150, 1000, 'NULL', 'ALL', '(SELECT 7)',
		'2 * 3'));
	my $offset = chance(30) ? ' OFFSET ' . pick(0, 1, 3, 50, 99, 100, 101, 250, 1000, 'NULL', '(SELECT 3)') : '';
	return "$limit$offset";
}

# order_by(SCOPE): terms, by columns of every type.
sub order_by
{
	my ($scope) = @_;
	return join ', ', map {
		my $column = any_column($scope);
		my $x = "$scope->{alias}.$column->{name}";
		my $by = chance(85) ? $x : $column->{kind} eq 'text' ? pick("lower($x)", "$x COLLATE \"C\"", "length($x)",
			"$x || ''") : "$x\::text";
		$by . pick('', '', ' ASC', ' DESC', ' DESC') . pick('', '', '', ' NULLS FIRST', ' NULLS LAST')
	} 1 .. pick(1, 1, 1, 2, 2, 3);
}

sub some_condition
{
	my ($scope) = @_;
	my $choice = roll(100);
	return $choice < 8 ? 'true' : $choice < 30 ? plain_condition($scope) : condition($scope, pick(0, 1, 1, 2, 2, 3));
}

# ---- kinds ---------------------------------------------------------------------------

sub where_query
{
	my ($scope) = @_;
	my $out = outputs($scope);
	return { where => some_condition($scope), build => sub { "SELECT $out FROM {{leads}} x\nWHERE $_[0]" } };
}

sub plain_query
{
	my ($scope) = @_;
	my $out = outputs($scope);
	return { where => plain_condition($scope), build => sub { "SELECT $out FROM {{leads}} x\nWHERE $_[0]" } };
}

sub key_query
{
	my ($scope) = @_;
	my $out = outputs($scope);
	my $where = key_condition($scope);

	$where = [ 'AND', $where, some_condition($scope) ] if chance(25);
	$where = [ 'OR', $where, key_condition($scope) ] if chance(15);
	$where = [ 'NOT', $where ] if chance(5);
	return { where => $where, build => sub { "SELECT $out FROM {{leads}} x\nWHERE $_[0]" } };
}

sub ordered_query
{
	my ($scope) = @_;
	my $out = outputs($scope);
	my $where = chance(30) ? 'true' : some_condition($scope);
	my $select = "SELECT $out FROM {{leads}} x\nWHERE ";
	my $by = order_by($scope);
	my $limit = limit();

	if (chance(70))
	{
		my $tail = "\nORDER BY " . pick("$by, x.contact_id", "$by, x.contact_id DESC", 'x.contact_id',
			'x.contact_id DESC') . $limit;
		return { where => $where, order => 'list', build => sub { "$select$_[0]$tail" } };
	}
	if (chance(30))
	{
		my $tail = "\nORDER BY $by FETCH FIRST " . pick(1, 3, 20) . ' ROWS WITH TIES';
		return { where => $where, build => sub { "$select$_[0]$tail" } };
	}
	my $tail = (chance(50) ? "\nORDER BY $by" : '') . $limit;
	return { where => $where, order => 'some', build => sub { "$select$_[0]$tail" }, all => sub { "$select$_[0]" } };
}

sub distinct_query
{
	my ($scope) = @_;
	my @by = map { same_of(any_column($scope), 'x') } 1 .. 1 + roll(2);
	my $list = join ', ', @by;
	my $limit = chance(40) ? limit() : '';
	my $numbers = join ', ', 1 .. @by;

	return { where => some_condition($scope), order => 'list',
		build => sub { "SELECT DISTINCT ON ($list) x.* FROM {{leads}} x\nWHERE $_[0]\nORDER BY $list, x.contact_id" } }
	  if chance(30);
	return { where => some_condition($scope), order => $limit ? 'list' : 'bag',
		build => sub { "SELECT DISTINCT $list FROM {{leads}} x\nWHERE $_[0]" . ($limit ? "\nORDER BY $numbers$limit" : '') } };
}

# Conditions that a platform may check exactly.
sub exact_condition
{
	my ($scope) = @_;
	my $x = "$scope->{alias}." . pick(qw(k t w nt lt v tc));

	return chance(30) ? 'true' : some_condition($scope) if chance(20);
	return [ pick('AND', 'AND', 'OR'), exact_condition($scope), exact_condition($scope) ] if chance(25);
	return pick("$x IS NULL", "$x IS NOT NULL") if chance(20);
	return plain_condition($scope);
}

sub count_query
{
	my ($scope) = @_;
	my $where = exact_condition($scope);
	my $from = "FROM {{leads}} x\nWHERE ";
	my $having = pick('count(*) > 3', 'count(*) = 0', 'count(*) % 2 = 1', 'random() >= 0 AND count(*) > 1');
	my $on = pick('x.w = p.w', "x.w LIKE p.w || '%'", 'x.i = p.i', 'x.q < p.n', 'x.nt IN (p.nt, p.w)', 'x.w ^@ p.k');
	my $rows = pick(0, 1, 3, 50, 1000);
	my @forms = (
		(sub { "SELECT count(*) $from$_[0]" }) x 4,
		sub { "SELECT count(*) FROM {{leads}} x" . ($_[0] eq 'true' ? '' : "\nWHERE $_[0]") },
		sub { "SELECT count(*) * 2 + 1, 'x', count(*)::text $from$_[0]" },
		sub { "SELECT count(*), 1 $from$_[0]\nHAVING $having" },
		sub { "SELECT (SELECT count(*) $from$_[0]), (SELECT max(x.k) $from$_[0])" },
		sub { "SELECT p.id, (SELECT count(*) $from$on AND $_[0]) FROM near.picks p" },
		sub { "SELECT p.id, s.* FROM near.picks p CROSS JOIN LATERAL (SELECT count(*) $from$on AND $_[0]) s" },
		sub { "SELECT count(*) FROM (SELECT $from$_[0] LIMIT $rows) s" },
		sub { "SELECT count(*) OVER (), count(*) $from$_[0]" },
	);
	return { where => $where, build => pick(@forms) };
}

# Orders of numbers that a platform may sort by, alone or before others.
sub sorted_query
{
	my ($scope) = @_;
	my @by = chance(50) ? pick(qw(q r)) : chance(50) ? qw(q r) : qw(r q);
	my $order = join ', ', map { "x.$_" . pick('', '', ' DESC') . pick('', '', ' NULLS LAST', ' NULLS FIRST') } @by;
	my $list = join ', ', map { same_of({ name => $_ }, 'x') } @by;
	my $limit = limit();

	($order, $list) = ("$order, x.contact_id", outputs($scope)) if chance(50);
	return { where => chance(40) ? 'true' : exact_condition($scope), order => 'list',
		build => sub { "SELECT $list FROM {{leads}} x\nWHERE $_[0]\nORDER BY $order$limit" } };
}

# aggregates(SCOPE, COUNT)
sub aggregates
{
	my ($scope, $count) = @_;
	my $a = $scope->{alias};
	my $column = any_column($scope);
	my $least = any_column($scope, qr/^(z|callable|status|u|ta)$/);
	my $of = same_of($least, $a);

	return join ', ', some_of($count, 'count(*)', 'count(*)', 'count(*)', "count($a.$column->{name})",
		"count(DISTINCT $a.$column->{name})", "min($of)", "max($of)", "sum($a.i)", "sum($a.b)", "sum($a.n3)", "sum($a.n)",
			"avg($a.i)",
		"bool_and($a.z)", "bool_or($a.callable)", "count(*) FILTER (WHERE $a.z)", "count($a)", 'count(1)', "every($a.i > 0)",
		"string_agg($a.k, ',' ORDER BY $a.contact_id)", "array_agg($a.i ORDER BY $a.contact_id DESC)", "max($a.contact_id)");
}

sub aggregate_query
{
	my ($scope) = @_;
	my $out = aggregates($scope, 1 + roll(3));
	my $where = chance(25) ? 'true' : some_condition($scope);

	return { where => $where,
		build => sub { "SELECT $out FROM {{leads}} x" . ($_[0] eq 'true' ? '' : "\nWHERE $_[0]") } } if chance(55);
	my @by = map { same_of(any_column($scope), 'x') } 1 .. 1 + roll(2);
	my $list = join ', ', @by;
	my $group = chance(80) ? "GROUP BY $list" : pick('GROUP BY ROLLUP', 'GROUP BY CUBE') . " ($list)";
	my $having = chance(35) ? "\nHAVING " . pick('count(*) > 3', 'min(x.i) > 0', 'bool_or(x.z)', 'max(x.w) > ' . quote('b'),
		'count(*) = 1') : '';
	return { where => $where, build => sub { "SELECT $list, $out FROM {{leads}} x\nWHERE $_[0]\n$group$having" } };
}

my @join_conditions = ('x.k = p.k', 'x.k = p.k', 'x.contact_id = p.contact_id', 'x.contact_id = p.contact_id',
	'x.contact_id = p.k',
	'x.w = p.w', 'x.nt = p.nt', 'x.i = p.i', 'x.n = p.n', 'x.tz = p.tz', 'x.i = p.n', 'lower(x.w) = lower(p.w)',
		'x.k = p.k AND x.i = p.i',
	'x.b = p.i', 'x.d = p.tz', 'x.c = p.nt', 'x.k = x.contact_id AND x.contact_id = p.contact_id',
	'x.w = x.contact_id AND x.contact_id = p.k', 'x.nt = x.k AND x.k = p.nt', 'x.contact_id = ANY (p.ids)',
		'x.k = ANY (p.ids)');
my @other_join_conditions = ('x.i < p.i', "x.w LIKE p.w || '%'", 'x.n > p.n', 'x.contact_id = p.contact_id OR x.k = p.k',
	'x.k = ANY (ARRAY[p.k, p.contact_id])',
	'x.i IS NOT DISTINCT FROM p.i', 'x.tz BETWEEN p.tz AND p.tz + interval \'1 day\'', 'p.w = ANY (x.ta)');

sub join_query
{
	my ($scope) = @_;
	my $out = pick('p.*, x.*', 'p.id, x.contact_id', 'count(*)', 'p.id, ' . outputs($scope), 'p.id, x');
	my $type = pick('JOIN', 'JOIN', 'JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN');
	my $on = chance(75) ? pick(@join_conditions) : pick(@other_join_conditions);

	# A full join needs equality.
	$on = pick('x.k = p.k', 'x.contact_id = p.contact_id', 'x.w = p.w', 'x.n = p.n') if $type eq 'FULL JOIN';
	my $tables = pick("near.picks p $type {{leads}} x", "{{leads}} x $type near.picks p");
	my $where = chance(30) ? 'true' : some_condition($scope);

	return { where => $where,
		build => sub { "SELECT $out FROM $tables ON $on AND $_[0]" } } if $type ne 'FULL JOIN' && chance(30);
	return { where => $where, build => sub { "SELECT $out FROM $tables ON $on\nWHERE $_[0]" } };
}

sub semijoin_query
{
	my ($scope) = @_;
	my $on = chance(75) ? pick(@join_conditions) : pick(@other_join_conditions);
	my $not = pick('', '', 'NOT ');
	my $column = pick(qw(k contact_id w nt i n tz));
	my $out = outputs($scope);
	my $where = chance(30) ? 'true' : some_condition($scope);
	my @forms = (
		sub { "SELECT p.* FROM near.picks p\nWHERE ${not}EXISTS (SELECT 1 FROM {{leads}} x WHERE $on AND $_[0])" },
		sub { "SELECT p.* FROM near.picks p\nWHERE p.$column ${not}IN (SELECT x.$column FROM {{leads}} x WHERE $_[0])" },
		sub { "SELECT $out FROM {{leads}} x\nWHERE x.$column ${not}IN (SELECT p.$column FROM near.picks p WHERE p.id > 3) AND $_[0]" },
		sub { "SELECT $out FROM {{leads}} x\nWHERE ${not}EXISTS (SELECT FROM near.picks p WHERE $on) AND $_[0]" },
		sub { "SELECT $out FROM {{leads}} x\nWHERE x.$column = ANY (ARRAY(SELECT p.$column FROM near.picks p)) AND $_[0]" },
		sub { "SELECT $out FROM {{leads}} x JOIN (VALUES ('lead-1'), ('dup'), ('lead-1'), (NULL)) v (id) ON x." . ($column =~ /k|id/ ? $column : 'k') . " = v.id\nWHERE $_[0]" },
	);
	return { where => $where, build => pick(@forms) };
}

sub self_join_query
{
	my ($scope) = @_;
	my $on = pick('y.contact_id = x.k', 'y.k = x.contact_id', 'y.k = x.k', 'y.i = x.i AND y.w = x.w', 'y.u = x.u',
		'y.tz = x.tz', 'lower(y.k) = lower(x.k)');
	my $type = pick('JOIN', 'JOIN', 'LEFT JOIN');
	my $out = pick('count(*)', 'x.contact_id, y.contact_id', 'x.contact_id, y.*', 'x, y.k');
	my $other = pick('', 'AND y.callable', "AND y.w = 'alpha'", 'AND y.i > 3', "AND y.contact_id IN ('lead-1', 'Lead-2', '7')");
	my $in = chance(25) ? 'EXISTS' : '';

	return { where => some_condition($scope),
		build => sub { "SELECT x.contact_id FROM {{leads}} x\nWHERE ${in} (SELECT 1 FROM {{leads}} y WHERE $on $other) AND $_[0]" } } if $in;
	return { where => some_condition($scope),
		build => sub { "SELECT $out FROM {{leads}} x $type {{leads}} y ON $on $other\nWHERE $_[0]" } };
}

# The inner side is read anew for each row of the outer one, or looked up.
sub rescan_query
{
	my ($scope) = @_;
	my $on = chance(75) ? pick(@join_conditions) : pick(@other_join_conditions);
	my $out = outputs($scope);
	my $aggregate = aggregates($scope, 1);
	my $rows = pick(1, 2, 5);
	my $left = pick('CROSS JOIN LATERAL', 'LEFT JOIN LATERAL');
	my $true = $left =~ /LEFT/ ? 'ON true' : '';
	my $key = pick("x.contact_id IN ('lead-1', 'Lead-1', '1', 'lead-2')", "x.k = 'dup'", "x.k IN ('lead-3', '04')");
	my @forms = (
		sub { "SELECT p.id, (SELECT $aggregate FROM {{leads}} x WHERE $on AND $_[0]) FROM near.picks p" },
		sub { "SELECT p.id, s.* FROM near.picks p $left (SELECT $out FROM {{leads}} x WHERE $on AND $_[0]\nORDER BY x.contact_id LIMIT $rows) s $true" },
		sub { "SELECT p.id, s.* FROM near.picks p $left (SELECT count(*) FROM {{leads}} x WHERE $on AND $_[0]) s $true" },
		sub { "SELECT p.id FROM near.picks p WHERE (SELECT count(*) FROM {{leads}} x WHERE $on AND $_[0]) > 0" },
		sub { "SELECT x.contact_id FROM {{leads}} x\nWHERE $key AND x.i >= (SELECT avg(y.i) FROM {{leads}} y WHERE y.w = x.w) AND $_[0]" },
		sub { "SELECT x.contact_id, (SELECT y.k FROM {{leads}} y WHERE y.contact_id = x.k) FROM {{leads}} x\nWHERE $key AND $_[0]" },
	);
	return { where => chance(50) ? 'true' : some_condition($scope), build => pick(@forms) };
}

sub nested_query
{
	my ($scope) = @_;
	my $out = outputs($scope);
	my $inner = render(some_condition($scope));
	my $column = any_column($scope, qr/^(ta|status|iv|n|n3|f|tn)$/)->{name};
	my $materialized = pick('', 'MATERIALIZED', 'NOT MATERIALIZED');
	my $union = pick('UNION ALL', 'UNION ALL', 'UNION', 'EXCEPT', 'EXCEPT ALL', 'INTERSECT');
	my $over = pick('PARTITION BY x.w ORDER BY x.contact_id', 'ORDER BY x.contact_id',
		'PARTITION BY x.callable, x.i ORDER BY x.k, x.contact_id');
	my $function = pick('row_number()', 'count(*)', 'lag(x.k)', 'sum(x.i)', 'first_value(x.w)', 'ntile(4)', 'rank()');
	my @forms = (
		[ bag => sub { "WITH x AS $materialized (SELECT * FROM {{leads}} x WHERE $inner) SELECT $out FROM x\nWHERE $_[0]" } ],
		[ bag => sub { "WITH s AS $materialized (SELECT * FROM {{leads}} x WHERE $_[0]) SELECT count(*), max(a.contact_id) FROM s a JOIN s b USING (contact_id)" } ],
		[ bag => sub { "SELECT $out FROM (SELECT * FROM {{leads}} x WHERE $inner OFFSET 0) x\nWHERE $_[0]" } ],
		[ list => sub { "SELECT * FROM (SELECT * FROM {{leads}} x WHERE $inner ORDER BY contact_id LIMIT 20) x\nWHERE $_[0]\nORDER BY contact_id DESC" } ],
		[ bag => sub { "SELECT contact_id, $column FROM {{leads}} x WHERE $inner $union SELECT contact_id, $column FROM {{leads}} x WHERE $_[0]" } ],
		[ list => sub { "SELECT contact_id, $column FROM {{leads}} x WHERE $inner UNION ALL SELECT contact_id, $column FROM {{leads}} x WHERE $_[0]\nORDER BY 1, 2 NULLS FIRST LIMIT 30" } ],
		[ bag => sub { "SELECT * FROM (SELECT * FROM {{leads}} a UNION ALL SELECT * FROM near.leads b) x\nWHERE $_[0]" } ],
		[ bag => sub { "SELECT x.contact_id, $function OVER ($over) FROM {{leads}} x\nWHERE $_[0]" } ],
		[ bag => sub { "SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY contact_id) AS row FROM {{leads}} x) x\nWHERE row < 3 AND $_[0]" } ],
		[ bag => sub { "SELECT count(*) FROM (SELECT 1 FROM {{leads}} x WHERE $_[0] LIMIT 20) s" } ],
		[ bag => sub { "SELECT EXISTS (SELECT 1 FROM {{leads}} x WHERE $_[0]), (SELECT count(*) FROM {{leads}} x WHERE $inner)" } ],
		[ bag => sub { "SELECT CASE WHEN $_[0] THEN 'yes' ELSE 'no' END, count(*) FROM {{leads}} x GROUP BY 1" } ],
	);
	my $form = pick(@forms);
	return { where => some_condition($scope), order => $form->[0], build => $form->[1] };
}

# ---- parameters and cursors ------------------------------------------------------------

# A query for which others stand: whose rows are always the same ones.
sub inner_query
{
	my ($scope) = @_;
	my $query;
	do
	{
		$scope->{params} = [] if $scope->{params};
		$query = pick(\&count_query, \&count_query, \&sorted_query, \&plain_query, \&where_query, \&key_query, \&key_query, \&ordered_query, \&aggregate_query,
			\&join_query, \&semijoin_query)->($scope);
	} while (($query->{order} // 'bag') eq 'some');
	return $query;
}

sub arguments
{
	my ($params, $i) = @_;
	return join ', ', map { quote($_->{values}[$i]) . "::$_->{type}" } @$params;
}

sub prepared_query
{
	my ($scope) = @_;
	my $with = { %$scope, params => [], name_param => sub { "\$$_[0]" } };
	my $inner = inner_query($with);
	my $params = $with->{params};
	my $types = @$params ? '(' . join(', ', map { $_->{type} } @$params) . ')' : '';
	my $mode = pick('force_generic_plan', 'force_generic_plan', 'force_custom_plan', 'auto');
	my $times = $mode eq 'auto' ? 7 : 3;
	my $given = sub { @$params ? '(' . arguments($params, $_[0]) . ')' : '' };
	my $zone = chance(15) ? "SET LOCAL TimeZone = 'Asia/Tokyo';\n" : '';
	my $prepare = sub { "SET LOCAL plan_cache_mode = $mode;\nPREPARE q$types AS " . $inner->{build}->($_[0]) . ";\n$zone" };

	return { where => $inner->{where}, order => $inner->{order} // 'bag',
		build => sub { $prepare->(@_) . join('', map { 'EXECUTE q' . $given->($_) . ";\n" } 0 .. $times - 1) . 'DEALLOCATE q' },
		explain => sub { $prepare->(@_) . '{{explain}} EXECUTE q' . $given->(0) . ";\nDEALLOCATE q" } };
}

sub function_query
{
	my ($scope) = @_;
	my $language = pick('plpgsql', 'plpgsql', 'plpgsql', 'sql');
	my $execute = $language eq 'plpgsql' && chance(25);
	my $with = { %$scope, params => [], name_param => $execute ? sub { "\$$_[0]" } : sub { "p$_[0]" } };
	my $inner = inner_query($with);
	my $params = $with->{params};
	my $declared = join ', ', map { "p$_ $params->[$_ - 1]{type}" } 1 .. @$params;
	my $using = @$params ? 'USING ' . join(', ', map { "p$_" } 1 .. @$params) : '';
	my $query = sub { 'SELECT s::text FROM (' . $inner->{build}->($_[0]) . ') s' };
	my @bodies = (
		sub { 'BEGIN RETURN QUERY ' . $query->($_[0]) . '; END' },
		sub { 'DECLARE r text; BEGIN FOR r IN ' . $query->($_[0]) . ' LOOP RETURN NEXT r; END LOOP; END' },
		sub { 'DECLARE n bigint; BEGIN SELECT count(*) INTO n FROM (' . $query->($_[0]) . ') c; RETURN NEXT n; END' },
		sub { 'DECLARE r text; c CURSOR FOR ' . $query->($_[0]) . '; BEGIN OPEN c; LOOP FETCH c INTO r; EXIT WHEN NOT FOUND; RETURN NEXT r; END LOOP; CLOSE c; END' },
	);
	my $body = $language eq 'sql' ? $query : pick(@bodies);
	$body = sub { 'BEGIN RETURN QUERY EXECUTE $q$' . $query->($_[0]) . "\$q\$ $using; END" } if $execute;

	my $create = "CREATE FUNCTION pg_temp.q($declared) RETURNS SETOF text " . pick('', 'STABLE');

	return { where => $inner->{where}, order => $inner->{order} // 'bag',
		explain => sub {
			"$create LANGUAGE plpgsql AS \$body\$DECLARE r text; BEGIN FOR r IN {{explain}} "
			  . $query->($_[0])
			  . " LOOP RETURN NEXT r; END LOOP; END\$body\$;\n"
			  . 'SELECT * FROM pg_temp.q(' . arguments($params, 0) . ");\nDROP FUNCTION pg_temp.q";
		},
		build => sub {
			"$create LANGUAGE $language AS \$body\$" . $body->($_[0]) . "\$body\$;\n"
			  . join('', map { 'SELECT * FROM pg_temp.q(' . arguments($params,
				$_) . ");\n" } 0 .. 2) . 'DROP FUNCTION pg_temp.q';
		} };
}

sub cursor_query
{
	my ($scope) = @_;
	my $inner = inner_query($scope);
	my $ordered = ($inner->{order} // 'bag') eq 'list';
	my $scroll = $ordered ? pick('', 'SCROLL', 'NO SCROLL') : '';
	my @steps = map { 'FETCH ' . pick(1, 2, 10, 100) . ' FROM c' } 1 .. 1 + roll(4);
	my $meanwhile = key_query($scope);

	push @steps, 'MOVE ' . pick(1, 5, 99, 100) . ' FROM c', 'FETCH 3 FROM c' if $ordered;
	push @steps, 'FETCH ' . pick('FIRST', 'LAST', 'PRIOR', 'ABSOLUTE 5', 'RELATIVE -2', 'BACKWARD 3',
		'BACKWARD ALL') . ' FROM c' if $scroll eq 'SCROLL';
	splice @steps, 1, 0, 'SAVEPOINT a', $meanwhile->{build}->(render($meanwhile->{where})), 'ROLLBACK TO a' if chance(40);
	push @steps, 'FETCH ALL FROM c', 'CLOSE c';
	my $steps = join ";\n", @steps;
	return { where => $inner->{where}, order => 'bag', explain => sub { '{{explain}} ' . $inner->{build}->($_[0]) },
		build => sub { "DECLARE c $scroll CURSOR FOR " . $inner->{build}->($_[0]) . ";\n$steps" } };
}

# ---- errors ----------------------------------------------------------------------------

sub error_query
{
	my ($scope) = @_;
	my $fails = pick('x.nt::integer > 1', 'x.t::numeric = 1', "x.w::date = '2026-01-31'", '1 / x.i > 0',
		'x.b + 9223372036854775000 > 0', 'x.i::smallint = 1',
		"x.t LIKE 'a\\'", 'x.lt::varchar(3)::boolean', 'x.k::uuid IS NULL', "x.w ~ '('", 'x.n::integer = 1',
			"x.t::jsonb = '1'", 'x.nt::boolean');
	my $out = outputs($scope);
	my $where = chance(40) ? $fails : [ pick('AND', 'OR'), pick([ condition($scope, 1), $fails ], [ $fails, condition($scope,
		1) ])->@* ];
	return { where => $where, fallible => 1, build => sub { "SELECT $out FROM {{leads}} x\nWHERE $_[0]" } };
}

1;

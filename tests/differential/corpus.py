"""Statements whose outcome must be the same on both engines of the mock's data store: columns, types, values and errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from lcplatform.data_store.models import ArrayValue, Interval, OtherValue
from lcplatform_runtime.json_value import Json


@dataclass(frozen=True)
class Story:
    """Statements that follow each other on an empty database, each with its parameters."""

    name: str
    steps: tuple[tuple[str, tuple[Any, ...]], ...] = field(default=())


def story(name: str, *steps: str | tuple[Any, ...]) -> Story:
    return Story(
        name, tuple((it, ()) if isinstance(it, str) else (it[0], tuple(it[1:])) for it in steps)
    )


# Each is one query without a table: SELECT and the expression.
EXPRESSIONS: Final = """
1 | -1 | 2147483647 | 2147483648 | -2147483648 | 9223372036854775807 | 9223372036854775808 | 1.50 | .5 | 1e3 | 1e-3 | 1.
true | false | null | 'text' | 'it''s' | '' | $$a $ b$$ | $x$a $$ b$x$ | E'a\\n\\'b\\\\' | E'\\u00e9'
1 + 2 | 1 - 2 | 3 * 4 | 7 / 2 | -7 / 2 | 7 % 3 | -7 % 3 | 7 % -3 | 2 ^ 10 | 2 ^ 3 ^ 2 | -2 ^ 2 | 7 / 2.0 | 1 / 3.0 | 10 / 4.00
2147483647 + 1 | 2147483647 * 2 | -2147483648 - 1 | 9223372036854775807 + 1 | 9223372036854775807 * 2 | 1 / 0 | 1 % 0 | 1.0 / 0
32767::int2 + 1::int2 | 1::int2 + 1 | 1::int2 * 2::int8 | 1 + 1.5 | 1.5 + 1::float8 | 1::float4 + 1::float4 | 1::float4 + 1 | 0.1::float8 + 0.2
1.10 + 2.205 | 1.10 * 2.205 | 1.1 - 1.10 | -1.50 | 123456789012345678901234567890 * 98765432109876543210 | 1.5 % 0.4 | -1.5 % 0.4
1.0 / 3 | 2.0 / 3 | 1 / 7.0 | 100000.0 / 3 | 0.0001 / 3 | 12345.678 / 0.001 | 1e20 / 7 | 7.0 / 1e20 | 0 / 5.0 | -1 / 3.0
abs(-5) | abs(-1.5) | abs(-1.5::float8) | abs(-2147483648) | ceil(1.2) | ceil(-1.2) | floor(1.8) | floor(-1.2) | ceil(1) | ceiling(1.5::float8)
round(2.5) | round(-2.5) | round(1.5) | round(2.5::float8) | round(3.5::float8) | round(2.675, 2) | round(1234.5, -2) | round(1.1, 3) | round(5)
trunc(1.9) | trunc(-1.9) | trunc(1.789, 2) | trunc(1.9::float8) | sign(-3) | sign(2.5) | sign(0.0) | sign(-2::float8) | mod(7, 3) | mod(-7, 3) | mod(7.5, 2) | mod(7, 0)
power(2, 3) | power(2::float8, 0.5::float8) | sqrt(2) | sqrt(4::float8) | sqrt(-1) | pi() | round(1.5::float8, 2)
1::int | '12'::int | ' 12 '::int | '1.5'::int | ''::int | 'x'::int | '99999999999'::int | '-5'::int | '+5'::int | 1.5::int | 2.5::int | -2.5::int | 2.5::float8::int | 3.5::float8::int
'1.50'::numeric | ' 1e3 '::numeric | 'NaN'::numeric | 'Infinity'::numeric | 'x'::numeric | 1.239::numeric(5,2) | 1234.5::numeric(5,2) | 999.995::numeric(5,2) | 5::numeric | 0.1::float8::numeric
'1.5'::float8 | '1e400'::float8 | 'inf'::float8 | '-Infinity'::float8 | 1.1::float4 | 16777217::float4 | 1e10::float8 | 1::float8 | 1e-5::float8 | 123456789.123::float8
1e300::float8 * 1e300 | 1e-300::float8 * 1e-300 | 1::float8 / 0 | 'inf'::float8 + 1 | 1e308::float8 + 1e308
't'::bool | 'yes'::bool | 'off'::bool | 'maybe'::bool | 1::bool | 0::bool | true::int | true::text | 'tr'::bool | null::bool
5::text | 1.50::text | 1e15::float8::text | 1e14::float8::text | 1e-5::float8::text | 0.0001::float8::text | 0.1::float8::text | 1.5::float4::text | 1e20::float8::text | 100::float8::text | -0.5::float8::text | 12345678.9::float4::text
'abc'::varchar(2) | 'abc'::varchar | 5::varchar | 12345::varchar(3) | 'a'::text || 'b' | 'a' || 5 | 5 || 'a' | 'a' || null | 'a' || 1.50 | 'a' || true | 1 || 2
'a' = 'a' | 'a' < 'b' | 'B' < 'a' | 'ä' > 'z' | 1 = 1.0 | 1 = '1' | 1 < 2.5 | 1.10 = 1.1 | 1 = 'x' | 1 <> 2 | 1 != 2 | true > false | null = null | 1 = null | '10' < '9' | 10 < 9.5::float8
1 is null | null is null | null is not null | 1 is distinct from null | null is not distinct from null | 1 is distinct from 1 | true is true | null is true | null is not true | false is not false | (null::bool) is unknown
true and null | false and null | true or null | false or null | not null::bool | not true | true and 1 | not 1 | 1 and 2
2 between 1 and 3 | 4 not between 1 and 3 | 'b' between 'a' and 'c' | 1 in (1, 2) | 1 in (2, null) | 3 not in (1, 2) | 3 not in (1, null) | 1.0 in (1, 2) | 'a' in ('a', 'b') | null in (1)
'Apple' like 'a%' | 'Apple' ilike 'a%' | 'a_c' like 'a\\_c' | 'abc' like 'a\\_c' | 'a%c' like 'a!%c' escape '!' | 'abc' not like 'b%' | 'abc' like '%b%' | 'abc' like 'a__' | '' like '' | 'a' like null | 'É' ilike 'é' | 'ab' like 'ab\\'
'abc' ~~ 'a%' | 'abc' !~~ 'a%' | 'ABC' ~~* 'a%' | 'x' like '%' | e'a\\nb' like 'a_b'
case when 1 > 2 then 'a' else 'b' end | case when false then 1 end | case 2 when 1 then 'one' when 2 then 'two' end | case when true then 1 else 2.5 end | case when true then 1 else 'x' end | case null when null then 1 else 2 end | case when null then 1 else 0 end
coalesce(null, 1) | coalesce(null, null, 'x') | coalesce(1, 2.5) | coalesce(null) | nullif(1, 1) | nullif(1, 2) | nullif('a', 'b') | nullif(1, 1.0) | greatest(1, 3, 2) | least(1, null, 2) | greatest(null, null) | greatest(1, 2.5) | least('b', 'a') | greatest(1.10, 1.1)
length('abc') | length('é☕') | char_length('') | octet_length('é') | length(null) | upper('aé') | lower('AÉ') | upper('ß') | initcap('hello wORLD 2x') | length(5) | reverse('abc')
substring('hello' from 2 for 3) | substring('hello', 2) | substr('hello', 0, 3) | substr('hello', -1, 4) | substring('hello' from 10) | substr('hello', 2, -1) | substring('hello' for 2) | left('hello', 2) | left('hello', -2) | right('hello', 2) | right('hello', -2) | left('hello', 0) | right('hello', 0)
trim('  a  ') | trim(both 'x' from 'xxaxx') | trim(leading from '  a') | trim(trailing 'b' from 'abb') | ltrim('xxa', 'x') | rtrim('axx', 'x') | btrim('xyaxy', 'yx') | ltrim('  a') | btrim('a', '')
position('l' in 'hello') | position('z' in 'hello') | strpos('hello', 'l') | strpos('hello', '') | replace('aXbX', 'X', 'yy') | replace('a', '', 'x') | repeat('ab', 3) | repeat('ab', -1) | translate('12345', '143', 'ax')
split_part('a,b,c', ',', 2) | split_part('a,b,c', ',', -1) | split_part('a,b', ',', 5) | split_part('a,b', ',', 0) | lpad('5', 3, '0') | lpad('12345', 3) | rpad('a', 3, 'xy') | lpad('a', 5, '') | starts_with('hello', 'he')
concat('a', null, 1, true) | concat_ws(',', 'a', null, 'b') | concat_ws(null, 'a') | ascii('a') | ascii('') | chr(233) | chr(0) | md5('abc') | encode('abc'::bytea, 'hex') | encode('\\x0001'::bytea, 'base64') | decode('00ff', 'hex') | decode('zz', 'hex') | sha256('abc'::bytea)
'\\xdeadbeef'::bytea | 'abc'::bytea | length('\\x0001'::bytea) | '\\x01'::bytea || '\\x02'::bytea | substr('\\x010203'::bytea, 2, 1) | '\\xzz'::bytea | '\\x01'::bytea = '\\x01'::bytea | '\\xff'::bytea::text
date '2024-02-29' | '2024-02-30'::date | 'x'::date | date '2024-01-31' + 1 | date '2024-01-01' - 1 | date '2024-03-01' - date '2024-02-01' | date '2024-01-31' + interval '1 month' | 1 + date '2024-01-01' | date '2024-01-01' < date '2024-01-02' | date '2024-01-01' = timestamp '2024-01-01' | date '2024-01-01'::text
timestamp '2024-02-29 12:30:00' | timestamp '2024-02-29T12:30:00.123456' | timestamptz '2024-02-29 12:30:00+02' | timestamptz '2024-02-29 12:30:00-05:30' | timestamp '2024-02-29 12:30+02' | '2024-13-01'::timestamp | timestamptz '2024-01-01 00:00:00Z' | timestamp '2024-02-29' | timestamp '2024-02-29 25:00'
timestamp '2024-01-31 10:00' + interval '1 month' | timestamp '2024-03-31' - interval '1 month' | timestamptz '2024-03-01 00:00+00' - timestamptz '2024-02-28 12:00+00' | timestamp '2024-01-01' - timestamp '2024-01-02 01:00' | timestamp '2024-01-01 10:00' - interval '36 hours'
timestamp '2024-02-29 12:30:05'::date | timestamp '2024-02-29 12:30:05.5'::time | timestamp '2024-02-29 12:30:05'::timestamptz | timestamptz '2024-02-29 12:30:05+00'::timestamp | date '2024-02-29'::timestamp | date '2024-02-29'::timestamptz | timestamp '2024-02-29 12:30:05.50'::text | timestamptz '2024-02-29 12:30:05+00'::text
time '12:30' | time '12:30:15.5' | '25:00'::time | time '12:30' + interval '14 hours' | time '12:30' - time '10:00' | time '01:00' - interval '2 hours' | time '12:30'::text | date '2024-01-01' + time '12:30' | time '12:30' < time '13:00'
interval '1 day' | interval '1 year 2 months 3 days 04:05:06.789' | interval '-1 month +2 days' | interval '90 minutes' | interval '1 week' | interval '3 days ago' | 'x'::interval | interval '1 day' + interval '2 hours' | interval '1 month' - interval '1 day' | -interval '1 day 2 hours' | interval '1 day' * 2.5 | interval '1 month' * 0.5 | interval '1 day' / 2 | interval '1 month' / 3 | 2 * interval '1 hour' | interval '1 day' / 0
interval '1 year 2 months 3 days 04:05:06'::text | interval '-1 day'::text | interval '-1 month +2 days -03:00'::text | interval '0'::text | interval '1 month' = interval '30 days' | interval '1 day' = interval '24 hours' | interval '1 day' > interval '23 hours'
extract(year from date '2024-02-29') | extract(month from timestamp '2024-02-29 12:30') | extract(epoch from timestamp '2024-02-29 12:30:05.5') | extract(epoch from date '2024-02-29') | extract(second from timestamp '2024-02-29 12:30:05.25') | extract(dow from date '2024-02-25') | extract(isodow from date '2024-02-25') | extract(doy from date '2024-03-01') | extract(week from date '2024-01-01') | extract(quarter from date '2024-05-01') | extract(hour from interval '26 hours') | extract(day from interval '1 month 3 days') | extract(epoch from interval '1 day 2 hours') | extract(milliseconds from time '12:30:05.25') | extract(hour from date '2024-01-01') | extract(century from date '2024-01-01')
date_part('year', date '2024-02-29') | date_part('second', timestamp '2024-02-29 12:30:05.25') | date_trunc('month', timestamp '2024-02-29 12:30') | date_trunc('day', timestamptz '2024-02-29 12:30+00') | date_trunc('hour', timestamp '2024-02-29 12:30') | date_trunc('week', timestamp '2024-02-29 12:30') | date_trunc('quarter', timestamp '2024-05-29') | date_trunc('year', date '2024-05-29')
age(timestamp '2024-03-01', timestamp '2024-01-31') | age(timestamp '2024-01-31', timestamp '2024-03-01') | age(timestamp '2024-03-01 10:00', timestamp '2024-02-29 12:00') | make_date(2024, 2, 29) | make_date(2023, 2, 29)
timestamp '2024-07-01 12:00' at time zone 'Europe/Berlin' | timestamptz '2024-07-01 12:00+00' at time zone 'Europe/Berlin' | timestamptz '2024-01-01 12:00+00' at time zone 'UTC'
'0d7a5f2e-0b5c-4c8e-9d7b-3f6f2a1b4c5d'::uuid | '{0D7A5F2E0B5C4C8E9D7B3F6F2A1B4C5D}'::uuid | 'x'::uuid | '0d7a5f2e-0b5c-4c8e-9d7b-3f6f2a1b4c5d'::uuid::text | '0d7a5f2e-0b5c-4c8e-9d7b-3f6f2a1b4c5d'::uuid < 'ffffffff-0b5c-4c8e-9d7b-3f6f2a1b4c5d'::uuid
'{"b": 1, "a": [1, 2.50, null, true], "a": 2}'::jsonb | '{"b":1,  "a":2}'::json | '[1,2'::jsonb | '"x"'::jsonb | 'null'::jsonb | '1e3'::jsonb | '{"bb": 1, "a": 2, "c": 3}'::jsonb::text | '{"a": 1}'::jsonb = '{"a": 1.0}'::jsonb
'{"a": {"b": [10, 20]}}'::jsonb -> 'a' | '{"a": {"b": [10, 20]}}'::jsonb -> 'a' -> 'b' -> 1 | '{"a": "x"}'::jsonb ->> 'a' | '{"a": null}'::jsonb ->> 'a' | '{"a": null}'::jsonb -> 'a' | '[1,2,3]'::jsonb -> -1 | '[1,2]'::jsonb ->> 5 | '{"a": {"b": 1}}'::jsonb #> '{a,b}' | '{"a": [1, {"c": "x"}]}'::jsonb #>> '{a,1,c}' | '{"a": 1}'::jsonb -> 'z' | ('{"n": 5}'::jsonb ->> 'n')::int + 1
'{"a": 1, "b": 2}'::jsonb @> '{"a": 1}' | '[1,2,3]'::jsonb @> '[3,1]' | '[1,2]'::jsonb @> '1' | '{"a": {"b": 1, "c": 2}}'::jsonb @> '{"a": {"b": 1}}' | '{"a": 1}'::jsonb <@ '{"a": 1, "b": 2}' | '{"a": 1}'::jsonb ? 'a' | '["a"]'::jsonb ? 'a' | '{"a": 1}'::jsonb || '{"b": 2}' | '[1]'::jsonb || '2'::jsonb | '{"a": 1, "b": 2}'::jsonb - 'a'::text | '[1,2,3]'::jsonb - 1
jsonb_typeof('1') | jsonb_typeof('{}') | jsonb_array_length('[1,2]') | jsonb_array_length('{}') | jsonb_strip_nulls('{"a": null, "b": {"c": null}}') | jsonb_set('{"a": 1}', '{a}', '2') | jsonb_set('{"a": [1,2]}', '{a,0}', '9') | jsonb_set('{"a": 1}', '{b}', '2') | jsonb_set('{"a": 1}', '{b}', '2', false)
jsonb_build_object('a', 1, 'b', null, 'c', 'x', 'd', 1.50, 'e', true) | jsonb_build_array(1, 'a', null, 2.5) | to_jsonb(1) | to_jsonb('a'::text) | to_jsonb(true) | to_jsonb(timestamp '2024-01-01 10:00') | to_jsonb(timestamptz '2024-01-01 10:00:00.5+00') | to_jsonb(date '2024-01-01') | to_jsonb(array[1, 2]) | to_jsonb(array['a', null]) | jsonb_build_object('a') | to_jsonb(1.50) | to_jsonb(0.1::float8)
array[1, 2, 3] | array['a', 'b'] | array[1, 2.5] | array[[1, 2], [3, 4]] | '{1,2,null}'::int[] | '{"a b",c,"NULL",NULL}'::text[] | '{}'::int[] | '{1,x}'::int[] | '{{1,2},{3}}'::int[] | array[1, null] | '{1,2'::int[] | array[true, false] | array[]::int[] | '{a,b}'::text[]::text | array[1.50, 2]::text | array['a"b', 'c,d', '', 'null']::text
(array[1, 2, 3])[2] | (array[1, 2, 3])[0] | (array['a', 'b'])[1] | (array[1,2,3,4])[2:3] | array_length(array[1, 2], 1) | array_length('{}'::int[], 1) | array_length(array[[1,2],[3,4]], 2) | cardinality(array[[1,2],[3,4]]) | array_upper(array[1,2], 1) | array_lower(array[1,2], 1)
array[1, 2] || array[3] | array[1, 2] || 3 | 1 || array[2] | array_append(array[1], 2) | array_prepend(0, array[1]) | array_cat(array[1], array[2]) | array_remove(array[1, 2, 1], 1) | array_position(array['a', 'b'], 'b') | array_position(array[1], 5) | array_to_string(array['a', null, 'b'], ',') | array_to_string(array['a', null], ',', '*') | array_to_string(array[1, 2], '-') | string_to_array('a,b,c', ',') | string_to_array('', ',') | string_to_array('abc', null)
array[1, 2] @> array[1] | array[1] <@ array[1, 2] | array[1, 2] && array[2, 3] | array[1, 2] && array[3] | array[1, 2] = array[1, 2] | array[1, 2] < array[1, 3] | array['a'] = array['b'] | array[1, null] @> array[null]::int[] | array[1,2] = '{1,2}'
1 = any(array[1, 2]) | 3 = any('{1,2}') | 1 = all(array[1, 1]) | 1 = any(array[2, null]) | 1 = any('{}'::int[]) | 1 = all('{}'::int[]) | 2 > any(array[1, 5]) | 2 > all(array[1, null]) | 1 <> all(array[2, 3]) | 'a' = any(array['a']) | 1 = any(null::int[]) | 1 = any(5)
(1, 2) = (1, 2) | (1, 2) <> (1, 3) | (1, null) = (1, null) | (1, 2) = (2, null) | (1, 2) = (1, 2, 3)
(select 1) | (select 1 where false) | (select 1 union all select 2) | exists (select 1) | not exists (select 1 where false) | 1 in (select 1 union select 2) | 5 in (select 1) | (select max(x) from (values (1), (3)) v(x)) | array[(select 1)]
no_such_function(1) | upper(1) | abs('x') | abs('-5') | substr(5, 1) | lower(null) | concat() | 1 + 'x' | 1 + '2' | '1' + '2' | 'a' + 1 | true + 1 | -'5' | date '2024-01-01' + 'x' | 1::no_such_type
""".strip()

# Queries as they are.
QUERIES: Final = """
select 1 as a, 2 as "B", 3 "c d"
select * from (values (1, 'a'), (2, 'b')) as v(x, y) order by x desc
select column1 from (values (1), (2.5), (null)) v order by 1
values (1, 'a'), (2, null)
values (1), ('x')
select 1 union select 1
select 1 union all select 1
select 1 union select 2.5 order by 1
select 'a' union select null order by 1
select 1 union select 'x'
select 1 intersect select 1
select 1 except select 2
(select 2 union select 1) order by 1 limit 1
select 1 union select 2 intersect select 2 order by 1
select x from (values (3), (1), (null), (2)) v(x) order by x
select x from (values (3), (1), (null), (2)) v(x) order by x desc
select x from (values (3), (1), (null), (2)) v(x) order by x nulls first
select x from (values (3), (1), (null), (2)) v(x) order by x desc nulls last limit 2
select x from (values (3), (1), (null), (2)) v(x) order by x offset 2
select x from (values (1), (2), (3)) v(x) order by x limit 2 offset 1
select x from (values (1), (2)) v(x) order by x limit 0
select x from (values (1), (2)) v(x) order by x limit null
select x from (values (1), (2)) v(x) order by x limit all
select x from (values (1), (2)) v(x) limit -1
select x from (values (1), (2)) v(x) order by x fetch first 1 rows only
select x from (values (1), (2)) v(x) limit 'a'
select x as y from (values (2), (1)) v(x) order by y
select x, -x as x2 from (values (2), (1)) v(x) order by x2
select x from (values (2), (1)) v(x) order by -x
select x from (values (2), (1)) v(x) order by 2
select x + 1 from (values (2), (1)) v(x) order by 1
select distinct x from (values (1), (1), (null), (null), (2)) v(x) order by x
select distinct x from (values (1.0), (1.00), (2)) v(x) order by x
select distinct x from (values (1), (2)) v(x) order by -x
select distinct on (x) x, y from (values (1, 'b'), (1, 'a'), (2, 'c')) v(x, y) order by x, y
select distinct on (x) x, y from (values (1, 'b'), (1, 'a'), (2, 'c')) v(x, y) order by x, y desc limit 1
select x, count(*) from (values ('a'), ('b'), ('a')) v(x) group by x order by x
select x, count(*) as n from (values ('a'), ('b'), ('a')) v(x) group by x having count(*) > 1
select x % 2 as odd, sum(x) from generate_series(1, 5) x group by x % 2 order by 1
select x % 2 as odd, sum(x) from generate_series(1, 5) x group by odd order by odd
select x % 2, sum(x) from generate_series(1, 5) x group by 1 order by 1
select x, sum(x) from generate_series(1, 3) x
select sum(x) from generate_series(1, 3) x where sum(x) > 1
select count(*), count(x), count(distinct x), sum(x), avg(x), min(x), max(x) from (values (1), (2), (2), (null)) v(x)
select sum(x), avg(x), min(x), max(x) from (values (1.50), (2), (2.25)) v(x)
select sum(x), avg(x), min(x), max(x) from (values (1.5::float8), (2), (2.25)) v(x)
select sum(x), avg(x) from (values (9223372036854775807), (9223372036854775807)) v(x)
select sum(x), avg(x), count(x) from (values (1)) v(x) where false
select sum(x::int2), avg(x::int2), sum(x::float4), max(x::int2) from (values (1), (2)) v(x)
select min(x), max(x) from (values ('b'), ('a'), ('B')) v(x)
select min(x), max(x) from (values (date '2024-01-01'), (date '2023-01-01')) v(x)
select sum(x), avg(x), max(x) from (values (interval '1 day'), (interval '2 hours')) v(x)
select bool_and(x), bool_or(x), every(x) from (values (true), (false), (null)) v(x)
select bit_and(x), bit_or(x) from (values (6), (3)) v(x)
select string_agg(x, ',' order by x desc), string_agg(distinct x, '-' order by x) from (values ('a'), ('b'), ('a'), (null)) v(x)
select array_agg(x order by x), array_agg(distinct x order by x desc) from (values (2), (1), (2)) v(x)
select array_agg(x order by x desc nulls last) from (values (2), (null), (1)) v(x)
select jsonb_agg(x order by x) from (values (2), (1)) v(x)
select count(*) filter (where x > 1), sum(x) filter (where x > 5) from (values (1), (2)) v(x)
select max(x) from (values (true)) v(x)
select sum(x) from (values ('a')) v(x)
select sum('1')
select avg(x) from (values (1), (2), (2)) v(x)
select avg(x) from (values (10000), (1)) v(x)
select x, row_number() over (order by x desc) from (values (1), (3), (2)) v(x) order by x
select x, rank() over (order by x), dense_rank() over (order by x), percent_rank() over (order by x), cume_dist() over (order by x), ntile(2) over (order by x) from (values (1), (1), (2)) v(x) order by x
select x, lag(x) over (order by x), lead(x, 1, 0) over (order by x), first_value(x) over (order by x), last_value(x) over (order by x), nth_value(x, 2) over (order by x) from (values (1), (2), (3)) v(x) order by x
select x, sum(x) over (order by x), count(*) over (), avg(x) over (order by x rows between 1 preceding and current row) from (values (1), (2), (4)) v(x) order by x
select x, sum(x) over (order by x), avg(x) over (order by x) from (values (1.5), (2.25), (4)) v(x) order by x
select x, y, sum(x) over (partition by y order by x) from (values (1, 'a'), (2, 'a'), (3, 'b')) v(x, y) order by x
select x, sum(x) over w, max(x) over w from (values (1), (2)) v(x) window w as (order by x desc) order by x
select x, sum(x) over (order by x rows between unbounded preceding and unbounded following) from (values (1), (2)) v(x) order by x
select x from (values (1)) v(x) where row_number() over () = 1
select row_number() from (values (1)) v(x)
select string_agg(x, ',') over (order by x) from (values ('a'), ('b')) v(x) order by 1
with a as (select 1 as x), b as (select x + 1 as y from a) select * from a, b
with a(p, q) as (values (1, 2)) select q, p from a
with recursive t(n) as (select 1 union all select n + 1 from t where n < 5) select sum(n), max(n) from t
with recursive t(n) as (select 1 union select (n + 1) % 3 from t) select n from t order by n
with recursive t(n) as (select 1 union all select n + 1.5 from t where n < 5) select * from t
select * from (select 1 as x) a join (select 1 as x, 2 as y) b on a.x = b.x
select * from (select 1 as x, 5 as z) a join (select 1 as x, 2 as y) b using (x)
select a.x, b.x from (values (1), (2)) a(x) left join (values (2), (3)) b(x) on a.x = b.x order by a.x
select a.x, b.x from (values (1), (2)) a(x) right join (values (2), (3)) b(x) on a.x = b.x order by b.x
select a.x, b.x from (values (1), (2)) a(x) full join (values (2), (3)) b(x) on a.x = b.x order by 1, 2
select x from (values (1), (2)) a(x) full join (values (2), (3)) b(x) using (x) order by x
select a.x, b.x from (values (1), (2)) a(x) cross join (values (3)) b(x) order by 1
select a.x, b.y from (values (1)) a(x), (values (2)) b(y)
select x from (values (1)) a(x), (values (2)) b(x)
select z from (values (1)) a(x)
select a.z from (values (1)) a(x)
select b.x from (values (1)) a(x)
select * from (values (1)) a(x) join (values (1)) a(y) on true
select a.* from (values (1, 2)) a(x, y)
select x, (select count(*) from (values (1), (2)) b(y) where y <= a.x) from (values (1), (2)) a(x) order by x
select x from (values (1), (2), (3)) a(x) where exists (select 1 from (values (2)) b(y) where b.y = a.x)
select x from (values (1), (2), (3)) a(x) where x in (select y from (values (2), (3)) b(y)) order by x
select x from (values (1), (2)) a(x) where x not in (select y from (values (2), (null)) b(y))
select x from (values (1), (2)) a(x) where x = any(select y from (values (2)) b(y))
select n from generate_series(1, 3) n
select * from generate_series(3, 1, -1)
select count(*) from generate_series(1, 0)
select * from generate_series(1, 2, 0)
select n from generate_series(1::bigint, 2) n
select d from generate_series(timestamp '2024-01-30', timestamp '2024-02-01', interval '1 day') d
select * from unnest(array[1, 2]) with ordinality as u(x, n)
select u from unnest(array['a', null]) u order by u
select x from unnest('{1,2}'::int[]) x where x > 1
select * from unnest(array[[1, 2], [3, 4]]) x order by x
select value from jsonb_array_elements('[1, {"a": 2}]')
select * from jsonb_array_elements_text('["a", null, 1]')
select * from jsonb_each('{"b": 1, "a": "x"}') order by key
select * from jsonb_each_text('{"b": 1, "a": "x"}') order by key
select * from jsonb_object_keys('{"b": 1, "a": 2}') k order by k
select a.x, e from (values (array[1, 2])) a(x), unnest(a.x) e order by e
select coalesce(sum(x), 0) from (values (1)) v(x) where false
select case when count(*) > 0 then sum(x) / count(*) else 0 end from (values (1), (4)) v(x)
select upper(x) as u, count(*) from (values ('a'), ('A')) v(x) group by upper(x)
select lower(x) from (values ('A'), ('b')) v(x) group by x order by lower(x)
select x from (values (1), (2)) v(x) group by x having sum(x) > 1
select 1 from (values (1)) v(x) having count(*) > 0
select max(sum(x)) from (values (1)) v(x) group by x
select
select *
select 1 where true
select 1 where null
select 1 where 1
select 1 from
select 1,
select 1 frm t
select 'a' 'b'
select "nothing"
select 1 limit 1 limit 2
table nothing
select * from nothing.at_all
select t.x from (values (1)) as t (x) where t.x = 1 and t.x in (1, 2) or not t.x > 3
select (x + 1) * 2 - x / 2 % 3 from (values (5)) v(x)
select a || b || c from (values ('x', 'y', null)) v(a, b, c)
select null, null::int, 'x', 1 from (values (1)) v(x)
select current_date = now()::date, current_timestamp = now(), localtimestamp = now()::timestamp
select true as t, false, not true
""".strip()

SCHEMA: Final = (
    "create table parents (id int primary key, code varchar(3) unique, size smallint check (size > 0), n numeric(6, 2) default 1.5)",
    "create table children (id bigint generated always as identity primary key, parent int not null references parents (id) on delete cascade, note text, made timestamptz not null default now())",
    "create table things (id serial primary key, name text not null, tags text[], data jsonb, price numeric(10, 2), weight real, day date, at timestamptz, spent interval, u uuid, raw bytea, active boolean not null default true)",
    "create unique index things_name on things (lower(name)) where active",
    "create index on things (price desc, day)",
)

NOW: Final = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)
STORIES: Final = (
    story(
        "rows and constraints",
        *SCHEMA,
        "insert into parents values (1, 'abc', 1)",
        "insert into parents (id, code) values (2, 'xyz'), (3, null) returning *",
        "insert into parents values (1, 'new', 1)",
        "insert into parents values (4, 'abc', 1)",
        "insert into parents values (4, 'abcd', 1)",
        "insert into parents values (4, 'ab   ', 1) returning code",
        "insert into parents values (5, 'de', 0)",
        "insert into parents values (5, 'de', 40000)",
        ("insert into parents values ($1, 'de', $2)", 5, 40000),
        "insert into parents values (5, 'de', null, 12345.678)",
        "insert into parents values (5, 'de', null, 1234.567) returning n",
        "insert into parents values (null, 'q', 1)",
        ("insert into parents values ($1, 'q', 1)", None),
        "insert into parents values ('6', 'q', '2') returning *",
        ("insert into parents values ($1, 'q', 1)", "7"),
        "insert into parents values (7, 8, 1)",
        "insert into parents values (8.6, 'r', 1) returning id",
        "insert into parents values (1, 2, 3, 4, 5)",
        "insert into parents (id, nothing) values (1, 2)",
        "insert into parents (id, id) values (1, 2)",
        "insert into parents (id) values (20, 21)",
        "insert into nothing values (1)",
        "select * from parents order by id",
    ),
    story(
        "foreign keys",
        *SCHEMA,
        "insert into parents values (1, 'abc', 1), (2, 'xyz', 1)",
        "insert into children (parent, note) values (1, 'a'), (2, 'b') returning id, parent, note",
        "insert into children (parent) values (9)",
        "insert into children (id, parent) values (5, 1)",
        "insert into children (id, parent) values (default, 1) returning id",
        "insert into children (note) values ('x')",
        "update children set parent = 9 where parent = 1",
        "update parents set id = 10 where id = 1",
        "delete from parents where id = 1",
        "select id, parent, note from children order by id",
        "update children set id = 5",
        "drop table parents",
        "truncate parents",
        "truncate parents cascade",
        "select count(*) from children",
        "drop table parents cascade",
        "insert into children (parent) values (99) returning id",
    ),
    story(
        "values of every type",
        *SCHEMA,
        (
            "insert into things (name, tags, data, price, weight, day, at, spent, u, raw) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning *",
            "Lamp",
            ArrayValue(items=("red", None, "a,b")),
            Json({"b": 1, "a": [1, 2.5, None]}),
            Decimal("19.999"),
            1.1,
            date(2026, 1, 31),
            NOW,
            Interval(months=1, days=2, microseconds=3),
            UUID(int=5),
            b"\x00\xff",
        ),
        ("insert into things (name, tags) values ($1, $2)", "Chair", ArrayValue()),
        ("insert into things (name) values ($1)", "LAMP"),
        ("insert into things (name, active) values ($1, false) returning id", "LAMP"),
        (
            "select id, name from things where at > $1 and day = $2 and u = $3",
            NOW - timedelta(1),
            date(2026, 1, 31),
            UUID(int=5),
        ),
        ("select id from things where tags @> $1", ArrayValue(items=("red",))),
        ("select id from things where data @> $1", Json({"b": 1})),
        ("select id from things where raw = $1 and price = $2", b"\x00\xff", Decimal("20.0")),
        ("select id from things where id = any($1) order by id", ArrayValue(items=(1, 2, 99))),
        ("select id from things where id = any($1) order by id", ArrayValue()),
        ("select id from things where name = $1", None),
        ("select id from things where id = $1", "1"),
        ("select id from things where id = $1", 1.0),
        ("select id from things where id = $1", Decimal("1.0")),
        ("select id from things where id = $1", 2**40),
        ("select id from things where price > $1", 5),
        ("select id from things where day > $1", NOW),
        ("select id from things where name = $1", 5),
        ("select weight, weight * 2, price * weight from things where id = $1", 1),
        (
            "select at + spent, day + 1, at::date, extract(year from at) from things where id = $1",
            1,
        ),
        (
            "select data -> 'a', data ->> 'b', tags[1], array_length(tags, 1) from things where id = $1",
            1,
        ),
        (
            "update things set tags = array_append(tags, $1), data = data || $2 where id = $3 returning tags, data",
            "x",
            Json({"c": True}),
            1,
        ),
        (
            "update things set price = price * $1, day = $2 where id = 1 returning price, day",
            Decimal("1.5"),
            None,
        ),
        ("update things set price = $1", Decimal("123456789.5")),
        ("update things set name = $1 where id = 1", None),
        ("select max(price), min(day), sum(weight), count(tags) from things",),
        ("select $1, $2, $3", 1, "a", None),
        ("select $1 + 1", "x"),
        ("select $1 + $2", 2147483647, 1),
        ("select $1 + 1", None),
        ("select $1", ArrayValue(items=(1, "a"))),
        ("select $1", ArrayValue(items=(ArrayValue(items=(1,)), ArrayValue(items=(1, 2))))),
        ("select $1", ArrayValue(item_type="int8")),
        ("select $1::int[]", ArrayValue()),
        ("select $1", OtherValue(type_name="date", text="2026-01-31")),
        ("select $1", OtherValue(type_name="int4", text="x")),
        ("select $1", "a\0b"),
        ("select $1", Decimal("NaN")),
        ("select $1", time(12, 30, 0, 5)),
        ("select $1", datetime(2026, 1, 31, 12, 30)),  # noqa: DTZ001  a time without a zone is meant
        ("select $1, $1 from things limit $2", 5, 1),
        ("select $2", 1),
        ("select 1", 1, 2),
        ("select $1 like $2", "abc", "a%"),
        ("select upper($1), length($1)", "é"),
        ("select coalesce($1, $2)", None, 5),
        ("select coalesce($1, 'x')", None),
        ("select case when $1 then $2 else 0 end", True, 2.5),
        ("select * from generate_series(1, $1) limit $2", 5, 2),
        ("select $1::text, $1::numeric", 5),
        ("select $1 at time zone 'Europe/Berlin'", NOW),
        ("select now() - $1 > interval '0'", datetime(2020, 1, 1, tzinfo=UTC)),
    ),
    story(
        "upserts",
        "create table stock (sku text primary key, amount int not null, note text unique)",
        "insert into stock values ('a', 1, 'x') on conflict (sku) do update set amount = stock.amount + excluded.amount returning *",
        "insert into stock values ('a', 2, 'x') on conflict (sku) do update set amount = stock.amount + excluded.amount returning *",
        "insert into stock as s values ('a', 2, 'x') on conflict (sku) do update set amount = s.amount + excluded.amount where s.amount > 100 returning *",
        "insert into stock values ('a', 5, 'y') on conflict do nothing returning *",
        "insert into stock values ('b', 5, 'x') on conflict (sku) do nothing",
        "insert into stock values ('b', 5, 'x') on conflict do nothing",
        "insert into stock values ('b', 5, 'z') on conflict on constraint stock_pkey do update set note = excluded.note returning *",
        "insert into stock values ('c', 1, 'c'), ('c', 2, 'd') on conflict (sku) do update set amount = excluded.amount",
        "insert into stock values ('c', 1, 'c'), ('d', 2, 'd') on conflict (sku) do update set amount = excluded.amount returning sku",
        "insert into stock values ('a', 1, 'q') on conflict (amount) do nothing",
        "insert into stock values ('a', 1, 'q') on conflict do update set amount = 1",
        "insert into stock values ('a', null, 'q') on conflict (sku) do nothing",
        "insert into stock select 'e', 7, 'e' on conflict (sku) do nothing",
        "insert into stock (sku, amount) select sku || '2', amount * 2 from stock where amount > 1 returning sku, amount, note",
        "select * from stock order by sku",
    ),
    story(
        "updates and deletes",
        "create table a (id int primary key, x int, y text default 'd')",
        "create table b (id int primary key, z int)",
        "insert into a values (1, 10), (2, 20), (3, 30)",
        "insert into b values (1, 100), (3, 300)",
        "update a set x = b.z from b where a.id = b.id returning a.id, x",
        "update a set x = x + 1, y = default where id in (select id from b) returning *",
        "update a as t set x = (select max(z) from b) where t.id = 2 returning t.*",
        "update a set id = id + 10",
        "update a set id = id - 9 where id > 100",
        "update a set x = 'q'",
        "update a set nothing = 1",
        "update a set x = 1, x = 2",
        "update nothing set x = 1",
        "update a set x = null where x > 200 returning id",
        "delete from a using b where b.id + 10 = a.id and b.z > 200 returning a.id",
        "delete from a where id = 999",
        "delete from a as t where t.id = 12",
        "delete from a returning id, y",
        "select * from a",
        "insert into a default values",
        "insert into a (id) values (1), (2) returning y",
        "delete from a where x",
        "delete from a where id = 1 or id = 2",
    ),
    story(
        "changes of the schema",
        "create table t (id int, name varchar(10))",
        "create table t (id int)",
        "create table if not exists t (id int)",
        "insert into t values (1, 'a'), (2, null)",
        "alter table t add column extra int default 5",
        "alter table t add column needed int not null",
        "alter table t add column needed text not null default 'x'",
        "alter table t add column extra int",
        "alter table t add column if not exists extra int",
        "select * from t order by id",
        "alter table t alter column name set not null",
        "alter table t alter column extra set not null",
        "insert into t (id, name, extra) values (3, 'c', null)",
        "alter table t alter column extra drop not null",
        "alter table t alter column extra set default 7",
        "insert into t (id) values (3) returning *",
        "alter table t alter column extra drop default",
        "insert into t (id) values (4) returning extra",
        "alter table t add constraint small check (id < 10)",
        "insert into t (id) values (11)",
        "alter table t add constraint tiny check (id < 2)",
        "alter table t drop constraint small",
        "insert into t (id) values (11)",
        "alter table t add primary key (id)",
        "insert into t (id) values (11)",
        "alter table t add unique (name)",
        "insert into t (id, name) values (12, 'a')",
        "alter table t drop constraint t_name_key",
        "insert into t (id, name) values (12, 'a')",
        "alter table t add unique (name)",
        "alter table t rename column name to title",
        "select name from t",
        "alter table t alter column title type varchar(20)",
        "update t set title = 'a longer title' where id = 1 returning title",
        "alter table t alter column title type text",
        "select title from t where id = 1",
        "alter table t rename to u",
        "select count(*) from t",
        "select count(*) from u",
        "alter table u drop column extra",
        "alter table u drop column extra",
        "alter table u drop column if exists extra",
        "select * from u order by id",
        "alter table nothing add column x int",
        "alter table u drop constraint nothing",
        "create index by_title on u (title)",
        "create index by_title on u (title)",
        "create index if not exists by_title on u (title)",
        "drop index by_title",
        "drop index by_title",
        "drop table u",
        "drop table u",
        "drop table if exists u",
        "create table v (a int, a int)",
        "create table v (a int primary key, b int primary key)",
        "create table v (a int references nothing)",
        "create table v (a int check (b > 0))",
        "create table v (a int default 'x')",
        "create table v as select 1 as a, 'x' as b",
        "select * from v",
        "create table w (a int, b int, sum int generated always as (a + b) stored)",
        "insert into w values (1, 2) returning *",
        "insert into w values (1, 2, 3)",
        "update w set a = 5 returning sum",
    ),
    story(
        "sequences and views",
        "create sequence numbers start with 10 increment by 5",
        "select nextval('numbers')",
        "select nextval('numbers'), currval('numbers')",
        "select setval('numbers', 100)",
        "select nextval('numbers')",
        "select setval('numbers', 7, false)",
        "select nextval('numbers')",
        "select nextval('nothing')",
        "create sequence numbers",
        "drop sequence numbers",
        "select nextval('numbers')",
        "create table t (id serial primary key, n int)",
        "insert into t (n) values (1), (2) returning id",
        "insert into t (id, n) values (10, 3) returning id",
        "insert into t (n) values (4) returning id",
        "select nextval('t_id_seq')",
        "create view big as select id, n * 2 as double from t where n > 1",
        "select * from big order by id",
        "create view big as select 1",
        "select b.double from big b join t on t.id = b.id order by 1",
        "drop table t",
        "drop view big",
        "drop view big",
        "truncate t restart identity",
        "insert into t (n) values (1) returning id",
        "drop table t",
    ),
    story(
        "a null whose type its place decides",
        "create table t (a int, b text, f float8)",
        ("insert into t values ($1, $2, 1) returning *", None, None),
        ("insert into t (a, b) values ($1, $1)", None),
        ("select 1 where $1 is null", None),
        ("select $1 is null or 1 = $1", None),
        ("select 1 = $1 or $1 is null", None),
        ("select $1, 1 = $1", None),
        ("select $1::int, $1", None),
        ("select a from t where a = $1 or b = $1", None),
        ("select a from t where a is not distinct from $1", None),
        ("select $1 between 1 and 2.5", None),
        ("update t set a = $1, b = $2 where a is not distinct from $1 returning a, b", None, "x"),
    ),
    story(
        "what differed once",
        "select 9223372036854775807 % -2147483648::int8, -7::int8 % 3",
        "select round(-0.3::float8), -(0::float8), ceil(-0.3::float8), abs('-0'::float8)",
        "select '\"x\"'::jsonb -> 0, '\"x\"'::jsonb ->> -1, '\"x\"'::jsonb -> 'a', '1'::jsonb -> 1",
        "select case when true then 1.5 else 1::int end, case when false then 1 else length('a') end",
        "select lag('a') over ()",
        "select first_value(null) over ()",
        "select lag(1, 1, 2.5) over (), lag('a', 1, 'b'::text) over ()",
        "create table t (id int, f float8)",
        "insert into t values (1, 2), (2, 2.5) returning f",
        "update t set f = f * 2 returning f, id",
        "select f from t order by id",
    ),
    story(
        "names",
        'create table "Order" ("Id" int primary key, "select" text, "a b" int)',
        'insert into "Order" values (1, \'x\', 2) returning "Id", "a b"',
        'create table "order" (id int)',
        'select "Id", "select", o."a b" from "Order" o',
        "select * from Order",
        'select * from "ORDER"',
        'select id from "Order"',
        'select "Order"."Id" as "Name With Case", ID.id from "Order", (select 1 as id) ID',
        "create table Mixed (Some_Column int)",
        "insert into MIXED (SOME_COLUMN) values (1) returning some_column",
        "select mixed.Some_Column from mixed",
        'create table "rowid" ("rowid" int, "oid" int)',
        'insert into "rowid" values (1, 2) returning "rowid", "oid"',
        'alter table "Order" rename column "a b" to "C"',
        'select "C" from "Order"',
        'create table "it""s" ("q""q" int)',
        'insert into "it""s" values (1) returning "q""q"',
        "select * from public.mixed",
    ),
)


def expressions() -> Iterator[str]:
    """Queries without a table, one for each expression."""
    for line in EXPRESSIONS.splitlines():
        for expression in line.split(" | "):
            yield f"select {expression}"


def queries() -> Iterator[str]:
    """Queries as they are."""
    yield from QUERIES.splitlines()

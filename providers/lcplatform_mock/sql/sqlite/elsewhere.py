"""What PostgreSQL has and is not known here: naming it is no mistake of the application."""

from __future__ import annotations

from typing import Final

_FUNCTIONS: Final = """
acos any_value array_dims array_fill array_ndims array_positions array_replace array_to_json asin atan atan2 bit_count
bit_length bit_xor cbrt convert_from convert_to cos crc32 cube current_database current_query current_schema
current_setting date_bin date_part div erf exp factorial format gcd generate_series generate_subscripts get_bit
get_byte grouping has_table_privilege isfinite json_agg json_array_elements json_build_array json_build_object
json_each json_object_agg json_populate_record json_to_record json_typeof jsonb_array_elements
jsonb_array_elements_text jsonb_each jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_insert
jsonb_object jsonb_object_agg jsonb_object_keys jsonb_path_exists jsonb_path_query jsonb_path_query_array
jsonb_path_query_first jsonb_populate_record jsonb_pretty jsonb_to_record jsonb_to_recordset justify_days
justify_hours justify_interval lastval lcm ln log log10 make_interval make_time make_timestamp make_timestamptz
min_scale mode normalize num_nonnulls num_nulls obj_description overlay parse_ident percentile_cont percentile_disc
pg_advisory_lock pg_advisory_unlock pg_advisory_xact_lock pg_backend_pid pg_sleep pg_try_advisory_lock pg_typeof
quote_ident quote_literal quote_nullable radians regexp_count regexp_instr regexp_like regexp_match regexp_matches
regexp_replace regexp_split_to_array regexp_split_to_table regexp_substr row_to_json scale set_config setseed sha224
sha384 sha512 sin stddev stddev_pop stddev_samp string_to_table tan timeofday to_char to_date to_hex to_json to_number
to_timestamp trim_array trim_scale unistr unnest uuidv4 uuidv7 var_pop var_samp variance version width_bucket xmlagg
"""
_TYPES: Final = """
bit box bpchar char character cidr circle cube daterange hstore inet int4range int8range jsonpath line lseg ltree macaddr
macaddr8 money name numrange oid path pg_lsn point polygon record regclass serial2 serial4 serial8 timetz tsquery tsrange
tstzrange tsvector varbit void xml citext
"""

FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""Its functions."""
TYPES: Final = frozenset(_TYPES.split())
"""Its types."""

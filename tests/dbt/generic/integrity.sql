{#
    What must hold of every row of a table, in one scan, and of its keys: one test a table, since each
    test costs a scan and dbt's own time, however little it looks at. A row that fails comes back with
    its key, and `broken` names what it breaks; `orchestration/transform/data_tests.py` tells each by its name.

    An empty key is that of a table of one row. Keys are grouped rather than a constraint, which on a
    large table costs an index of many times its size. Of a table that grows, `grows_by` names the date or
    month of a row, and `touched` the model of the months that are made anew: an increment is asked for what
    it has made, since a key has its month in it, and the other months were tested when they were made.
#}
{% test integrity(
    model,
    primary_key,
    unique=[],
    not_null=[],
    accepted_values={},
    within_unit_interval=[],
    never_negative=[],
    grows_by=none,
    touched='int_viewing__touched_months'
) %}

{%- set rows = model -%}
{%- if grows_by is not none -%}
    {%- do [ref(touched), ref('int_viewing__replaced_ids')] -%}
    {%- set rows = made_anew(model, grows_by, touched=touched) -%}
{%- endif -%}

{%- set faults = {} -%}
{%- for column in not_null -%}
    {%- do faults.update({'not_null_' ~ column: column ~ ' is null'}) -%}
{%- endfor -%}
{%- for column, values in accepted_values.items() -%}
    {%- set listed = "'" ~ values | join("', '") ~ "'" -%}
    {%- do faults.update({'accepted_values_' ~ column: column ~ ' not in (' ~ listed ~ ')'}) -%}
{%- endfor -%}
{%- for column in within_unit_interval -%}
    {%- do faults.update({'within_unit_interval_' ~ column: column ~ ' not between 0 and 1'}) -%}
{%- endfor -%}
{%- for column in never_negative -%}
    {%- do faults.update({'never_negative_' ~ column: column ~ ' < 0'}) -%}
{%- endfor -%}

{%- set keys = {'primary_key': primary_key} -%}
{%- for column in unique -%}
    {%- do keys.update({'unique_' ~ column: [column]}) -%}
{%- endfor -%}

{%- if faults %}
select
    {%- for column in primary_key %}
    {{ column }},
    {%- endfor %}
    concat_ws(
        ' '
        {%- for name, fault in faults.items() %},
        case when {{ fault }} then '{{ name }}' end
        {%- endfor %}
    ) as broken
from {{ rows }}
where
    {{ faults.values() | join('\n    or ') }}
union all
{%- endif %}
{%- for name, columns in keys.items() %}
select
    {%- for column in primary_key %}
    {{ column if column in columns else 'min(' ~ column ~ ')' }} as {{ column }},
    {%- endfor %}
    '{{ name }}' as broken
from {{ rows }}
{%- if columns %}
group by {{ columns | join(', ') }}
{%- endif %}
having
    count(*) > 1
    {%- for column in columns %}
    {{ 'or' if name == 'primary_key' else 'and' }} {{ column }} is {{ '' if name == 'primary_key' else 'not ' }}null
    {%- endfor %}
{{- '\nunion all' if not loop.last }}
{%- endfor %}

{% endtest %}

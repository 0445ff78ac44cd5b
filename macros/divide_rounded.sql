{#
    The quotient of two integers, rounded half away from zero to an integer, exactly: both engines'
    division of decimals loses digits. The denominator is above 0.
#}
{% macro divide_rounded(numerator, denominator) -%}
    {{ return(adapter.dispatch('divide_rounded')(numerator, denominator)) }}
{%- endmacro %}

{% macro duckdb__divide_rounded(numerator, denominator) -%}
    (
        sign({{ numerator }})
        * (
            (2 * abs(cast({{ numerator }} as hugeint)) + {{ denominator }})
            // (2 * cast({{ denominator }} as hugeint))
        )
    )
{%- endmacro %}

{% macro spark__divide_rounded(numerator, denominator) -%}
    (
        cast(sign({{ numerator }}) as bigint)
        * (
            (2 * abs(cast({{ numerator }} as decimal(38, 0))) + {{ denominator }})
            div (2 * cast({{ denominator }} as decimal(38, 0)))
        )
    )
{%- endmacro %}

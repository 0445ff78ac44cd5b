{#
    The quotient of two integers, rounded half away from zero to an integer, exactly: both engines'
    division of decimals loses digits. The denominator is above 0.
#}
{% macro divide_rounded(numerator, denominator) -%}
    {{ return(adapter.dispatch('divide_rounded')(numerator, denominator)) }}
{%- endmacro %}

{% macro duckdb__divide_rounded(numerator, denominator) -%}
    -- 64 bits, which are divided faster, are nearly always enough
    case
        when abs({{ numerator }}) < 2000000000000000000 and {{ denominator }} < 2000000000000000000
            then
                sign({{ numerator }})
                * (
                    (2 * abs(cast({{ numerator }} as bigint)) + cast({{ denominator }} as bigint))
                    // (2 * cast({{ denominator }} as bigint))
                )
        else
            sign({{ numerator }})
            * (
                (2 * abs(cast({{ numerator }} as hugeint)) + {{ denominator }})
                // (2 * cast({{ denominator }} as hugeint))
            )
    end
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


{# An integer as one that a product of more than 64 bits is made of. #}
{% macro wide(integer) -%}
    cast({{ integer }} as {{ of_engine('hugeint', 'decimal(38, 0)') }})
{%- endmacro %}

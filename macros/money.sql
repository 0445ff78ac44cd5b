{# Money kept in the minor unit, an integer, as ten-thousandths of the currency's unit, an integer. #}
{% macro ten_thousandths(minor, minor_unit_digits) -%}
    ({{ minor }} * cast(power(10, 4 - {{ minor_unit_digits }}) as bigint))
{%- endmacro %}


{# Ten-thousandths as money. Multiplied, since a division of decimals is a float in one engine. #}
{% macro as_money(ten_thousandths) -%}
    cast(cast({{ ten_thousandths }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}


{# An amount in its own currency at a rate, in the reporting currency, rounded half away from zero. #}
{% macro value_at(amount, rate) -%}
    {{ return(adapter.dispatch('value_at')(amount, rate)) }}
{%- endmacro %}

{% macro default__value_at(amount, rate) -%}
    cast(round({{ amount }} * {{ rate }}, 4) as decimal(18, 4))
{%- endmacro %}

{#
    The same through integers of 64 bits, amounts in ten-thousandths, rates in 1/10^12, where the product
    has 18 digits: to round 38 takes six times as long. A double knows either exactly within these bounds.
#}
{% macro duckdb__value_at(amount, rate) -%}
    case
        when
            abs(cast({{ amount }} as double) * cast({{ rate }} as double)) < 900
            and abs({{ amount }}) < 100000000
            and {{ rate }} < 1000
            then cast(
                (
                    cast(cast({{ amount }} as double) * 10000 as bigint)
                    * cast(cast({{ rate }} as double) * 1000000000000 as bigint)
                    + case when {{ amount }} < 0 then -500000000000 else 500000000000 end
                ) // 1000000000000
                as decimal(13, 0)
            ) * cast(0.0001 as decimal(5, 4))
        else {{ default__value_at(amount, rate) }}
    end
{%- endmacro %}


{# A product of more than 38 digits is first rounded to fewer places there, and then rounded twice. #}
{% macro spark__value_at(amount, rate) -%}
    cast(
        round(cast({{ amount }} as decimal(17, 4)) * cast({{ rate }} as decimal(20, 12)), 4) as decimal(18, 4)
    )
{%- endmacro %}


{# A price of a billing period per month, in its own currency; its mean month has 1/12 year. #}
{% macro monthly_amount(amount_minor, minor_unit_digits, unit, count) -%}
    {%- set periods_a_year -%}
        case {{ unit }} when 'day' then 365 when 'week' then 52 when 'month' then 12 else 1 end
    {%- endset -%}
    {{ as_money(divide_rounded(
        ten_thousandths(amount_minor, minor_unit_digits) ~ " * " ~ periods_a_year,
        "(12 * " ~ count ~ ")"
    )) }}
{%- endmacro %}


{#
    Money per time-weighted average of subscribers, exactly: money × month ÷ the subscribers' time. Null
    where nobody was there, or for a moment so short that the quotient is beyond the type of money.
#}
{% macro amount_per_average(amount, subscriber_microseconds, month_microseconds) -%}
    case
        when
            {{ subscriber_microseconds }} > 0
            and abs(cast({{ amount }} as double)) * {{ month_microseconds }}
            < cast(99999999999999 as double) * {{ subscriber_microseconds }}
            then {{ as_money(divide_rounded(
                'cast(cast(' ~ amount ~ ' as decimal(38, 4)) * 10000 as decimal(38, 0)) * ' ~ month_microseconds,
                subscriber_microseconds,
            )) }}
    end
{%- endmacro %}

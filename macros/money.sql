{# Money kept in the minor unit, an integer, as ten-thousandths of the currency's unit, an integer. #}
{% macro ten_thousandths(minor, minor_unit_digits) -%}
    ({{ minor }} * cast(power(10, 4 - {{ minor_unit_digits }}) as bigint))
{%- endmacro %}


{# Ten-thousandths as money. Multiplied, since a division of decimals is a float in one engine. #}
{% macro as_money(ten_thousandths) -%}
    cast(cast({{ ten_thousandths }} as decimal(18, 0)) * cast(0.0001 as decimal(5, 4)) as decimal(18, 4))
{%- endmacro %}


{#
    An amount in its own currency at a rate, in the reporting currency, rounded half away from zero. `rate`
    names a column, and beside it stands another of the same name with `_trillionths`.
#}
{% macro value_at(amount, rate) -%}
    {{ return(adapter.dispatch('value_at')(amount, rate)) }}
{%- endmacro %}

{% macro default__value_at(amount, rate) -%}
    cast(round({{ amount }} * {{ rate }}, 4) as decimal(18, 4))
{%- endmacro %}

{#
    Where the rate is a number of trillionths the same through integers of 64 bits, with the amount in
    ten-thousandths, as long as the product has 18 digits: to round 38 takes six times as long. A double
    knows the amount exactly within these bounds.
#}
{% macro duckdb__value_at(amount, rate) -%}
    case
        when
            abs({{ amount }}) < 100000000
            and abs(cast({{ amount }} as double)) * {{ rate }}_trillionths < 900000000000000
            then cast(
                (
                    cast(cast({{ amount }} as double) * 10000 as bigint) * {{ rate }}_trillionths
                    + case when {{ amount }} < 0 then -500000000000 else 500000000000 end
                ) // 1000000000000
                as decimal(13, 0)
            ) * cast(0.0001 as decimal(5, 4))
        else {{ default__value_at(amount, rate) }}
    end
{%- endmacro %}


{#
    A product of more than 38 digits is first rounded to fewer places there, and then rounded twice: so the
    twelve first places of the rate and the six after them are multiplied apart.
#}
{% macro spark__value_at(amount, rate) -%}
    {%- set first_places = "cast(" ~ rate ~ " as decimal(21, 12))" -%}
    cast(
        round(
            cast(cast({{ amount }} as decimal(16, 4)) * {{ first_places }} as decimal(37, 22))
            + cast(
                cast({{ amount }} as decimal(16, 4))
                * cast({{ rate }} - {{ first_places }} as decimal(18, 18)) as decimal(37, 22)
            ),
            4
        ) as decimal(18, 4)
    )
{%- endmacro %}


{# A rate in 1/10^12; null where it has more places, or is 1000 or more. #}
{% macro trillionths(rate) -%}
    case
        when {{ rate }} < 1000 and {{ rate }} = round({{ rate }}, 12)
            then cast({{ rate }} * 1000000000000 as bigint)
    end
{%- endmacro %}


{# A price of a billing period per month, in its own currency; its mean month has 1/12 year. #}
{% macro monthly_amount(amount_minor, minor_unit_digits, unit, count) -%}
    {{ as_money(monthly_ten_thousandths(amount_minor, minor_unit_digits, unit, count)) }}
{%- endmacro %}


{# The same as an integer, which may be more than money can be. #}
{% macro monthly_ten_thousandths(amount_minor, minor_unit_digits, unit, count) -%}
    {%- set periods_a_year -%}
        case {{ unit }} when 'day' then 365 when 'week' then 52 when 'month' then 12 else 1 end
    {%- endset -%}
    {{ divide_rounded(
        ten_thousandths(wide(amount_minor), minor_unit_digits) ~ " * " ~ periods_a_year,
        "(12 * " ~ wide(count) ~ ")"
    ) }}
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

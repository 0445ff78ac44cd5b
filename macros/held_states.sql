{# Whether one of the states that a subscriber holds at once is a status. #}
{% macro has_state(status) -%}
    max(case when status = '{{ status }}' then 1 else 0 end) = 1
{%- endmacro %}


{# Whether all that a subscriber pays for is to end: of two subscriptions one that goes on keeps it. #}
{% macro all_paying_are_cancelled() -%}
    coalesce(
        min(
            case
                when own_currency_mrr > 0 and is_cancel_requested then 1
                when own_currency_mrr > 0 then 0
            end
        ), 0
    ) = 1
{%- endmacro %}

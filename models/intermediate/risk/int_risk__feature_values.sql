with

features as (

    select * from {{ ref('int_risk__features') }}
    where is_current

),

feature_values as (
    {% for feature in risk_features().numbers %}
    select
        subscriber_id,
        '{{ feature }}' as feature,
        '(number)' as category,
        cast({{ feature }} as double) as feature_value
    from features
    union all
    {%- endfor %}
    {%- for feature in risk_features().texts %}
    select
        subscriber_id,
        '{{ feature }}' as feature,
        {{ feature }} as category,
        cast(1 as double) as feature_value
    from features
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}

)

select * from feature_values

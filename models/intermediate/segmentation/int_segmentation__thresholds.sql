{%- set names = [
    'new_days', 'won_back_days', 'loyal_days', 'loyal_viewing_days', 'faded_share',
    'faded_from_viewing_days', 'promoter_score', 'advocate_referrals', 'light_viewing_days',
    'regular_viewing_days', 'heavy_viewing_days', 'score_five_share', 'score_four_share',
    'score_three_share', 'score_two_share', 'high_value_share', 'medium_value_share',
    'repeated_failed_invoices', 'taste_seconds', 'focused_concentration',
    'specialist_concentration', 'couple_profiles', 'family_profiles', 'win_back_from_days',
    'win_back_until_days',
] -%}

with

segment_thresholds as (

    select * from {{ ref('segment_thresholds') }}

),

thresholds as (

    select
        {%- for name in names %}
        max(case when threshold = '{{ name }}' then threshold_value end) as {{ name }},
        {%- endfor %}
        max(case when threshold = 'contact_pause_days' then threshold_value end)
            as contact_pause_days
    from segment_thresholds

)

select * from thresholds

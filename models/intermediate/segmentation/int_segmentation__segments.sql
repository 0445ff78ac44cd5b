with

features as (

    select * from {{ ref('int_segmentation__subscriber_month_features') }}

),

thresholds as (

    select * from {{ ref('int_segmentation__thresholds') }}

),

rfm_segments as (

    select * from {{ ref('rfm_segments') }}

),

-- the share of those compared that is at least as good: equal values have equal shares, and a tie
-- of many counts as the worst of them
ranked as (

    select
        features.*,
        closing_status in ('paying', 'paused') as is_scored,
        {%- for score, best_first in [
            ('recency', 'days_since_last_view asc nulls last'),
            ('frequency', 'viewing_days_28d desc'),
            ('monetary', 'value_amount desc'),
        ] %}
        cume_dist() over (
            partition by month_start, closing_status in ('paying', 'paused')
            order by {{ best_first }}
        ) as {{ score }}_share,
        {%- endfor %}
        cume_dist() over (
            partition by month_start, value_amount > 0
            order by value_amount desc
        ) as value_share
    from features

),

scored as (

    select
        ranked.*,
        {%- for score in ['recency', 'frequency', 'monetary'] %}
        case
            when not ranked.is_scored then null
            when ranked.{{ score }}_share <= thresholds.score_five_share then 5
            when ranked.{{ score }}_share <= thresholds.score_four_share then 4
            when ranked.{{ score }}_share <= thresholds.score_three_share then 3
            when ranked.{{ score }}_share <= thresholds.score_two_share then 2
            else 1
        end as {{ score }}_score,
        {%- endfor %}
        case
            when
                ranked.closing_status = 'paying'
                and ranked.is_past_due and not ranked.is_paid_on_time
                then 'past_due'
            when ranked.closing_status = 'paused' then 'paused'
            when ranked.closing_status <> 'paying' and ranked.is_trialing then 'trial'
            when ranked.closing_status = 'churned' then 'churned'
            when ranked.closing_status = 'never_paid' then 'prospect'
            when ranked.is_cancel_requested then 'at_risk'
            when ranked.lifetime_number = 1 and ranked.tenure_days < thresholds.new_days then 'new'
            when ranked.lifetime_number > 1 and ranked.tenure_days < thresholds.won_back_days
                then 'won_back'
            when ranked.viewing_days_28d = 0 and ranked.is_viewing_measured then 'dormant'
            when
                ranked.earlier_viewing_days_28d >= thresholds.faded_from_viewing_days
                and ranked.viewing_days_28d
                <= ranked.earlier_viewing_days_28d * thresholds.faded_share
                then 'at_risk'
            when
                ranked.nps_score >= thresholds.promoter_score
                or ranked.referred_payers >= thresholds.advocate_referrals
                then 'advocate'
            when
                ranked.tenure_days >= thresholds.loyal_days
                and ranked.viewing_days_28d >= thresholds.loyal_viewing_days
                then 'loyal'
            else 'engaged'
        end as lifecycle_stage,
        case
            when ranked.viewing_days_28d >= thresholds.heavy_viewing_days then 'heavy'
            when ranked.viewing_days_28d >= thresholds.regular_viewing_days then 'regular'
            when ranked.viewing_days_28d >= thresholds.light_viewing_days then 'light'
            else 'inactive'
        end as engagement_tier,
        case
            when ranked.value_amount <= 0 then 'none'
            when ranked.value_share <= thresholds.high_value_share then 'high'
            when ranked.value_share <= thresholds.medium_value_share then 'medium'
            else 'low'
        end as value_tier,
        case
            when ranked.is_past_due then 'past_due'
            when ranked.failed_invoices_90d >= thresholds.repeated_failed_invoices
                then 'repeated_failures'
            when ranked.failed_invoices_90d > 0 then 'occasional_failure'
            when ranked.has_paid then 'punctual'
            else 'never_charged'
        end as payment_behaviour,
        case
            when ranked.genre_watched_seconds < thresholds.taste_seconds then 'unknown'
            when ranked.genre_concentration >= thresholds.specialist_concentration then 'specialist'
            when ranked.genre_concentration >= thresholds.focused_concentration then 'focused'
            else 'eclectic'
        end as taste,
        case
            when ranked.profiles_28d = 0 then 'none'
            when ranked.profiles_28d < thresholds.couple_profiles then 'single'
            when ranked.profiles_28d < thresholds.family_profiles then 'couple'
            else 'family'
        end as household
    from ranked
    cross join thresholds

),

-- viewing days and value count alike; a mean of 3.5 is nearer to what the better of them says
scored_pairs as (

    select
        scored.*,
        cast(ceil((frequency_score + monetary_score) / 2.0) as integer) as frequency_monetary_score
    from scored

),

segments as (

    select
        scored_pairs.*,
        coalesce(rfm_segments.rfm_segment, 'not_scored') as rfm_segment
    from scored_pairs
    left join rfm_segments
        on
            scored_pairs.recency_score = rfm_segments.recency_score
            and scored_pairs.frequency_monetary_score = rfm_segments.frequency_monetary_score

)

select * from segments

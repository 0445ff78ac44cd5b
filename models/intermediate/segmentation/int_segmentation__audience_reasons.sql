with

facts as (

    select * from {{ ref('int_segmentation__audience_facts') }}

),

thresholds as (

    select * from {{ ref('int_segmentation__thresholds') }}

),

due_facts as (

    select
        facts.*,
        facts.lifecycle_stage in ('engaged', 'loyal', 'advocate') as is_content,
        coalesce(
            facts.lifecycle_stage = 'churned'
            and facts.days_since_end >= thresholds.win_back_from_days
            and facts.days_since_end <= thresholds.win_back_until_days, false
        ) as is_due_back,
        coalesce(facts.nps_score >= thresholds.promoter_score, false) as is_promoter
    from facts
    cross join thresholds

),

-- who has two reasons within an audience is told of the first: the more pressing one
candidates as (

    select
        subscriber_id,
        'save' as audience,
        case
            when lifecycle_stage = 'past_due' then 'payment_failed'
            when lifecycle_stage = 'at_risk' and is_cancel_requested then 'cancel_requested'
            when lifecycle_stage = 'at_risk' then 'viewing_fell'
            when lifecycle_stage = 'dormant' then 'dormant'
        end as reason_code
    from due_facts
    union all
    select
        subscriber_id,
        'win_back' as audience,
        case
            when is_due_back and end_type = 'involuntary' then 'lost_to_payment'
            when is_due_back and end_type = 'voluntary' and cancel_feedback = 'price'
                then 'left_for_price'
            when is_due_back and end_type = 'voluntary' then 'left'
        end as reason_code
    from due_facts
    union all
    select
        subscriber_id,
        'upsell' as audience,
        case
            when is_content and has_wider_plan and profiles_28d > max_streams
                then 'more_profiles_than_streams'
            when is_content and is_ad_supported and engagement_tier = 'heavy' then 'heavy_with_ads'
        end as reason_code
    from due_facts
    union all
    select
        subscriber_id,
        'reward' as audience,
        case when lifecycle_stage = 'loyal' then 'loyal' end as reason_code
    from due_facts
    union all
    select
        subscriber_id,
        'advocate' as audience,
        case
            when lifecycle_stage = 'advocate' and is_promoter then 'promoter'
            when lifecycle_stage = 'advocate' then 'referrer'
        end as reason_code
    from due_facts

),

candidates_with_figures as (

    select
        candidates.subscriber_id,
        candidates.audience,
        candidates.reason_code,
        cast(facts.viewing_days_28d as string) as viewing_days,
        cast(facts.earlier_viewing_days_28d as string) as earlier_viewing_days,
        cast(facts.days_since_last_view as string) as unseen_days,
        cast(facts.days_since_end as string) as gone_days,
        cast(facts.tenure_days as string) as tenure_days,
        cast(facts.profiles_28d as string) as profiles,
        cast(facts.max_streams as string) as streams,
        cast(facts.nps_score as string) as score,
        cast(facts.referred_payers as string) as friends
    from candidates
    inner join facts
        on candidates.subscriber_id = facts.subscriber_id
    where candidates.reason_code is not null

),

reasons as (

    select
        subscriber_id,
        audience,
        reason_code,
        case reason_code
            when 'payment_failed' then 'The last payment failed, and access will end'
            when 'cancel_requested' then 'Asked to cancel and still has access'
            when 'viewing_fell'
                then
                    'Watched on ' || viewing_days || ' of the last 28 days, after '
                    || earlier_viewing_days || ' of the 28 before'
            when 'dormant'
                then coalesce(
                    'Pays and has not watched for ' || unseen_days || ' days',
                    'Pays and has never watched'
                )
            when 'lost_to_payment' then 'Lost to a failed payment ' || gone_days || ' days ago'
            when 'left_for_price' then 'Left for the price ' || gone_days || ' days ago'
            when 'left' then 'Left ' || gone_days || ' days ago'
            when 'more_profiles_than_streams'
                then 'Profiles in use: ' || profiles || '; streams of the plan: ' || streams
            when 'heavy_with_ads'
                then 'Watched on ' || viewing_days || ' of the last 28 days, with advertising'
            when 'loyal'
                then
                    'Has stayed for ' || tenure_days || ' days and watched on ' || viewing_days
                    || ' of the last 28'
            when 'promoter' then 'Gave ' || score || ' of 10 when asked to recommend the service'
            when 'referrer' then 'Brought subscribers who have paid: ' || friends
        end as reason
    from candidates_with_figures

)

select * from reasons

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ forget_touched(
        month_start('viewing_date'), touched='int_viewing__touched_span_months'
    ) }}",
) }}

{#- named where it is read: one name, read twice, would have every session kept in between -#}
{%- set sessions_in_them -%}
inner join {{ ref('stg_viewing__playback_sessions') }} as sessions
        on
            play_spans.subscriber_id = sessions.subscriber_id
            and play_spans.earliest_at <= sessions.started_at
            and play_spans.latest_at >= sessions.started_at
{%- endset -%}

with

play_spans as (

    select * from {{ ref('int_viewing__play_spans') }}

),

{% if is_increment() %}

-- of whose id is another every session is an exception: no raw file is read for them
plays_in_spans as (

    select
        play_spans.*,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at
    from play_spans
    inner join {{ ref('int_viewing__touched_span_months') }} as touched_span_months
        on {{ month_start('play_spans.viewing_date') }} = touched_span_months.month_start
    {{ sessions_in_them }}
    where {{ within_months('sessions.started_at', 'int_viewing__touched_span_months') }}
    union all
    select
        play_spans.*,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at
    from play_spans
    inner join {{ ref('int_viewing__replaced_ids') }} as replaced_ids
        on play_spans.subscriber_id = replaced_ids.subscriber_id
    left join {{ ref('int_viewing__touched_span_months') }} as touched_span_months
        on {{ month_start('play_spans.viewing_date') }} = touched_span_months.month_start
    {{ sessions_in_them }}
    where
        touched_span_months.month_start is null
        and sessions.is_exception

),

{% else %}

plays_in_spans as (

    select
        play_spans.*,
        sessions.session_id,
        sessions.title_id,
        sessions.started_at
    from play_spans
    {{ sessions_in_them }}

),

{% endif %}

span_plays as (

    select
        subscriber_id,
        lifetime_number,
        viewing_date,
        session_id,
        title_id,
        started_at
    from plays_in_spans
    qualify
        case
            when lifetime_number = 0
                then row_number() over (
                    partition by subscriber_id, lifetime_number
                    order by started_at asc, session_id asc
                )
            else row_number() over (
                partition by subscriber_id, lifetime_number
                order by started_at desc, session_id desc
            )
        end = 1

)

select * from span_plays

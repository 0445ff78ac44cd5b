with

known_keys as (

    select {{ key_hash('session_id') }} as session_key_hash
    from {{ source('raw', 'playback_sessions') }}
    where
        session_id is not null
        and coalesce(recorded_at < {{ as_of() }}, true)
        and coalesce(ended_at < {{ as_of() }}, true)

),

repeated_keys as (

    select session_key_hash
    from known_keys
    group by session_key_hash
    having count(*) > 1

)

select * from repeated_keys

-- whatever the horizon: of a key that comes again beyond it, the rows before it are looked at too
with

keys as (

    select {{ key_hash('session_id') }} as session_key_hash
    from {{ source('raw', 'playback_sessions') }}
    where
        session_id is not null
        -- in an increment, what has come since says which keys are looked at
        and {{ (not is_increment()) | lower }}

),

repeated_keys as (

    select
        session_key_hash,
        count(*) as session_rows
    from keys
    group by session_key_hash
    having count(*) > 1

)

select * from repeated_keys

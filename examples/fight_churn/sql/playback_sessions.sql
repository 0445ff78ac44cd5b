-- a day on which an account did anything is one session of no length: that it was used is known,
-- at what hour, for how long and on which device is not
select
    account_id || '-' || event_date as session_id,
    cast(account_id as varchar) as subscriber_id,
    cast(null as varchar) as profile_id,
    cast(null as varchar) as title_id,
    'other' as device_type,
    cast(event_date as timestamp) as started_at,
    cast(event_date as timestamp) as ended_at,
    cast(0 as bigint) as watched_seconds,
    cast(null as bigint) as startup_ms,
    cast(null as bigint) as rebuffer_count,
    cast(null as bigint) as rebuffer_ms,
    cast(null as bigint) as bitrate_kbps,
    'other' as end_cause,
    false as is_autoplay,
    cast(event_date as timestamp) as recorded_at
from event_daily
where post + newfriend + "like" + adview + dislike + unfriend + message + reply > 0

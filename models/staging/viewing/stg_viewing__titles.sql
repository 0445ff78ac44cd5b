with

accepted as (

    select
        title_id,
        title_name,
        content_type,
        genre,
        series_id,
        runtime_seconds,
        released_on,
        recorded_at
    from {{ ref('base_viewing__titles') }}
    where version_rank = 1 and broken_rule is null

)

select * from accepted

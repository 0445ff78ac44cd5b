with

titles as (

    select
        title_id,
        title_name,
        content_type,
        genre,
        series_id,
        runtime_seconds,
        released_on
    from {{ ref('stg_viewing__titles') }}

)

select * from titles

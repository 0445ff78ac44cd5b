{# The closed lists of playback; they only describe, and what they do not know reads as `other`. #}
{% macro device_types() -%}
    {{ return(['tv', 'mobile', 'tablet', 'web', 'console']) }}
{%- endmacro %}


{% macro end_causes() -%}
    {{ return(['completed', 'stopped', 'error', 'startup_failure']) }}
{%- endmacro %}


{# The columns of a raw session with their types, in the contract's order, without recorded_at. #}
{% macro playback_columns() -%}
    {{ return({
        'session_id': 'string',
        'subscriber_id': 'string',
        'profile_id': 'string',
        'title_id': 'string',
        'device_type': 'string',
        'started_at': 'timestamp',
        'ended_at': 'timestamp',
        'watched_seconds': 'bigint',
        'startup_ms': 'bigint',
        'rebuffer_count': 'bigint',
        'rebuffer_ms': 'bigint',
        'bitrate_kbps': 'bigint',
        'end_cause': 'string',
        'is_autoplay': 'boolean',
    }) }}
{%- endmacro %}


{# The row rule that a session breaks, of `versions` and the accepted `subscribers`; null if none. #}
{% macro rule_broken_by_playback() -%}
case
    {{- common_rules(
        playback_columns(),
        ['session_id'],
        nullable=['profile_id', 'title_id', 'startup_ms', 'rebuffer_count', 'rebuffer_ms', 'bitrate_kbps'],
        event_at='versions.ended_at',
    ) }}
    when subscribers.subscriber_id is null then 'missing_reference'
    when versions.ended_at < versions.started_at then 'ends_before_start'
    when versions.watched_seconds < 0 then 'negative_watched_seconds'
end
{%- endmacro %}


{#
    Whether the content of a session keeps it from being read in place: it lasts so long that the
    local days which it can touch are not among those of `int_viewing__crossed_days` for all.
#}
{% macro is_long_playback(started_at, ended_at) -%}
    {{ ended_at }} > {{ started_at }} + interval 6 day
{%- endmacro %}


{#
    Those of the seconds of a play that fall into a day which it touches: what it has up to the day's
    end, less what it has up to the day's start. So the days add up to the play. `days` names a relation
    with the times of the play and of the day, `seconds` is SQL of the play's. A play can begin on a day
    after its end: where the clock went back over a midnight that had just been.
#}
{% macro seconds_of_day(days, seconds) -%}
    {%- set started_at, ended_at = days ~ '.started_at', days ~ '.ended_at' -%}
    {%- set lasted = microseconds_between(started_at, ended_at) -%}
    {%- set day_ended_at = 'greatest(' ~ days ~ '.day_ended_at, ' ~ started_at ~ ')' -%}
    {%- set to_end = microseconds_between(started_at, 'least(' ~ day_ended_at ~ ', ' ~ ended_at ~ ')') -%}
    {%- set to_start = microseconds_between(started_at, 'greatest(' ~ days ~ '.day_started_at, ' ~ started_at ~ ')') -%}
    cast(
        {{ divide_rounded(seconds ~ ' * ' ~ to_end, lasted) }}
        - {{ divide_rounded(seconds ~ ' * ' ~ to_start, lasted) }} as bigint
    )
{%- endmacro %}

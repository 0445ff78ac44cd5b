"""A small warehouse as a build leaves it: three people, two months, and ninety days of feeds.

In January three subscribers begin to pay 10 a month, in February one of them leaves. Every mart and
quality table tells that story, so a test changes one figure and says which expectation minds.
"""

from datetime import UTC, datetime

import duckdb

AS_OF = datetime(2026, 4, 1, tzinfo=UTC)

TABLES = """
create schema marts;
create schema quality;

create table quality.feed_profile (
    table_name varchar, profile_date date, metric varchar, column_name varchar, category varchar,
    value double, share double
);
create table quality.row_reconciliation (
    table_name varchar, raw_rows bigint, accepted_rows bigint, duplicate_rows bigint,
    superseded_rows bigint, quarantined_rows bigint, beyond_as_of_rows bigint
);
create table quality.money_reconciliation (
    currency varchar, raw_minor bigint, recognised_minor bigint, future_minor bigint,
    excluded_minor bigint
);
create table marts.mrr_bridge_monthly (
    month_start date, plan_tier varchar, country_code varchar, acquisition_channel varchar,
    opening_mrr_amount decimal(18, 4), new_mrr_amount decimal(18, 4),
    reactivation_mrr_amount decimal(18, 4), expansion_mrr_amount decimal(18, 4),
    resume_mrr_amount decimal(18, 4), contraction_mrr_amount decimal(18, 4),
    churn_mrr_amount decimal(18, 4), pause_mrr_amount decimal(18, 4), fx_mrr_amount decimal(18, 4),
    transfer_in_mrr_amount decimal(18, 4), transfer_out_mrr_amount decimal(18, 4),
    closing_mrr_amount decimal(18, 4), is_complete boolean
);
create table marts.churn_monthly (
    month_start date, plan_tier varchar, country_code varchar, acquisition_channel varchar,
    opening_subscribers bigint, new_subscribers bigint, reactivated_subscribers bigint,
    transferred_in bigint, transferred_out bigint, churned_subscribers bigint,
    churned_from_opening bigint, voluntary_churned_subscribers bigint,
    involuntary_churned_subscribers bigint, other_churned_subscribers bigint,
    closing_subscribers bigint, is_complete boolean
);
create table marts.revenue_monthly (
    month_start date, recognised_amount decimal(18, 4), refunded_amount decimal(18, 4),
    net_revenue_amount decimal(18, 4), uncollectible_amount decimal(18, 4),
    collected_amount decimal(18, 4), average_paying_subscribers double, average_subscribers double,
    arppu_amount decimal(18, 4), arpu_amount decimal(18, 4), is_complete boolean
);
create table marts.retention_cohorts (
    cohort_month date, months_since_start integer, cohort_size bigint, retained_subscribers bigint,
    never_lapsed_subscribers bigint, retention_rate double
);
create table marts.survival_curves (
    stratum varchar, stratum_value varchar, tenure_days integer, at_risk bigint, churned bigint,
    censored bigint, survival double, std_error double, ci_lower double, ci_upper double
);
create table marts.fct_subscription_states (
    subscription_id varchar, subscriber_id varchar, status varchar, plan_id varchar,
    valid_from timestamp, valid_to timestamp, mrr_amount decimal(18, 4)
);
create table marts.fct_subscriber_lifetimes (
    subscriber_id varchar, lifetime_number bigint, started_at timestamp, ended_at timestamp,
    end_type varchar
);
create table marts.fct_churn_events (
    subscriber_id varchar, lifetime_number bigint, churned_at timestamp, churn_type varchar,
    mrr_amount decimal(18, 4), won_back_at timestamp
);
create table marts.fct_mrr_movements (
    subscriber_id varchar, moved_at timestamp, category varchar, mrr_change_amount decimal(18, 4)
);
create table marts.viewing_daily (
    subscriber_id varchar, viewing_date date, plays bigint, valid_plays bigint,
    completed_plays bigint, watched_seconds bigint, titles bigint
);
"""

STORY = """
insert into marts.mrr_bridge_monthly values
    ('2026-01-01', 'basic', 'US', 'search', 0, 30, 0, 0, 0, 0, 0, 0, 0, 0, 0, 30, true),
    ('2026-02-01', 'basic', 'US', 'search', 30, 0, 0, 0, 0, 0, -10, 0, 0, 0, 0, 20, true);
insert into marts.churn_monthly values
    ('2026-01-01', 'basic', 'US', 'search', 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 3, true),
    ('2026-02-01', 'basic', 'US', 'search', 3, 0, 0, 0, 0, 1, 1, 1, 0, 0, 2, true);
insert into marts.revenue_monthly values
    ('2026-01-01', 30, 0, 30, 0, 36, 3, 3.5, 10, 8.5714, true),
    ('2026-02-01', 25, 5, 20, 0, 24, 2.5, 2.5, 8, 8, true);
insert into marts.retention_cohorts values
    ('2026-01-01', 0, 3, 3, 3, 1), ('2026-01-01', 1, 3, 2, 2, 0.6667),
    ('2026-01-01', 2, 3, null, null, null);
insert into marts.survival_curves values
    ('overall', 'all', 40, 3, 1, 0, 0.6667, 0.2722, 0.0541, 0.9452),
    ('overall', 'all', 59, 2, 0, 2, 0.6667, 0.2722, 0.0541, 0.9452);
insert into marts.fct_subscription_states values
    ('s1', 'ann', 'active', 'p', '2026-01-01', null, 10),
    ('s2', 'bob', 'active', 'p', '2026-01-01', null, 10),
    ('s3', 'cem', 'active', 'p', '2026-01-01', '2026-02-10', 10),
    ('s3', 'cem', 'ended', 'p', '2026-02-10', null, 0);
insert into marts.fct_subscriber_lifetimes values
    ('ann', 1, '2026-01-01', null, null), ('bob', 1, '2026-01-01', null, null),
    ('cem', 1, '2026-01-01', '2026-02-10', 'voluntary');
insert into marts.fct_churn_events values ('cem', 1, '2026-02-10', 'voluntary', 10, null);
insert into marts.fct_mrr_movements values
    ('ann', '2026-01-01', 'new', 10), ('bob', '2026-01-01', 'new', 10),
    ('cem', '2026-01-01', 'new', 10), ('cem', '2026-02-10', 'churn', -10);
insert into marts.viewing_daily values
    ('ann', '2026-01-02', 2, 1, null, 600, 1), ('ann', '2026-01-03', 0, 0, 0, 120, 0);
insert into quality.money_reconciliation values ('USD', 5500, 5000, 300, 200);
"""

# a thousand rows a day of each table, a little more at the weekend, all hours, no copies
FEEDS = """
create temporary table deliveries as
select
    feeds.table_name,
    cast(days.day as date) as day,
    1000 + 20 * (isodow(days.day) // 6) + hash(days.day) % 10 as row_count
from
    (select unnest($table_names) as table_name) as feeds,
    generate_series(timestamp '2026-01-01', timestamp '2026-03-31', interval 1 day) as days (day);

insert into quality.feed_profile
select table_name, day, unnest(['rows', 'distinct_keys']), 'all', 'all', row_count, 1
from deliveries
union all
select table_name, day, 'event_hours', 'all', 'all', 24, null from deliveries
union all
select table_name, day, 'category_rows', 'currency', 'USD', row_count - 300, null from deliveries
union all
select table_name, day, 'category_rows', 'currency', 'EUR', 300, 300 / row_count from deliveries
union all
select table_name, day, 'nulls', 'failure_code', 'all', row_count - 130, null from deliveries
union all
select table_name, day, 'minimum', 'amount_minor', 'all', 100, null from deliveries
union all
select table_name, day, 'sum', 'amount_minor', 'USD', 1000 * (row_count - 300), null
from deliveries
union all
select table_name, day, 'sum', 'amount_minor', 'EUR', 900 * 300, null from deliveries;

insert into quality.row_reconciliation
select table_name, sum(row_count) + 8, sum(row_count) - 6, 1, 2, 3, 8
from deliveries
group by table_name;

drop table deliveries;
"""


def empty_warehouse() -> duckdb.DuckDBPyConnection:
    """A warehouse of a service that has not begun: every table, no rows."""
    connection = duckdb.connect()
    connection.execute(TABLES)
    return connection


def small_warehouse(table_names: list[str]) -> duckdb.DuckDBPyConnection:
    """A warehouse that tells the story, with feeds of these raw tables, and no fault in it."""
    connection = empty_warehouse()
    connection.execute(STORY)
    for statement in FEEDS.split(";"):
        if "$table_names" in statement:
            connection.execute(statement, {"table_names": table_names})
        elif statement.strip():
            connection.execute(statement)
    return connection

// Retention, survival, circumstances and definitions of churn, lifetime value, segments.

const { words } = Tenure;
const MONTH = { key: "month", label: "Month", kind: "month" };
const unique = (values) => [...new Set(values)];

// ---------------------------------------------------------------- retention

const KINDS = [
  ["retained_subscribers", "Retained, returners included"],
  ["never_lapsed_subscribers", "Never lapsed"],
];

// the strata that a filter has curves and cohorts of
const OF_FILTER = { plan: "plan_tier", country: "country", channel: "channel" };

const cohortCells = ({ memberOf }) => {
  for (const [filter, stratum] of Object.entries(OF_FILTER)) {
    const member = memberOf(filter);
    if (!member) continue;
    return Tenure.table("retention_strata").filter(
      (cell) => cell.stratum === stratum && cell.stratum_value === member.member && !member.isRest,
    );
  }
  return Tenure.table("retention");
};

Tenure.chart("retention_heatmap", {
  controls: () => [{ id: "kind", label: "Who counts", options: KINDS }],
  rows: (context) => {
    const key = context.choice("kind");
    const cells = cohortCells(context);
    const longest = Math.max(0, ...cells.filter((cell) => cell[key] != null).map((cell) => cell.months_since_start));
    const cohorts = new Map();
    for (const cell of cells) {
      const row = cohorts.get(cell.cohort_month) ?? { month: cell.cohort_month, size: cell.cohort_size };
      row[`m${cell.months_since_start}`] = words.quotient(cell[key], cell.cohort_size);
      row[`n${cell.months_since_start}`] = cell[key];
      cohorts.set(cell.cohort_month, row);
    }
    return {
      columns: [
        { key: "month", label: "Cohort", kind: "month" },
        { key: "size", label: "Subscribers", kind: "count" },
        ...Array.from({ length: longest + 1 }, (_, at) => ({ key: `m${at}`, label: `Month ${at}`, kind: "rate" })),
      ],
      rows: [...cohorts.values()],
    };
  },
  option: (context, table) => {
    const { colours } = context;
    const months = table.columns.slice(2).map((_, at) => at);
    const cohorts = table.rows.map((row) => row.month);
    const points = table.rows.flatMap((row, y) => months.filter((at) => row[`m${at}`] != null).map((at) => [at, y, row[`m${at}`]]));
    if (!points.length) return null;
    const low = Math.min(...points.map((point) => point[2]));
    const rowHeight = table.rows.length > 36 ? 13 : 17;
    const cellWidth = (context.width - 90) / months.length;
    return {
      height: 92 + table.rows.length * rowHeight,
      legend: { show: false },
      grid: { top: 8, bottom: 56, right: 8 },
      tooltip: {
        trigger: "item",
        formatter: ({ value: [at, y, rate] }) =>
          Tenure.tooltip(`Came in ${words.monthName(cohorts[y])}, month ${at}`, [
            { label: "Still here", text: words.full(rate, "rate") },
            { label: "Subscribers", text: `${words.full(table.rows[y][`n${at}`], "count")} of ${words.full(table.rows[y].size, "count")}` },
          ]),
      },
      xAxis: Tenure.categoryAxis(colours, months, { axis: { name: "months since the start", nameLocation: "middle", nameGap: 24, nameTextStyle: { color: colours.soft } } }),
      yAxis: Tenure.categoryAxis(colours, cohorts, { axis: { inverse: true }, axisLabel: { formatter: words.shortMonth } }),
      visualMap: {
        min: Math.floor(low * 20) / 20,
        max: 1,
        calculable: false,
        orient: "horizontal",
        left: "center",
        bottom: 0,
        itemWidth: 12,
        itemHeight: 140,
        text: ["100%", words.short(Math.floor(low * 20) / 20, "rate")],
        textStyle: { color: colours.soft },
        inRange: { color: colours.ramp },
      },
      series: [
        {
          type: "heatmap",
          data: points.map((value) => ({
            value,
            // ink on the light half of the ramp, paper on the dark one
            label: { color: value[2] > low + 0.62 * (1 - low) ? colours.onStrong : colours.onWeak },
          })),
          itemStyle: { borderColor: colours.paper, borderWidth: 1 },
          label: { show: cellWidth >= 22 && rowHeight >= 15, fontSize: 10, formatter: ({ value }) => Math.round(value[2] * 100) },
          emphasis: { itemStyle: { borderColor: colours.ink, borderWidth: 2 } },
        },
      ],
    };
  },
  summary: (table, { choice }) => {
    const row = table.rows.filter((each) => each.m12 != null).at(-1);
    const what = KINDS.find(([key]) => key === choice("kind"))[1];
    return row
      ? `${what}: of those who came in ${words.monthName(row.month)}, ${words.full(row.m12, "rate")} were here 12 months later.`
      : `${what}: no cohort is 12 months old.`;
  },
});

// ---------------------------------------------------------------- survival

const STRATA = [
  ["plan_tier", "Plan"],
  ["billing_period", "Billing period"],
  ["country", "Country"],
  ["channel", "Channel"],
  ["overall", "All together"],
];

const curvesOf = ({ choice, memberOf }) => {
  const points = Tenure.table("survival");
  for (const [filter, stratum] of Object.entries(OF_FILTER)) {
    const member = memberOf(filter);
    if (!member) continue;
    const own = points.filter((point) => point.stratum === stratum && point.stratum_value === member.member);
    return [...points.filter((point) => point.stratum === "overall"), ...(member.isRest ? [] : own)];
  }
  return points.filter((point) => point.stratum === choice("stratum"));
};

// the stair of a curve that a day is on; none beyond its end, where nobody has been seen
const stairAt = (table, curve, day) => {
  const stairs = table.rows.filter((row) => row.stratum_value === curve);
  return day <= stairs.at(-1).tenure_days ? stairs.filter((row) => row.tenure_days <= day).at(-1) : undefined;
};

Tenure.chart("survival_curves", {
  controls: () => {
    const present = new Set(Tenure.table("survival").map((point) => point.stratum));
    return [{ id: "stratum", label: "By", options: STRATA.filter(([stratum]) => present.has(stratum)) }];
  },
  rows: (context) => ({
    columns: [
      { key: "stratum_value", label: "Curve", kind: "text" },
      { key: "tenure_days", label: "Tenure in days", kind: "count" },
      { key: "survival", label: "Share that lasts longer", kind: "rate" },
      { key: "ci_lower", label: "95 % from", kind: "rate" },
      { key: "ci_upper", label: "95 % to", kind: "rate" },
      { key: "at_risk", label: "At risk", kind: "count" },
      { key: "churned_so_far", label: "Churned so far", kind: "count" },
    ],
    rows: curvesOf(context),
  }),
  option: (context, table) => {
    const { colours } = context;
    const curves = unique(table.rows.map((row) => row.stratum_value)).slice(0, 8);
    const DASHES = ["solid", "dashed", "dotted", [8, 3, 2, 3]];
    const series = curves.flatMap((curve, at) => {
      const rows = table.rows.filter((row) => row.stratum_value === curve);
      const colour = colours.series[at % 8];
      const start = rows[0]?.tenure_days > 0 ? [[0, 1]] : [];
      const banded = rows.filter((row) => row.ci_lower != null);
      return [
        {
          name: words.named(curve),
          type: "line",
          step: "end",
          showSymbol: false,
          color: colour,
          lineStyle: { width: 2, type: DASHES[at % 4] },
          data: [...start, ...rows.map((row) => [row.tenure_days, row.survival])],
        },
        {
          type: "line", step: "end", stack: `band ${at}`, silent: true, showSymbol: false, tooltip: { show: false },
          lineStyle: { opacity: 0 }, data: banded.map((row) => [row.tenure_days, row.ci_lower]),
        },
        {
          type: "line", step: "end", stack: `band ${at}`, silent: true, showSymbol: false, tooltip: { show: false },
          lineStyle: { opacity: 0 }, areaStyle: { color: colour, opacity: 0.16 },
          data: banded.map((row) => [row.tenure_days, row.ci_upper - row.ci_lower]),
        },
      ];
    });
    return {
      height: 380,
      legend: { data: curves.map(words.named) },
      grid: { bottom: 22 },
      xAxis: {
        ...Tenure.valueAxis(colours, "count"), splitLine: { show: false }, name: "days since the start", nameLocation: "middle", nameGap: 26,
        nameTextStyle: { color: colours.soft }, max: "dataMax",
      },
      yAxis: Tenure.valueAxis(colours, "rate", { min: 0, max: 1, interval: 0.25 }),
      tooltip: {
        formatter: (points) => {
          const day = points[0].axisValue;
          const lines = curves
            .map((curve, index) => ({ row: stairAt(table, curve, day), colour: colours.series[index % 8], label: words.named(curve) }))
            .filter(({ row }) => row)
            .map(({ row, colour, label }) => ({
              label, colour,
              text: `${words.full(row.survival, "rate")} (${words.short(row.ci_lower, "rate")} to ${words.short(row.ci_upper, "rate")}), ${words.full(row.at_risk, "count")} at risk on day ${words.full(row.tenure_days, "count")}`,
            }));
          return Tenure.tooltip(`Longer than ${Math.round(day)} days`, lines);
        },
      },
      series,
    };
  },
  summary: (table) => {
    return `After 365 days: ${unique(table.rows.map((row) => row.stratum_value)).map((curve) => `${words.named(curve)} ${words.full(stairAt(table, curve, 365)?.survival, "rate")}`).join(", ")}.`;
  },
});

// ---------------------------------------------------------------- why they left

const CIRCUMSTANCES = [
  ["cancel_feedback", "What they said"],
  ["churn_reason", "Reason"],
  ["viewing", "Viewing"],
  ["playback", "Playback"],
  ["genre", "Genre"],
  ["churn_type", "Type"],
];

Tenure.chart("churn_circumstances", {
  controls: () => {
    const present = new Set(Tenure.table("circumstances").map((row) => row.circumstance));
    return [{ id: "circumstance", label: "By", options: CIRCUMSTANCES.filter(([name]) => present.has(name)) }];
  },
  rows: ({ month, choice }) => {
    const rows = Tenure.table("circumstances").filter((row) => row.month_start === month && row.circumstance === choice("circumstance"));
    const sum = (key) => rows.reduce((total, row) => total + (row[key] ?? 0), 0);
    const [left, stayed] = [sum("churned_subscribers"), sum("staying_subscribers")];
    const isOver = Tenure.isComplete(month);
    return {
      columns: [
        { key: "value", label: "Value", kind: "text" },
        { key: "churned_subscribers", label: "Left", kind: "count" },
        { key: "churned_share", label: "Share of who left", kind: "rate" },
        { key: "staying_subscribers", label: "Stayed", kind: "count" },
        { key: "staying_share", label: "Share of who stayed", kind: "rate" },
        { key: "churned_mrr_amount", label: "MRR lost", kind: "money" },
      ],
      rows: rows
        .map((row) => ({
          ...row,
          value: words.named(row.shown_value),
          churned_share: isOver ? words.quotient(row.churned_subscribers, left) : null,
          staying_share: row.staying_subscribers == null || !isOver ? null : words.quotient(row.staying_subscribers, stayed),
        }))
        .sort((one, other) => other.churned_subscribers - one.churned_subscribers),
    };
  },
  option: (context, table) => {
    if (!Tenure.isComplete(context.month)) {
      return {
        height: Math.max(200, 60 + table.rows.length * 26),
        ...Tenure.horizontalBars(context, table.rows.map((row) => row.value), [
          { label: "Left, so far (count)", values: table.rows.map((row) => row.churned_subscribers), colour: context.colours.loss },
        ], { kind: "count", legend: true }),
      };
    }
    const hasStayed = table.rows.some((row) => row.staying_share != null);
    return {
      height: Math.max(220, 70 + table.rows.length * (hasStayed ? 34 : 26)),
      ...Tenure.horizontalBars(
        context,
        table.rows.map((row) => row.value),
        [
          { label: "Of those who left", values: table.rows.map((row) => row.churned_share), colour: context.colours.loss },
          ...(hasStayed ? [{ label: "Of those who stayed", values: table.rows.map((row) => row.staying_share), colour: context.colours.level }] : []),
        ],
        { kind: "rate", legend: true },
      ),
    };
  },
  summary: (table) => (table.rows[0] ? `Most often: ${table.rows[0].value}, ${words.full(table.rows[0].churned_subscribers, "count")} who left.` : ""),
});

// ---------------------------------------------------------------- definitions of churn

const OURS = "tenure";
const DEFINITIONS = {
  tenure: "Tenure (ours)", antenna: "Antenna", antenna_net: "Antenna, net", chartmogul: "ChartMogul", recurly: "Recurly",
  recurly_customer_days: "Recurly, customer days", stripe: "Stripe", revenuecat: "RevenueCat", cleeng: "Cleeng", kkbox: "KKBox",
  fight_churn: "Fighting Churn with Data",
};
const definitionName = (name) => DEFINITIONS[name] ?? words.named(name);

Tenure.chart("churn_definitions", {
  rows: ({ month }) => ({
    columns: [
      { key: "name", label: "Definition", kind: "text" },
      { key: "numerator", label: "Numerator", kind: "count" },
      { key: "denominator", label: "Denominator", kind: "number" },
      { key: "rate", label: "Rate", kind: "rate" },
    ],
    rows: Tenure.table("definitions")
      .filter((row) => row.month_start === month)
      .map((row) => ({ ...row, name: definitionName(row.definition) }))
      .sort((one, other) => (other.rate ?? -Infinity) - (one.rate ?? -Infinity) || one.name.localeCompare(other.name)),
  }),
  option: (context, table) => ({
    height: Math.max(200, 40 + table.rows.length * 26),
    ...Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.name),
      [
        {
          label: "Rate",
          values: table.rows.map((row) => ({
            value: row.rate,
            itemStyle: { color: row.definition === OURS ? context.colours.loss : context.colours.level },
          })),
          more: { label: { show: true, position: "right", color: context.colours.ink, formatter: ({ value }) => words.full(value, "rate") } },
        },
      ],
      { kind: "rate" },
    ),
    grid: { top: 4, right: 58 },
  }),
  summary: (table) => table.rows.map((row) => `${row.name} ${words.full(row.rate, "rate")}`).join(", "),
});

Tenure.chart("churn_definitions_trend", {
  rows: () => {
    const names = unique(Tenure.table("definitions").map((row) => row.definition));
    names.sort((one, other) => (other === OURS) - (one === OURS) || one.localeCompare(other));
    const months = new Map();
    for (const row of Tenure.table("definitions")) {
      const found = months.get(row.month_start) ?? { month: row.month_start };
      found[row.definition] = row.rate;
      months.set(row.month_start, found);
    }
    return {
      columns: [MONTH, ...names.map((name) => ({ key: name, label: definitionName(name), kind: "rate" }))],
      rows: [...months.values()],
    };
  },
  option: (context, table) => {
    const lines = table.columns.slice(1).map(({ key, label }, at) => ({
      key,
      label,
      isBold: key === OURS,
      isDashed: at > 7,
      colour: key === OURS ? context.colours.loss : context.colours.series[at % 8],
    }));
    return { height: 326, ...Tenure.byMonth(context, table.rows, lines, { kind: "rate" }) };
  },
});

// ---------------------------------------------------------------- lifetime value

// a channel that the filter folds is folded here too, or one name would mean two things
const valueRows = ({ memberOf }) => {
  const channel = memberOf("channel");
  const members = Tenure.dimensions.channel;
  const isFolded = members.some((member) => member.isRest);
  const named = new Set(members.filter((member) => !member.isRest).map((member) => member.member));
  return Tenure.table("values")
    .map((row) => (isFolded && !named.has(row.acquisition_channel) ? { ...row, acquisition_channel: "other channels" } : row))
    .filter((row) => !channel || row.acquisition_channel === (channel.isRest ? "other channels" : channel.member));
};

// of an open month neither the newcomers nor the spend are all there
const closedRows = (context) => valueRows(context).filter((row) => Tenure.isComplete(row.cohort_month));

// each column added up over the rows of a group; null where none of them has it
const VALUES = [
  "subscribers", "valued_subscribers", "historic_value_amount", "expected_remaining_value_amount", "clv_amount",
  "paid_subscribers", "acquisition_cost_amount", "paid_clv_amount", "valued_cost_amount",
];
const summed = (rows, by) => {
  const groups = new Map();
  for (const row of rows) {
    const group = groups.get(row[by]) ?? { [by]: row[by] };
    for (const key of VALUES) if (row[key] != null) group[key] = (group[key] ?? 0) + row[key];
    groups.set(row[by], group);
  }
  return [...groups.values()];
};

Tenure.chart("clv_cohorts", {
  rows: (context) => ({
    columns: [
      MONTH,
      { key: "valued_subscribers", label: "Subscribers", kind: "count" },
      { key: "historic", label: "Brought so far, each", kind: "money" },
      { key: "expected", label: "To be expected, each", kind: "money" },
      { key: "total", label: "Lifetime value, each", kind: "money" },
    ],
    rows: summed(closedRows(context), "cohort_month").map((group) => ({
      month: group.cohort_month,
      valued_subscribers: group.valued_subscribers,
      historic: words.quotient(group.historic_value_amount, group.valued_subscribers),
      expected: words.quotient(group.expected_remaining_value_amount, group.valued_subscribers),
      total: words.quotient(group.clv_amount, group.valued_subscribers),
    })),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      [
        { key: "historic", label: "Brought so far", colour: context.colours.level },
        { key: "expected", label: "To be expected", colour: context.colours.series[1] },
      ],
      { kind: "money", isBar: true, stack: true },
    ),
});

Tenure.chart("ltv_to_cac", {
  rows: (context) => ({
    columns: [
      MONTH,
      { key: "paid_clv_amount", label: "Lifetime value", kind: "money" },
      { key: "valued_cost_amount", label: "Acquisition cost", kind: "money" },
      { key: "ratio", label: "LTV : CAC", kind: "number" },
    ],
    rows: summed(closedRows(context), "cohort_month").map((group) => ({
      ...group,
      month: group.cohort_month,
      ratio: words.quotient(group.paid_clv_amount, group.valued_cost_amount),
    })),
  }),
  option: (context, table) => {
    const option = Tenure.byMonth(context, table.rows, [{ key: "ratio", label: "LTV : CAC", isBold: true }], { kind: "number", isRatio: true });
    option.series[0].markLine = {
      silent: true,
      symbol: "none",
      label: { formatter: "3", color: context.colours.soft },
      lineStyle: { color: context.colours.soft, type: "dashed" },
      data: [{ yAxis: 3 }],
    };
    return option;
  },
});

Tenure.chart("value_by_channel", {
  rows: (context) => ({
    columns: [
      { key: "channel", label: "Channel", kind: "text" },
      { key: "subscribers", label: "Subscribers", kind: "count" },
      { key: "value", label: "Lifetime value, each", kind: "money" },
      { key: "acquisition_cost_amount", label: "Acquisition cost", kind: "money" },
      { key: "cac", label: "Acquisition cost, each", kind: "money" },
      { key: "ratio", label: "LTV : CAC", kind: "number" },
    ],
    rows: summed(closedRows(context), "acquisition_channel")
      .map((group) => ({
        ...group,
        channel: words.named(group.acquisition_channel),
        value: words.quotient(group.clv_amount, group.valued_subscribers),
        cac: group.acquisition_cost_amount > 0 ? words.quotient(group.acquisition_cost_amount, group.paid_subscribers) : null,
        ratio: words.quotient(group.paid_clv_amount, group.valued_cost_amount),
      }))
      .sort((one, other) => other.subscribers - one.subscribers),
  }),
  option: (context, table) => ({
    height: Math.max(220, 50 + table.rows.length * 40),
    ...Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.channel),
      [
        { label: "Lifetime value", values: table.rows.map((row) => row.value), colour: context.colours.level },
        { label: "Acquisition cost", values: table.rows.map((row) => row.cac), colour: context.colours.loss },
      ],
      { kind: "money" },
    ),
  }),
});

// ---------------------------------------------------------------- segments

const SEGMENTATIONS = {
  lifecycle_stage: "Lifecycle stage", engagement_tier: "Engagement", value_tier: "Value", rfm_segment: "Recency, frequency, money",
  payment_behaviour: "Payment", taste: "Taste", household: "Household", age_band: "Age band",
};
const segmentationControl = (table) => () => {
  const present = new Set(Tenure.table(table).map((row) => row.segmentation));
  return [{ id: "segmentation", label: "By", options: Object.entries(SEGMENTATIONS).filter(([name]) => present.has(name)) }];
};

Tenure.chart("segment_sizes", {
  controls: segmentationControl("segments"),
  rows: ({ choice }) => {
    const rows = Tenure.table("segments").filter((row) => row.segmentation === choice("segmentation"));
    const all = rows.reduce((sum, row) => sum + row.subscribers, 0);
    return {
      columns: [
        { key: "segment", label: "Segment", kind: "text" },
        { key: "subscribers", label: "Subscribers", kind: "count" },
        { key: "share", label: "Share", kind: "rate" },
      ],
      rows: rows.map((row) => ({ ...row, segment: words.named(row.segment), share: words.quotient(row.subscribers, all) })),
    };
  },
  option: (context, table) => ({
    height: Math.max(220, 30 + table.rows.length * 26),
    ...Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.segment),
      [{ label: "Subscribers", values: table.rows.map((row) => row.subscribers), colour: context.colours.level }],
      { kind: "count" },
    ),
  }),
  summary: (table) => table.rows.map((row) => `${row.segment} ${words.full(row.share, "rate")}`).join(", "),
});

Tenure.chart("segment_churn", {
  controls: segmentationControl("segment_churn"),
  rows: ({ choice }) => {
    const rows = Tenure.table("segment_churn").filter((row) => row.segmentation === choice("segmentation"));
    const month = rows.at(-1)?.month_start;
    return {
      columns: [
        { key: "name", label: "Segment", kind: "text" },
        { key: "month_start", label: "Month", kind: "month" },
        { key: "subscribers", label: "Subscribers", kind: "count" },
        { key: "churned_next_month", label: "Churned in the next", kind: "count" },
        { key: "churn_rate", label: "Share", kind: "rate" },
        { key: "ci_lower", label: "95 % from", kind: "rate" },
        { key: "ci_upper", label: "95 % to", kind: "rate" },
      ],
      rows: rows
        .filter((row) => row.month_start === month)
        .map((row) => ({ ...row, name: words.named(row.segment) }))
        .sort((one, other) => other.churn_rate - one.churn_rate),
    };
  },
  option: (context, table) => {
    const { colours } = context;
    const option = Tenure.horizontalBars(
      context,
      table.rows.map((row) => row.name),
      [{ label: `Churned after ${words.monthName(table.rows[0]?.month_start ?? "0000-01")}`, values: table.rows.map((row) => row.churn_rate), colour: colours.loss }],
      { kind: "rate" },
    );
    option.series.push(Tenure.intervals(colours, table.rows.map((row) => [row.ci_lower, row.ci_upper])));
    return { height: Math.max(220, 40 + table.rows.length * 26), ...option };
  },
  summary: (table) => table.rows.map((row) => `${row.name} ${words.full(row.churn_rate, "rate")}`).join(", "),
});

Tenure.chart("segment_flows", {
  controls: () => [
    ...segmentationControl("transitions")(),
    { id: "who", label: "Show", options: [["moved", "Who moved"], ["all", "Everybody"]] },
  ],
  rows: ({ month, choice }) => ({
    columns: [
      { key: "from", label: "From", kind: "text" },
      { key: "to", label: "To", kind: "text" },
      { key: "subscribers", label: "Subscribers", kind: "count" },
      { key: "from_subscribers", label: "Of", kind: "count" },
      { key: "rate", label: "Share", kind: "rate" },
    ],
    rows: Tenure.table("transitions")
      .filter((row) => row.month_start === month && row.segmentation === choice("segmentation"))
      .filter((row) => choice("who") === "all" || row.from_segment !== row.to_segment)
      .map((row) => ({
        ...row,
        from: words.named(row.from_segment),
        to: words.named(row.to_segment),
        rate: Tenure.isComplete(month) ? words.quotient(row.subscribers, row.from_subscribers) : null,
      }))
      .sort((one, other) => other.subscribers - one.subscribers),
  }),
  option: (context, table) => {
    const { colours } = context;
    const shown = table.rows.slice(0, 40);
    const segments = unique(shown.flatMap((row) => [row.from, row.to])).sort();
    const colour = (name) => colours.series[segments.indexOf(name) % 8];
    const nodes = unique([...shown.map((row) => `from ${row.from}`), ...shown.map((row) => `to ${row.to}`)]);
    return {
      height: context.isNarrow ? 560 : 460,
      legend: { show: false },
      xAxis: undefined,
      tooltip: {
        trigger: "item",
        formatter: ({ dataType, data, value, name }) =>
          dataType === "edge"
            ? Tenure.tooltip(`${data.row.from} → ${data.row.to}`, [
                { label: "Subscribers", text: words.full(data.value, "count") },
                { label: `of ${words.full(data.row.from_subscribers, "count")}`, text: words.full(data.row.rate, "rate") },
              ])
            : Tenure.tooltip(name, [{ label: "Subscribers", text: words.full(value, "count") }]),
      },
      series: [
        {
          type: "sankey",
          left: 4,
          right: context.isNarrow ? 90 : 130,
          top: 8,
          bottom: 8,
          nodeGap: 9,
          nodeWidth: 12,
          draggable: false,
          layoutIterations: 40,
          emphasis: { focus: "adjacency" },
          label: { color: colours.ink, fontSize: context.isNarrow ? 10 : 12, formatter: ({ name }) => name.replace(/^(from|to) /, "") },
          lineStyle: { color: "source", opacity: 0.35 },
          data: nodes.map((name) => ({ name, itemStyle: { color: colour(name.replace(/^(from|to) /, "")) } })),
          links: shown.map((row) => ({ source: `from ${row.from}`, target: `to ${row.to}`, value: row.subscribers, row })),
        },
      ],
    };
  },
  summary: (table) => table.rows.slice(0, 5).map((row) => `${row.from} to ${row.to} ${words.full(row.subscribers, "count")}`).join(", "),
});

// Headline trends, MRR movements, churn by type: all added up from the cube by the filters.

const { words } = Tenure;
const MONTH = { key: "month", label: "Month", kind: "month" };

const latest = (table, key, kind, what) => {
  const rows = table.rows.filter((row) => row[key] != null && Tenure.isComplete(row.month));
  const row = rows.at(-1);
  return row ? `${what} in ${words.monthName(row.month)}, the last complete month: ${words.full(row[key], kind)}.` : "No complete month.";
};

Tenure.chart("mrr_trend", {
  rows: ({ filters }) => ({
    columns: [MONTH, { key: "closing_mrr_amount", label: "MRR", kind: "money" }],
    rows: Tenure.monthly(["closing_mrr_amount"], filters),
  }),
  option: (context, table) =>
    Tenure.byMonth(context, table.rows, [{ key: "closing_mrr_amount", label: "MRR", isBold: true }], { kind: "money" }),
  summary: (table) => latest(table, "closing_mrr_amount", "money", "MRR"),
});

Tenure.chart("subscriber_trend", {
  rows: ({ filters }) => ({
    columns: [
      MONTH,
      { key: "closing_subscribers", label: "Subscribers", kind: "count" },
      { key: "new_subscribers", label: "New", kind: "count" },
      { key: "reactivated_subscribers", label: "Reactivated", kind: "count" },
      { key: "churned_subscribers", label: "Churned", kind: "count" },
    ],
    rows: Tenure.monthly(["closing_subscribers", "new_subscribers", "reactivated_subscribers", "churned_subscribers"], filters),
  }),
  option: (context, table) =>
    Tenure.byMonth(context, table.rows, [{ key: "closing_subscribers", label: "Subscribers", isBold: true }], { kind: "count" }),
  summary: (table) => latest(table, "closing_subscribers", "count", "Subscribers"),
});

Tenure.chart("churn_trend", {
  rows: ({ filters }) => ({
    columns: [
      MONTH,
      { key: "churned_from_opening", label: "Churned of the opening", kind: "count" },
      { key: "opening_subscribers", label: "Opening subscribers", kind: "count" },
      { key: "rate", label: "Churn rate", kind: "rate" },
    ],
    rows: Tenure.monthly(["churned_from_opening", "opening_subscribers"], filters).map((row) => ({
      ...row,
      rate: Tenure.isComplete(row.month) ? words.quotient(row.churned_from_opening, row.opening_subscribers) : null,
    })),
  }),
  option: (context, table) =>
    Tenure.byMonth(context, table.rows, [{ key: "rate", label: "Churn rate", isBold: true, colour: context.colours.loss }], { kind: "rate" }),
  summary: (table) => latest(table, "rate", "rate", "Churn rate"),
});

const revenueRows = () => Tenure.table("revenue").map((row) => ({ ...row, month: row.month_start }));

Tenure.chart("arppu_trend", {
  rows: () => ({
    columns: [
      MONTH,
      { key: "net_revenue_amount", label: "Net revenue", kind: "money" },
      { key: "average_paying_subscribers", label: "Average paying subscribers", kind: "number" },
      { key: "arppu_amount", label: "ARPPU", kind: "money" },
      { key: "average_subscribers", label: "Average subscribers", kind: "number" },
      { key: "arpu_amount", label: "ARPU", kind: "money" },
    ],
    rows: revenueRows(),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      [
        { key: "arppu_amount", label: "ARPPU, who pays", isBold: true },
        { key: "arpu_amount", label: "ARPU, who has access", isDashed: true },
      ],
      { kind: "money", isRatio: true },
    ),
  summary: (table) => latest(table, "arppu_amount", "money", "ARPPU"),
});

Tenure.chart("revenue_trend", {
  rows: () => ({
    columns: [
      MONTH,
      { key: "recognised_amount", label: "Recognised", kind: "money" },
      { key: "refunded_amount", label: "Refunded", kind: "money" },
      { key: "net_revenue_amount", label: "Net revenue", kind: "money" },
      { key: "collected_amount", label: "Collected", kind: "money" },
      { key: "uncollectible_amount", label: "Uncollectible", kind: "money" },
    ],
    rows: revenueRows(),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows.map((row) => ({ ...row, lost: row.refunded_amount == null ? null : -row.refunded_amount })),
      [
        { key: "net_revenue_amount", label: "Net revenue", colour: context.colours.level },
        { key: "lost", label: "Refunded", colour: context.colours.loss },
      ],
      { kind: "money", isBar: true, stack: true },
    ),
  summary: (table) => latest(table, "net_revenue_amount", "money", "Net revenue"),
});

// the terms of the bridge in their order, gains first
const TERMS = [
  ["new_mrr_amount", "New"],
  ["reactivation_mrr_amount", "Reactivation"],
  ["expansion_mrr_amount", "Expansion"],
  ["resume_mrr_amount", "Resume"],
  ["contraction_mrr_amount", "Contraction"],
  ["churn_mrr_amount", "Churn"],
  ["pause_mrr_amount", "Pause"],
  ["fx_mrr_amount", "Exchange rates"],
];
// gains in cool colours, losses in warm ones
const PLACES = { new: 0, reactivation: 5, expansion: 2, resume: 6, contraction: 1, pause: 4, fx: 7, transfer_in: 3, transfer_out: 3 };
const colourOf = (key, colours) =>
  key === "churn_mrr_amount" ? colours.loss : colours.series[PLACES[key.replace("_mrr_amount", "")]];

const TRANSFERS = [
  ["transfer_in_mrr_amount", "From other tiers"],
  ["transfer_out_mrr_amount", "To other tiers"],
];
const ALL_TERMS = [...TERMS, ...TRANSFERS];

Tenure.chart("mrr_bridge", {
  rows: ({ filters, month }) => {
    const names = ["opening_mrr_amount", ...ALL_TERMS.map(([key]) => key), "closing_mrr_amount"];
    const row = Tenure.monthly(names, filters).find((each) => each.month === month);
    const steps = row
      ? [
          { term: "Opening", amount: row.opening_mrr_amount },
          ...(filters.plan == null ? TERMS : ALL_TERMS).map(([key, term]) => ({ term, amount: row[key] })),
          { term: "Closing", amount: row.closing_mrr_amount },
        ]
      : [];
    return {
      columns: [
        { key: "term", label: "Term", kind: "text" },
        { key: "amount", label: "MRR", kind: "money" },
      ],
      rows: steps,
    };
  },
  option: (context, table) => {
    const { colours } = context;
    let level = 0;
    const bars = table.rows.map(({ term, amount }, at) => {
      const isLevel = at === 0 || at === table.rows.length - 1;
      const from = isLevel ? 0 : level;
      level = isLevel ? amount : level + amount;
      return { term, amount, isLevel, low: Math.min(from, level), size: Math.abs(level - from) };
    });
    const colour = (bar) => (bar.isLevel ? colours.level : bar.amount < 0 ? colours.loss : colours.gain);
    // movements are small beside the level: a scale from 0 would hide them
    const edge = Math.min(...bars.map((bar) => (bar.isLevel ? bar.size : bar.low)));
    const top = Math.max(...bars.map((bar) => bar.low + bar.size));
    const cut = edge > 0.5 * top ? Math.max(0, edge - (top - edge) * 0.6) : 0;
    const rough = Math.max(top - cut, 1) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const interval = [1, 2, 5, 10].find((times) => times * power >= rough) * power;
    const floor = Math.floor(cut / interval) * interval;
    return {
      height: context.isNarrow ? 340 : 320,
      legend: { show: false },
      grid: { top: 34 },
      xAxis: Tenure.categoryAxis(colours, bars.map((bar) => bar.term), {
        axisLabel: { interval: 0, rotate: context.isNarrow ? 60 : (context.width - 60) / bars.length < 95 ? 24 : 0, hideOverlap: false },
      }),
      yAxis: Tenure.valueAxis(colours, "money", {
        min: floor,
        max: Math.ceil((top + 0.04 * (top - floor)) / interval) * interval,
        interval,
        name: floor > 0 ? `the axis begins at ${words.short(floor, "money")}, not at 0` : "",
        nameTextStyle: { color: colours.soft, align: "left", fontSize: 11 },
        nameGap: 12,
      }),
      tooltip: {
        axisPointer: { type: "shadow" },
        formatter: ([point]) => {
          const bar = bars[point.dataIndex];
          return Tenure.tooltip(bar.term, [{ label: "MRR", text: words.full(bar.amount, "money"), colour: colour(bar) }]);
        },
      },
      series: [
        { type: "bar", stack: "b", silent: true, itemStyle: { color: "transparent" }, data: bars.map((bar) => (bar.isLevel ? 0 : bar.low)) },
        {
          type: "bar",
          stack: "b",
          barCategoryGap: "22%",
          label: {
            show: !context.isNarrow,
            position: "top",
            color: colours.ink,
            fontSize: 11,
            formatter: ({ dataIndex }) => {
              const { amount, isLevel } = bars[dataIndex];
              return `${!isLevel && amount > 0 ? "+" : ""}${words.short(amount, "money")}`;
            },
          },
          data: bars.map((bar) => ({
            value: bar.size,
            itemStyle: {
              color: colour(bar),
              opacity: Tenure.isOpen(context.month) && bar.term === "Closing" ? 0.45 : 1,
            },
          })),
        },
      ],
    };
  },
  summary: (table, { month }) =>
    `${words.monthName(month)}${Tenure.isOpen(month) ? ", open, so far" : ""}: ${table.rows.map((row) => `${row.term} ${words.full(row.amount, "money")}`).join(", ")}.`,
});

Tenure.chart("mrr_movements", {
  rows: ({ filters }) => {
    const terms = filters.plan == null ? TERMS : ALL_TERMS;
    return {
      columns: [MONTH, ...terms.map(([key, label]) => ({ key, label, kind: "money" }))],
      rows: Tenure.monthly(terms.map(([key]) => key), filters),
    };
  },
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      table.columns.slice(1).map(({ key, label }) => ({ key, label, colour: colourOf(key, context.colours) })),
      { kind: "money", isBar: true, stack: true },
    ),
});

Tenure.chart("mrr_retention", {
  rows: ({ filters }) => {
    const names = ["opening_mrr_amount", ...TERMS.map(([key]) => key)];
    return {
      columns: [
        MONTH,
        { key: "opening_mrr_amount", label: "Opening MRR", kind: "money" },
        { key: "kept", label: "Kept without expansion", kind: "money" },
        { key: "grown", label: "Kept with expansion", kind: "money" },
        { key: "gross", label: "Gross retention", kind: "rate" },
        { key: "net", label: "Net retention", kind: "rate" },
      ],
      rows: Tenure.monthly(names, filters).map((row) => {
        // transfers are in neither, so that by plan an upgrade is nobody's loss
        const kept = row.opening_mrr_amount + row.contraction_mrr_amount + row.churn_mrr_amount + row.pause_mrr_amount;
        const grown = kept + row.expansion_mrr_amount + row.resume_mrr_amount;
        const isOver = Tenure.isComplete(row.month);
        return {
          month: row.month,
          opening_mrr_amount: row.opening_mrr_amount,
          kept,
          grown,
          gross: isOver ? words.quotient(kept, row.opening_mrr_amount) : null,
          net: isOver ? words.quotient(grown, row.opening_mrr_amount) : null,
        };
      }),
    };
  },
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      [
        { key: "net", label: "Net", isBold: true },
        { key: "gross", label: "Gross", isDashed: true },
      ],
      { kind: "rate", zero: false },
    ),
  summary: (table) => latest(table, "net", "rate", "Net MRR retention"),
});

Tenure.chart("churn_types", {
  rows: ({ filters }) => ({
    columns: [
      MONTH,
      { key: "voluntary_churned_subscribers", label: "Voluntary", kind: "count" },
      { key: "involuntary_churned_subscribers", label: "Involuntary", kind: "count" },
      { key: "other_churned_subscribers", label: "Other", kind: "count" },
      { key: "churned_subscribers", label: "All", kind: "count" },
    ],
    rows: Tenure.monthly(
      ["voluntary_churned_subscribers", "involuntary_churned_subscribers", "other_churned_subscribers", "churned_subscribers"],
      filters,
    ),
  }),
  option: (context, table) =>
    Tenure.byMonth(
      context,
      table.rows,
      table.columns.slice(1, 4).map(({ key, label }) => ({ key, label })),
      { kind: "count", isBar: true, stack: true },
    ),
  summary: (table) => latest(table, "churned_subscribers", "count", "Churned subscribers"),
});

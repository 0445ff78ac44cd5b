// The page itself: filters, tiles, cards with their three views, colours, print.

const { words, element } = Tenure;
const root = document.documentElement;
const said = document.getElementById("said");
const filters = { month: null, plan: null, country: null, channel: null };
const NAMES = { plan: "plan", country: "country", channel: "channel" };

const labelOf = (dimension) => Tenure.dimensions[dimension][filters[dimension]]?.label;
const isSet = (dimension) => filters[dimension] != null;

// ---------------------------------------------------------------- cards

const cards = [];

const controlValue = (card, id) => card.choices[id];

const contextOf = (card) => {
  const follows = card.filters.filter(isSet);
  const followed = card.isOneFilter ? follows.slice(0, 1) : follows;
  const applied = Object.fromEntries(["plan", "country", "channel"].map((d) => [d, followed.includes(d) ? filters[d] : null]));
  return {
    colours: Tenure.palette(),
    isNarrow: card.plot.clientWidth < 440,
    width: card.plot.clientWidth,
    month: filters.month,
    filters: applied,
    label: (dimension) => (applied[dimension] == null ? null : Tenure.dimensions[dimension][applied[dimension]].label),
    memberOf: (dimension) => (applied[dimension] == null ? null : Tenure.dimensions[dimension][applied[dimension]]),
    choice: (id) => controlValue(card, id),
  };
};

const setScope = (card) => {
  const set = Object.keys(NAMES).filter(isSet);
  const followed = card.isOneFilter ? card.filters.filter(isSet).slice(0, 1) : card.filters.filter(isSet);
  const passed = set.filter((dimension) => !followed.includes(dimension));
  card.scope.hidden = passed.length === 0;
  if (!passed.length) return;
  const names = passed.map((dimension) => `${NAMES[dimension]} “${labelOf(dimension)}”`).join(", ");
  const why = card.isOneFilter && passed.some((d) => card.filters.includes(d)) ? "one filter at a time" : "the mart is not split by it";
  card.scope.textContent = `Not filtered by ${names} (${why}).`;
};

const tableOf = (card) => card.definition.rows(contextOf(card));

const showControls = (card) => {
  const wanted = card.definition.controls?.() ?? [];
  card.controls.replaceChildren(
    ...wanted.map(({ id, label, options, initial }) => {
      card.choices[id] ??= initial ?? options[0]?.[0];
      const select = element(
        "select",
        { name: id },
        options.map(([value, text]) => element("option", { value, textContent: text, selected: value === card.choices[id] })),
      );
      select.addEventListener("change", () => {
        card.choices[id] = select.value;
        show(card);
      });
      return element("label", {}, [element("span", { textContent: label }), select]);
    }),
  );
};

// of a long table the page has its first rows, and each of them tells how many there are
const firstOf = ({ rows }) => (rows[0]?.all_rows > rows.length ? `; the first ${rows.length} of ${words.full(rows[0].all_rows, "count")} rows` : "");

const showRows = (card, table) => {
  const head = element("tr", {}, table.columns.map((column) => element("th", { scope: "col", textContent: column.label, className: column.kind === "text" || column.kind === "month" ? "" : "figure" })));
  const body = table.rows.map((row) =>
    element("tr", {}, table.columns.map((column, at) => {
      const value = row[column.key];
      const cell = element(at === 0 ? "th" : "td", {
        textContent: words.full(value, column.kind),
        className: column.kind === "text" || column.kind === "month" ? "" : "figure",
      });
      if (at === 0) cell.scope = "row";
      if (value != null) cell.dataset.value = value;
      if (column.kind === "month" && Tenure.isOpen(value)) cell.append(element("em", { textContent: " open, so far" }));
      return cell;
    })),
  );
  card.rows.replaceChildren(
    element("table", {}, [
      element("caption", { textContent: `${card.title}: ${card.unit}${firstOf(table)}` }),
      element("thead", {}, [head]),
      element("tbody", {}, body),
    ]),
  );
};

const draw = (card, table, context) => {
  if (!card.plot.clientWidth) return;
  const option = card.definition.option(context, table);
  const height = option?.height ?? 300;
  card.plot.style.height = `${height}px`;
  card.plot.style.minHeight = "0";
  if (!table.rows.length || !option) {
    card.drawing?.dispose();
    card.drawing = null;
    card.plot.replaceChildren(element("p", { className: "nothing", textContent: "Nothing to show for this choice." }));
  } else {
    if (!card.drawing) {
      card.plot.replaceChildren();
      card.drawing = echarts.init(card.plot, null, { devicePixelRatio: Math.max(2, window.devicePixelRatio) });
    }
    card.drawing.resize({ height });
    const base = Tenure.base(context.colours, context);
    const { height: _, ...own } = option;
    card.drawing.setOption(
      {
        ...base,
        ...own,
        legend: { ...base.legend, ...own.legend },
        grid: { ...base.grid, ...own.grid },
        tooltip: { ...base.tooltip, ...own.tooltip },
      },
      true,
    );
  }
  card.node.dataset.drawn = "true";
  card.width = card.plot.clientWidth;
};

const summaryOf = (card, table, context) => {
  if (!table.rows.length) return "Nothing to show for this choice.";
  if (card.definition.summary) return card.definition.summary(table, context);
  return `${table.rows.length} rows; the button Table shows them.`;
};

function show(card) {
  setScope(card);
  if (card.isTable || card.isSeen) {
    const context = contextOf(card);
    const table = card.definition.rows(context);
    card.summary.textContent = summaryOf(card, table, context);
    if (card.isTable) showRows(card, table);
    else draw(card, table, context);
  }
}

const setTable = (card, isTable) => {
  card.isTable = isTable;
  card.asTable.setAttribute("aria-pressed", String(isTable));
  card.plot.hidden = isTable;
  card.rows.hidden = !isTable;
  card.isSeen = true;
  show(card);
};

// a spreadsheet would take a text that begins so for a formula
const csvText = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const csvCell = (value, kind) => {
  if (value == null) return "";
  const text = kind === "text" ? csvText(String(value)) : String(value);
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};
Tenure.csv = (table) =>
  [
    table.columns.map((column) => csvCell(column.label, "text")).join(","),
    ...table.rows.map((row) => table.columns.map((column) => csvCell(row[column.key], column.kind)).join(",")),
  ].join("\r\n") + "\r\n";

const download = (card) => {
  const link = element("a", {
    href: URL.createObjectURL(new Blob(["\ufeff", Tenure.csv(tableOf(card))], { type: "text/csv" })),
    download: `${card.name}_${Tenure.release ?? "release"}.csv`,
  });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
};

// a chart under the keyboard: the arrows walk along its axis and say what is there
const walk = (card, event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  if (!step || !card.drawing) return;
  event.preventDefault();
  const table = tableOf(card);
  card.at = Math.min(table.rows.length - 1, Math.max(0, (card.at ?? (step > 0 ? -1 : table.rows.length)) + step));
  card.drawing.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: card.at });
  said.textContent = table.columns
    .map((column) => `${column.label} ${words.full(table.rows[card.at][column.key], column.kind)}`)
    .join(", ");
};

const near = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      const card = entry.isIntersecting && cards.find((each) => each.plot === entry.target);
      if (card && !card.isSeen) {
        card.isSeen = true;
        show(card);
      }
    }
  },
  { rootMargin: "300px" },
);

const resized = new ResizeObserver((entries) => {
  for (const entry of entries) {
    const card = cards.find((each) => each.plot === entry.target);
    if (card?.drawing && card.plot.clientWidth && card.plot.clientWidth !== card.width) show(card);
  }
});

const begin = (node) => {
  const find = (selector) => node.querySelector(selector);
  const card = {
    node,
    name: node.dataset.chart,
    definition: Tenure.charts.get(node.dataset.chart),
    title: find("h3").textContent,
    unit: find(".unit").textContent,
    filters: node.dataset.filters.split(" ").filter(Boolean),
    isOneFilter: "oneFilter" in node.dataset,
    plot: find(".plot"),
    rows: find(".rows"),
    scope: find(".scope"),
    summary: find(".card > .unseen"),
    controls: find(".controls"),
    asTable: find(".as-table"),
    choices: {},
  };
  cards.push(card);
  showControls(card);
  card.asTable.addEventListener("click", () => setTable(card, !card.isTable));
  find(".as-csv").addEventListener("click", () => download(card));
  card.plot.addEventListener("keydown", (event) => walk(card, event));
  if (card.definition.isTableOnly) {
    node.classList.add("table-only");
    setTable(card, true);
    return;
  }
  near.observe(card.plot);
  resized.observe(card.plot);
};

// ---------------------------------------------------------------- what a chart is of

for (const about of document.querySelectorAll(".about")) {
  const button = about.querySelector("button");
  const text = about.querySelector(".definition");
  let isHeld = false;
  const set = (isShown) => {
    text.hidden = !isShown;
    button.setAttribute("aria-expanded", String(isShown));
  };
  about.addEventListener("mouseenter", () => set(true));
  about.addEventListener("mouseleave", () => set(isHeld));
  button.addEventListener("click", () => set((isHeld = !isHeld)));
  about.addEventListener("focusout", () => set((isHeld = false)));
  about.addEventListener("keydown", (event) => {
    if (event.key === "Escape") set((isHeld = false));
  });
}

// ---------------------------------------------------------------- filters

const selectOf = (name) => document.getElementById(`filter-${name}`);

const fillFilters = () => {
  const months = [...Tenure.months].reverse();
  selectOf("month").replaceChildren(
    ...months.map((month) =>
      element("option", { value: month, textContent: words.monthName(month) + (Tenure.isOpen(month) ? " (open)" : "") }),
    ),
  );
  for (const dimension of Object.keys(NAMES)) {
    selectOf(dimension).replaceChildren(
      element("option", { value: "", textContent: "All" }),
      ...Tenure.dimensions[dimension].map(({ at, label }) => element("option", { value: String(at), textContent: words.named(label) })),
    );
    selectOf(dimension).disabled = !Tenure.dimensions[dimension].length;
  }
  selectOf("month").disabled = !months.length;
};

const tell = () => {
  const parts = Object.keys(NAMES).filter(isSet).map((dimension) => `${NAMES[dimension]} ${labelOf(dimension)}`);
  said.textContent = `${filters.month ? words.monthName(filters.month) : "No month"}, ${parts.join(", ") || "the whole service"}`;
};

const refresh = () => {
  Tenure.showTiles(filters);
  cards.forEach(show);
};

const setFilters = (changes) => {
  Object.assign(filters, changes);
  selectOf("month").value = filters.month ?? "";
  for (const dimension of Object.keys(NAMES)) selectOf(dimension).value = filters[dimension] == null ? "" : String(filters[dimension]);
  refresh();
  tell();
};

selectOf("month").addEventListener("change", (event) => setFilters({ month: event.target.value }));
for (const dimension of Object.keys(NAMES)) {
  selectOf(dimension).addEventListener("change", (event) =>
    setFilters({ [dimension]: event.target.value === "" ? null : Number(event.target.value) }),
  );
}
const whole = () => ({ month: Tenure.lastComplete ?? Tenure.months.at(-1) ?? null, plan: null, country: null, channel: null });
document.getElementById("filter-reset").addEventListener("click", () => setFilters(whole()));
document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());

// ---------------------------------------------------------------- colours

const THEMES = ["auto", "light", "dark"];
const SAID = { auto: "colours as the system has them", light: "light colours", dark: "dark colours" };
const themeButton = document.getElementById("theme");
const stored = (change) => {
  // a browser may forbid a file to remember anything
  try {
    return change();
  } catch {
    return null;
  }
};
const setTheme = (theme) => {
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  themeButton.textContent = theme[0].toUpperCase() + theme.slice(1);
  themeButton.setAttribute("aria-label", `${themeButton.textContent}: ${SAID[theme]}`);
};
themeButton.addEventListener("click", () => {
  const next = THEMES[(THEMES.indexOf(root.dataset.theme ?? "auto") + 1) % THEMES.length];
  setTheme(next);
  stored(() => localStorage.setItem("tenure-theme", next));
  refresh();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);

// ---------------------------------------------------------------- print

let themeBefore = null;
const drawAll = () => {
  for (const card of cards) {
    card.isSeen = true;
    show(card);
  }
};
Tenure.drawAll = drawAll;
window.addEventListener("beforeprint", () => {
  themeBefore = root.dataset.theme ?? "auto";
  setTheme("light");
  drawAll();
});
window.addEventListener("afterprint", () => {
  setTheme(themeBefore ?? "auto");
  refresh();
});

// ---------------------------------------------------------------- begin

const storedTheme = stored(() => localStorage.getItem("tenure-theme"));
setTheme(THEMES.includes(storedTheme) ? storedTheme : "auto");
document.getElementById("filters").hidden = false;
fillFilters();
Object.assign(filters, whole());
selectOf("month").value = filters.month ?? "";
Tenure.showTiles(filters);
document.querySelectorAll("[data-chart]").forEach(begin);

// what is out of sight is drawn when there is nothing else to do, so that what lies below no longer moves
const idle = window.requestIdleCallback ?? ((work) => setTimeout(work, 60));
const drawNext = () => {
  const card = cards.find((each) => !each.isSeen);
  if (!card) {
    root.dataset.drawn = "true";
    return;
  }
  card.isSeen = true;
  show(card);
  idle(drawNext);
};
idle(drawNext);

const links = [...document.querySelectorAll(".contents a")];
const current = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      for (const link of links) {
        if (link.hash === `#${entry.target.id}`) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    }
  },
  { rootMargin: "-20% 0px -70% 0px" },
);
document.querySelectorAll("main section").forEach((section) => current.observe(section));
root.dataset.ready = "true";
performance.mark("tenure-ready");

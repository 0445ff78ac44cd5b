// Numbers and names as a person reads them.

const LOCALE = "en-US";

const moneyFormat = (options) => {
  try {
    return new Intl.NumberFormat(LOCALE, { style: "currency", currency: Tenure.currency, ...options });
  } catch {
    // a currency that no browser knows
    const plain = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2, ...options });
    return { format: (value) => `${Tenure.currency} ${plain.format(value)}` };
  }
};

// as many digits as the currency has
const money = moneyFormat({});
const wholeMoney = moneyFormat({ minimumFractionDigits: 0, maximumFractionDigits: 0 });
const fineMoney = moneyFormat({ maximumFractionDigits: 4 });
const shortMoney = moneyFormat({ notation: "compact", minimumFractionDigits: 0, maximumFractionDigits: 1 });
const count = new Intl.NumberFormat(LOCALE, { maximumFractionDigits: 0 });
const shortCount = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
const fraction = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const fine = new Intl.NumberFormat(LOCALE, { maximumSignificantDigits: 4 });
const percent = new Intl.NumberFormat(LOCALE, {
  style: "percent",
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const roundPercent = new Intl.NumberFormat(LOCALE, { style: "percent", maximumFractionDigits: 1 });
const finePercent = new Intl.NumberFormat(LOCALE, { style: "percent", maximumSignificantDigits: 2 });
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const monthName = (month) => `${MONTHS[Number(month.slice(5, 7)) - 1]} ${month.slice(0, 4)}`;

const unknown = "–";
const minus = (text) => text.replace("-", "−");
const isNumber = (value) => typeof value === "number";

// what a value of a kind is shown as: whole in tables, short on axes
const FULL = {
  money: (value) => money.format(value),
  count: (value) => count.format(value),
  rate: (value) => percent.format(value),
  number: (value) => fraction.format(value),
  fine: (value) => fine.format(value),
  month: monthName,
  text: String,
};
const SHORT = {
  ...FULL,
  // an axis of small values has steps of less than one, and of less than a tenth of a percent
  money: (value) => (Math.abs(value) >= 1e4 ? shortMoney : Math.abs(value) < 10 && value % 1 ? fineMoney : wholeMoney).format(value),
  count: (value) => (Math.abs(value) >= 1e4 ? shortCount : count).format(value),
  rate: (value) => (Math.abs(value) < 0.01 ? finePercent : roundPercent).format(value),
  number: (value) => fine.format(value),
};

Tenure.words = {
  monthName,
  shortMonth: (month) => `${MONTHS[Number(month.slice(5, 7)) - 1]} ’${month.slice(2, 4)}`,
  full: (value, kind) => (value == null ? unknown : isNumber(value) ? minus(FULL[kind](value)) : FULL[kind](value)),
  short: (value, kind) => (value == null ? unknown : minus(SHORT[kind](value))),
  // a figure in a tile has room for six or seven digits
  tile: (value, kind) => {
    if (value == null) return unknown;
    if (kind === "money" && Math.abs(value) >= 1e7) return minus(moneyFormat({
      notation: "compact", minimumFractionDigits: 2, maximumFractionDigits: 2 }).format(value));
    if (kind === "money" && Math.abs(value) >= 1e3) return minus(wholeMoney.format(value));
    return minus(FULL[kind](value));
  },
  named: (text) => (text == null ? "no name" : String(text).replaceAll("_", " ")),
  quotient: (above, below) => (above == null || !below ? null : above / below),
};

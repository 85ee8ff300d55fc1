const DATA = JSON.parse($("data").textContent);
const { texts, tenants, senders, findings, severities: SEVERITIES, verdicts: VERDICTS } = DATA;
const LETTERS = { critical: "C", high: "H", medium: "M", low: "L", info: "i", ok: "✓", unreadable: "?", none: "–" };
const MEANINGS = { ...Object.fromEntries(SEVERITIES.map((name) => [name, `finding of severity ${name}`])), ok: "no finding", unreadable: "not readable", none: "not read" };
const MOST_ENTRIES = 50;

const senderText = (column, row) => texts[senders[column][row]];
const findingText = (column, row) => texts[findings[column][row]];
const tenantLink = (index) => el("a", { href: `#t=${encodeURIComponent(tenants[index].name)}` }, tenants[index].name);
const senderKey = (row) => `${tenants[senders.tenant[row]].name}/${senders.address[row]}`;

/** One lower-case text a row, in which the filter searches. */
function searchIndex(count, parts) {
  const lines = new Array(count);
  for (let row = 0; row < count; row++) lines[row] = parts(row).join("\n").toLowerCase();
  return lines;
}

/**
 * A section with a search field, groups of checkboxes and a table.
 * Groups: {id, title, values, of(row) -> value}. A row is shown if it has every word, and in each group with checked boxes one of them.
 */
class FilteredTable {
  constructor({ id, title, count, parts, groups, table, download, tenantOf }) {
    Object.assign(this, { id, count, groups, table, tenantOf, tenant: "" });
    this.all = Array.from({ length: count }, (_value, row) => row);
    this.index = searchIndex(count, parts);
    this.search = el("input", { type: "search", id: `${id}-search`, autocomplete: "off", spellcheck: "false", "aria-keyshortcuts": "/" });
    this.live = el("p", { class: "count", role: "status", "aria-live": "polite" });
    this.boxes = new Map();
    const fieldsets = groups.map((group) => this.fieldset(group));
    const clear = el("button", { type: "button" }, "Clear filter");
    clear.addEventListener("click", () => this.set("", {}));
    this.chip = el("button", { type: "button", class: "chip", hidden: true });
    this.chip.addEventListener("click", () => {
      this.tenant = "";
      this.apply();
      this.search.focus();
    });
    const save = download && el("button", { type: "button" }, "CSV of these rows");
    save?.addEventListener("click", () => saveCsv(`${id}.csv`, download.heading, this.table.rows.map(download.row)));
    this.search.addEventListener("input", () => this.apply());
    this.search.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.set("", {});
    });
    this.element = el(
      "section", { id, class: "card", "aria-labelledby": `${id}-title` },
      el("div", { class: "head" }, el("h2", { id: `${id}-title`, tabIndex: -1 }, title), el("span", { class: "buttons" }, save)),
      el("div", { class: "tools" }, el("label", { class: "search" }, "Search (all words; press / to come here)", this.search), this.chip, clear),
      el("div", { class: "tools" }, fieldsets),
      this.live, table.element,
    );
    this.apply();
  }

  fieldset(group) {
    const counts = new Map();
    for (const row of this.all) counts.set(group.of(row), (counts.get(group.of(row)) || 0) + 1);
    const values = [...group.values.filter((value) => counts.has(value)), ...[...counts.keys()].filter((value) => value && !group.values.includes(value)).sort()];
    const labels = values.map((value) => {
      const box = el("input", { type: "checkbox" });
      box.addEventListener("change", () => this.apply());
      this.boxes.set(`${group.id}=${value}`, { box, group, value });
      return el("label", { class: "facet" }, box, value, el("i", {}, number(counts.get(value))));
    });
    return values.length > 1 ? el("fieldset", {}, el("legend", {}, group.title), labels) : null;
  }

  /** Filter by words, by values of groups, such as {verdict: ["breaks"]}, and by the name of a tenant. */
  set(query, chosen, tenant = "") {
    this.search.value = query;
    this.tenant = tenant;
    for (const { box, group, value } of this.boxes.values()) box.checked = Boolean(chosen[group.id]?.includes(value));
    this.apply();
  }

  apply() {
    const query = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = new Map();
    for (const { box, group, value } of this.boxes.values()) {
      if (box.checked) chosen.set(group, (chosen.get(group) || new Set()).add(value));
    }
    this.chip.hidden = !this.tenant;
    this.chip.textContent = `Only tenant ${this.tenant} (show all)`;
    const rows = this.table.inOrder(this.all).filter((row) => (!this.tenant || this.tenantOf(row) === this.tenant) && query.every((word) => this.index[row].includes(word)) && [...chosen].every(([group, values]) => values.has(group.of(row))));
    this.table.show(rows);
    const all = `${number(this.count)} ${this.count === 1 ? "row" : "rows"}`;
    this.live.textContent = rows.length === this.count ? all : `${number(rows.length)} of ${all}`;
  }
}

/** A CSV file of the rows. No cell is a formula. */
function saveCsv(name, heading, rows) {
  const cell = (value) => `"${(/^ *[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(value) ? `'${value}` : value).replaceAll('"', '""')}"`;
  const text = [heading, ...rows].map((row) => row.map((value) => cell(String(value))).join(",")).join("\r\n");
  const link = el("a", { href: URL.createObjectURL(new Blob(["\ufeff", text, "\r\n"], { type: "text/csv" })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

/** How soon a sender is in trouble, as a group of the filter. */
function soon(row) {
  const date = senderText("date", row);
  if (!date) return "no date";
  const days = (Date.parse(date) - Date.parse(DATA.started.slice(0, 10))) / 86400000;
  return days < 0 ? "past" : days <= 30 ? "30 days" : days <= 90 ? "90 days" : "later";
}

function fleetView() {
  const widest = (verdict) => number(Math.max(0, ...tenants.map((tenant) => tenant.totals?.[verdict] || 0))).length;
  const columns = [
    { id: "name", title: "Tenant", width: "10rem", sort: (row) => tenants[row].name.toLowerCase() },
    ...VERDICTS.map((verdict) => ({ id: verdict, title: words(verdict), verdict, width: `${Math.max(2.6, 1.2 + 0.6 * widest(verdict))}rem`, sort: (row) => -(tenants[row].totals[verdict] || 0) })),
    ...DATA.checks.map(([check, label]) => ({ id: check, check, title: words(check), label, width: "2.1rem", sort: (row) => Object.keys(LETTERS).indexOf(tenants[row].cells[check]) })),
  ];
  const cell = (row, column) => {
    const tenant = tenants[row];
    if (column.id === "name") return tenantLink(row);
    if (column.verdict) {
      if (!tenant.audited) return el("span", { class: "c unreadable", role: "img", "aria-label": "not audited" }, "?");
      const total = tenant.totals[column.verdict];
      const link = `#senders?tenant=${encodeURIComponent(tenant.name)}&verdict=${column.verdict}`;
      return total ? el("a", { class: `c ${column.verdict}`, href: link, "aria-label": `${total} ${column.verdict}` }, number(total)) : "0";
    }
    const state = tenant.cells[column.check];
    return el("span", { class: `c ${state}`, role: "img", title: `${column.label}: ${MEANINGS[state]}`, "aria-label": `${column.label}: ${MEANINGS[state]}` }, LETTERS[state]);
  };
  const state = (row) => (!tenants[row].audited ? "not audited" : VERDICTS.find((verdict) => tenants[row].totals[verdict]) || "no senders");
  const view = new FilteredTable({
    id: "fleet", title: "Tenants", count: tenants.length, parts: (row) => [tenants[row].name],
    groups: [{ id: "state", title: "First verdict", values: ["not audited", ...VERDICTS], of: state }],
    table: new WindowedTable("Tenants and checks", columns, cell, "matrix"),
  });
  view.element.append(el("p", { class: "key" }, Object.entries(LETTERS).filter(([name]) => name !== "info").map(([name, letter]) => el("span", {}, el("span", { class: `c ${name}` }, letter), ` ${MEANINGS[name]}`))));
  return view;
}

function sendersView() {
  const rank = (list) => (column) => (row) => list.indexOf(senderText(column, row));
  const columns = [
    { id: "address", title: "Address", width: "17rem", sort: (row) => senders.address[row].toLowerCase() },
    { id: "tenant", title: "Tenant", width: "10rem", className: "medium-up", sort: (row) => tenants[senders.tenant[row]].name.toLowerCase() },
    { id: "name", title: "Sender", width: "10rem", className: "wide", sort: (row) => senderText("name", row).toLowerCase() },
    { id: "method", title: "Method", width: "8rem", className: "wide", sort: (row) => senderText("method", row) },
    { id: "verdict", title: "Verdict", width: "8.5rem", sort: rank(VERDICTS)("verdict") },
    { id: "severity", title: "Severity", width: "6rem", className: "wide", sort: rank(SEVERITIES)("severity") },
    { id: "date", title: "Date", width: "7.5rem", className: "medium-up date", sort: (row) => senderText("date", row) || "9999" },
    { id: "reason", title: "Reason", className: "wide", sort: (row) => senderText("reason", row) },
  ];
  const cell = (row, { id }) => {
    if (id === "address") return el("a", { href: `#s=${encodeURIComponent(senderKey(row))}`, title: senders.address[row] }, senders.address[row]);
    if (id === "tenant") return tenantLink(senders.tenant[row]);
    if (id === "verdict") return badge(senderText("verdict", row));
    if (id === "name") return senderText("name", row) || "not in the inventory";
    return senderText(id, row) || "–";
  };
  const shown = ["name", "method", "verdict", "severity", "date", "reason", "remedy"];
  return new FilteredTable({
    id: "senders", title: "Senders", count: senders.address.length, tenantOf: (row) => tenants[senders.tenant[row]].name,
    parts: (row) => [senders.address[row], tenants[senders.tenant[row]].name, ...shown.map((column) => senderText(column, row))],
    groups: [
      { id: "verdict", title: "Verdict", values: VERDICTS, of: (row) => senderText("verdict", row) },
      { id: "severity", title: "Severity", values: SEVERITIES, of: (row) => senderText("severity", row) },
      { id: "method", title: "Method", values: [], of: (row) => senderText("method", row) || "not known" },
      { id: "date", title: "Date", values: ["past", "30 days", "90 days", "later", "no date"], of: soon },
      { id: "change", title: "Compared with the earlier audit", values: ["new", "still"], of: (row) => senderText("change", row) },
    ],
    table: new WindowedTable("Senders", columns, cell),
    download: { heading: ["tenant", "address", ...shown], row: (row) => [tenants[senders.tenant[row]].name, senders.address[row], ...shown.map((column) => senderText(column, row))] },
  });
}

function findingsView() {
  const columns = [
    { id: "subject", title: "Finding", sort: (row) => findingText("subject", row).toLowerCase() },
    { id: "tenant", title: "Tenant", width: "28%", className: "medium-up", sort: (row) => tenants[findings.tenant[row]].name.toLowerCase() },
    { id: "severity", title: "Severity", width: "8rem", sort: (row) => SEVERITIES.indexOf(findingText("severity", row)) },
    { id: "problem", title: "Problem", width: "42%", className: "wide", sort: (row) => findingText("problem", row) },
  ];
  const cell = (row, { id }) => {
    if (id === "subject") {
      const link = el("a", { href: `#f=${row}`, title: findingText("subject", row) }, findingText("subject", row));
      return [link, el("span", { class: "below", title: findingText("problem", row) }, findingText("problem", row))];
    }
    if (id === "tenant") return tenantLink(findings.tenant[row]);
    if (id === "severity") return badge(findingText("severity", row));
    return findingText(id, row);
  };
  const shown = ["id", "severity", "subject", "problem", "remedy"];
  return new FilteredTable({
    id: "findings", title: "Findings about the configuration", count: findings.tenant.length, tenantOf: (row) => tenants[findings.tenant[row]].name,
    parts: (row) => [tenants[findings.tenant[row]].name, ...shown.map((column) => findingText(column, row))],
    groups: [
      { id: "severity", title: "Severity", values: SEVERITIES, of: (row) => findingText("severity", row) },
      { id: "id", title: "Finding", values: [], of: (row) => findingText("id", row) },
      { id: "change", title: "Compared with the earlier audit", values: ["new", "still"], of: (row) => findingText("change", row) },
    ],
    table: new WindowedTable("Findings", columns, cell),
    download: { heading: ["tenant", ...shown], row: (row) => [tenants[findings.tenant[row]].name, ...shown.map((column) => findingText(column, row))] },
  });
}

/** What an earlier audit had and this one has not. */
function goneView() {
  if (!DATA.gone.length) return null;
  const entry = ([change, tenant, subject, severity, problem]) =>
    el("li", { class: "entry" }, badge(change === "fixed" ? "safe" : "unknown", change === "fixed" ? "fixed" : "not comparable"), el("h3", {}, `${tenant}: ${subject}`), el("p", { class: "muted" }, `Was ${severity}: ${problem}`));
  return el("section", { id: "gone", class: "card", "aria-labelledby": "gone-title" }, el("h2", { id: "gone-title" }, "No longer there since the earlier audit"),
    el("ul", { class: "plain" }, DATA.gone.slice(0, MOST_ENTRIES).map(entry)),
    DATA.gone.length > MOST_ENTRIES ? el("p", {}, `${number(DATA.gone.length - MOST_ENTRIES)} more are in report.json.`) : null);
}

function openSender(row) {
  const verdict = senderText("verdict", row), more = senders.more[row], extra = [];
  for (let at = 0; at < more.length; at += 2) extra.push([words(texts[more[at]]), texts[more[at + 1]]]);
  const method = senderText("method", row), change = senderText("change", row);
  open(
    senders.address[row],
    el("p", {}, badge(verdict), " ", badge(senderText("severity", row)), " ", change ? badge(change, change === "unknown" ? "not comparable" : change) : null),
    path(senderText("name", row), DATA.paths[senders.path[row]]),
    el("p", { class: "reason" }, senderText("reason", row)),
    remedy(senderText("remedy", row)),
    pairs([
      ["Tenant", tenantLink(senders.tenant[row])], ["Sender", senderText("name", row) || "not in the inventory"],
      ["Method", method || "not known"], ["Date", senderText("date", row)], ...extra,
    ]),
  );
}

const whatToDo = (text) => (text ? el("p", { class: "muted" }, text) : null);

function entry(severity, title, problem, remedyText) {
  return el("li", { class: "entry" }, badge(severity), el("h3", {}, title), el("p", {}, problem), whatToDo(remedyText));
}

const rowsOf = (columns, index) => columns.tenant.flatMap((tenant, row) => (tenant === index ? [row] : []));
const listed = (rows, make, section, tenant) => [
  el("ul", { class: "plain" }, rows.slice(0, MOST_ENTRIES).map(make)),
  rows.length > MOST_ENTRIES ? el("p", {}, el("a", { href: `#${section}?tenant=${encodeURIComponent(tenant)}` }, `${number(rows.length - MOST_ENTRIES)} more`)) : null,
];

function openTenant(index) {
  const tenant = tenants[index];
  if (!tenant.audited) {
    open(tenant.name, el("p", {}, badge("unknown", "not audited")), el("p", {}, tenant.reason));
    return;
  }
  const rank = (row) => SEVERITIES.indexOf(senderText("severity", row)) * 10 + VERDICTS.indexOf(senderText("verdict", row));
  const own = rowsOf(senders, index).sort((a, b) => rank(a) - rank(b)), problems = rowsOf(findings, index);
  const unread = tenant.sources.filter(([, readable]) => !readable), { configuration, ...more } = tenant.more;
  const sender = (row) => {
    const link = el("a", { href: `#s=${encodeURIComponent(senderKey(row))}` }, senders.address[row]);
    return el("li", { class: "entry" }, badge(senderText("verdict", row)), el("h3", {}, link), el("p", {}, senderText("reason", row)), whatToDo(senderText("remedy", row)));
  };
  open(
    tenant.name,
    el("p", {}, VERDICTS.filter((verdict) => tenant.totals[verdict]).map((verdict) => [badge(verdict, `${number(tenant.totals[verdict])} ${verdict}`), " "])),
    el("p", {}, el("a", { href: `#senders?tenant=${encodeURIComponent(tenant.name)}` }, "Show these senders in the table")),
    el("h3", {}, `Senders (${number(own.length)})`), listed(own, sender, "senders", tenant.name),
    el("h3", {}, `Findings (${number(problems.length)})`),
    listed(problems, (row) => entry(findingText("severity", row), findingText("subject", row), findingText("problem", row), findingText("remedy", row)), "findings", tenant.name),
    el("h3", {}, "Sources"),
    el("ul", { class: "plain" }, unread.map(([label, , reason]) => el("li", { class: "entry" }, badge("unknown", "not readable"), el("h3", {}, label), el("p", {}, reason)))),
    el("p", {}, `Read: ${tenant.sources.filter(([, readable]) => readable).map(([label]) => label).join(", ") || "none"}.`),
    tenant.cost ? [el("h3", {}, "Cost of this audit"), el("p", {}, tenant.cost)] : null,
    el("h3", {}, "Configuration as read"), value({ ...more, ...configuration }),
  );
}

function openFinding(row) {
  open(
    findingText("subject", row), el("p", {}, badge(findingText("severity", row))), el("p", {}, findingText("problem", row)), remedy(findingText("remedy", row)),
    pairs([["Tenant", tenantLink(findings.tenant[row])], ["Finding", findingText("id", row)], ["Compared with the earlier audit", findingText("change", row)]]),
  );
}

const views = { fleet: fleetView(), senders: sendersView(), findings: findingsView() };

/** Show what the address names: #t=tenant, #s=tenant/address, #f=row, or #senders?q=words&tenant=name&verdict=breaks,unknown. */
function route() {
  const [name, query] = location.hash.slice(1).split("?");
  const [kind, target] = [name.slice(0, 2), decode(name.slice(2))];
  if (kind === "t=") {
    const index = tenants.findIndex((tenant) => tenant.name === target);
    if (index >= 0) openTenant(index);
  } else if (kind === "s=") {
    const row = senders.address.findIndex((_address, at) => senderKey(at) === target);
    if (row >= 0) openSender(row);
  } else if (kind === "f=" && findings.tenant[Number(target)] !== undefined) {
    openFinding(Number(target));
  } else if (views[name]) {
    if (dialog.open) dialog.close();
    const view = views[name];
    if (query !== undefined) {
      const parameters = new URLSearchParams(query);
      const chosen = Object.fromEntries(view.groups.map((group) => [group.id, (parameters.get(group.id) || "").split(",")]));
      view.set(parameters.get("q") || "", chosen, parameters.get("tenant") || "");
    }
    view.element.scrollIntoView();
    $(`${name}-title`).focus({ preventScroll: true });
  } else if (dialog.open) {
    dialog.close();
  }
}

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The choice of a theme is kept where the browser allows that for a file. */
function keepTheme() {
  const select = $("theme");
  const stored = () => {
    try {
      return localStorage.getItem("mailops-theme") || "";
    } catch {
      return "";
    }
  };
  const use = (theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  };
  select.value = stored();
  use(select.value);
  select.addEventListener("change", () => {
    use(select.value);
    try {
      localStorage.setItem("mailops-theme", select.value);
    } catch {
      return;
    }
  });
}

document.querySelectorAll(".needs-script").forEach((node) => (node.hidden = false));
keepTheme();
$("app").append(...[views.fleet.element, views.senders.element, views.findings.element, goneView()].filter(Boolean));
$("app").hidden = false;
views.fleet.table.show(views.fleet.table.rows);
for (const [name, column] of [["senders", "severity"], ["findings", "severity"]]) {
  const { table } = views[name];
  table.sort(table.columns.find((one) => one.id === column));
}
addEventListener("hashchange", route);
addEventListener("beforeprint", () => Object.values(views).forEach((view) => view.table.print(true)));
addEventListener("afterprint", () => Object.values(views).forEach((view) => view.table.print(false)));
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName) && !dialog.open) {
    event.preventDefault();
    views.senders.search.focus();
  }
});
document.documentElement.dataset.ready = "yes";
if (location.hash) route();

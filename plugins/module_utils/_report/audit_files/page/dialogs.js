const dialog = $("details");
let opener = null;

/** Open the dialog with a title and content; when it closes, the focus returns to where it was. */
function open(title, ...content) {
  if (!dialog.open) opener = document.activeElement;
  const close = el("button", { type: "button" }, "Close");
  close.addEventListener("click", () => dialog.close());
  dialog.replaceChildren(el("div", { class: "head" }, el("h2", { id: "details-title" }, title), close), el("div", {}, content));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  close.focus();
}

dialog.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
dialog.addEventListener("close", () => {
  if (/^#[stf]=/.test(location.hash)) history.replaceState(null, "", "#");
  if (opener?.isConnected && opener !== document.body) opener.focus({ preventScroll: true });
  else $("main").focus({ preventScroll: true });
});

const pairs = (rows) => el("dl", { class: "pairs" }, rows.filter(([, value]) => value !== "").map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
const ACRONYMS = /\b(acs|dkim|dmarc|dns|ews|hve|id|ip|mta sts|mx|smtp auth|smtp|spf|tls rpt|tls)\b/g;
const words = (name) => name.replaceAll("_", " ").replace(ACRONYMS, (word) => word.toUpperCase()).replace(/^./, (letter) => letter.toUpperCase());
const remedy = (text) => (text ? el("p", { class: "remedy" }, el("strong", {}, "What to do: "), text) : null);

/** The path of a sender's mail, as boxes. */
const path = (name, hops) => el("ol", { class: "path", "aria-label": "How it sends" }, [name || "program", ...hops].map((hop) => el("li", {}, hop)));

const MOST_VALUES = 150, MOST_TEXTS = 50;
const TITLES = ["name", "display_name", "domain", "address", "kind"];

/**
 * A value of the configuration, whatever its shape: null was not read, "" and an empty list are nothing.
 * `left` counts the values that may still be shown, so that the page stays small.
 */
function value(content, left = { values: MOST_VALUES }) {
  left.values -= 1;
  if (content === null) return badge("unknown", "not read");
  if (content === "") return "none";
  if (typeof content === "boolean") return content ? "yes" : "no";
  if (Array.isArray(content)) return list(content, left);
  if (typeof content === "object") return pairs(Object.entries(content).map(([name, part]) => [words(name), value(part, left)]));
  return String(content);
}

/** A list of values: objects one below the other, each with its name as title; texts on one line. */
function list(content, left) {
  if (!content.length) return "none";
  const objects = content.filter((part) => part && typeof part === "object"), more = (count) => `and ${number(count)} more in report.json`;
  if (!objects.length) {
    const text = content.slice(0, MOST_TEXTS).map((part) => (part === null ? "not read" : value(part))).join(", ");
    return content.length > MOST_TEXTS ? `${text} ${more(content.length - MOST_TEXTS)}` : text;
  }
  const items = [];
  for (const part of content) {
    if (left.values <= 0) break;
    const title = TITLES.find((name) => typeof part?.[name] === "string" && part[name]);
    const rest = title ? Object.fromEntries(Object.entries(part).filter(([name]) => name !== title)) : part;
    items.push(el("li", {}, title ? el("strong", {}, part[title]) : null, value(rest, left)));
  }
  return el("ul", { class: "items" }, items, items.length < content.length ? el("li", {}, more(content.length - items.length)) : null);
}

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

/** A value of the configuration, whatever its shape. */
function value(content) {
  if (content === null) return el("span", { class: "v unknown" }, "not readable");
  if (content === true) return "yes";
  if (content === false) return "no";
  if (Array.isArray(content)) {
    return content.length ? el("ul", { class: "plain" }, content.slice(0, 100).map((part) => el("li", {}, String(part))), content.length > 100 ? el("li", {}, `and ${content.length - 100} more in report.json`) : null) : "none";
  }
  if (typeof content === "object") return pairs(Object.entries(content).map(([name, part]) => [words(name), value(part)]));
  return String(content);
}

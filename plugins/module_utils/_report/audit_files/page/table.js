const WINDOW_ROWS = 60, MATRIX_ROWS = 40, PRINTED_ROWS = 2000;
const $ = (id) => document.getElementById(id);

/** An element with properties and children; texts are text nodes, never HTML. */
function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node && typeof value !== "string") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const badge = (kind, text = kind) => el("span", { class: `v ${kind}` }, text);
const number = (value) => value.toLocaleString("en");

/**
 * A table that has only the rows in sight as elements. Rows are numbers; `cell(row, column)` gives the content of a cell.
 * Columns: {id, title, width, sort(row) -> number or text, className}.
 */
class WindowedTable {
  constructor(label, columns, cell, className = "") {
    Object.assign(this, { columns, cell, rows: [], order: null, ordered: null, first: 0, last: 0, printing: false });
    this.windowRows = className === "matrix" ? MATRIX_ROWS : WINDOW_ROWS;
    this.top = el("tr", { class: "space", "aria-hidden": "true" }, el("td"));
    this.bottom = el("tr", { class: "space", "aria-hidden": "true" }, el("td"));
    this.body = el("tbody");
    this.heads = columns.map((column) => this.head(column));
    const table = el("table", { "aria-label": label }, el("thead", {}, el("tr", { "aria-rowindex": "1" }, this.heads)), this.body);
    this.table = table;
    this.empty = el("p", { class: "empty", hidden: true }, "No row matches the filter.");
    this.element = el("div", { class: `window ${className}`, tabIndex: 0, role: "region", "aria-label": label }, table, this.empty);
    this.element.addEventListener("scroll", () => this.draw());
    addEventListener("resize", () => this.draw());
  }

  head(column) {
    const cell = el("th", { scope: "col", class: column.className || "" });
    if (column.width) cell.style.width = column.width;
    if (!column.sort) {
      cell.append(el("span", {}, column.title));
      return cell;
    }
    const button = el("button", { type: "button" }, column.title);
    button.addEventListener("click", () => this.sort(column));
    // Browsers repeat the heading of a table on each printed page only if it has no buttons.
    cell.append(button, el("span", { class: "printed" }, column.title));
    return cell;
  }

  /** Sort by a column; by the same column again in the other direction. */
  sort(column) {
    const descending = this.order?.column === column && !this.order.descending;
    this.order = { column, descending };
    this.heads.forEach((head, index) => {
      if (this.columns[index] === column) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
    this.ordered = null;
    this.show(this.sorted(this.rows));
  }

  sorted(rows) {
    if (!this.order) return rows;
    const { column, descending } = this.order;
    const keys = new Map(rows.map((row) => [row, column.sort(row)]));
    const compare = (a, b) => (keys.get(a) < keys.get(b) ? -1 : keys.get(a) > keys.get(b) ? 1 : a - b);
    return [...rows].sort(descending ? (a, b) => compare(b, a) : compare);
  }

  /** All rows in the order of the sorted column, sorted once: a filter of them has nothing to sort. */
  inOrder(all) {
    this.ordered ||= this.sorted(all);
    return this.ordered;
  }

  /** Show these rows. */
  show(rows) {
    this.rows = rows;
    this.table.setAttribute("aria-rowcount", String(rows.length + 1));
    this.table.hidden = !rows.length;
    this.empty.hidden = Boolean(rows.length);
    this.first = -1;
    this.element.scrollTop = 0;
    this.draw();
  }

  get rowHeight() {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  /** Make the elements of the rows in sight, if they are others than before. */
  draw() {
    if (this.printing) return;
    const height = this.rowHeight, total = this.rows.length;
    const inSight = Math.floor(this.element.scrollTop / height);
    const first = Math.max(0, Math.min(inSight - 15, total - this.windowRows));
    if (first === this.first || (this.first >= 0 && Math.abs(first - this.first) < 8 && first !== 0 && first + this.windowRows < total)) return;
    this.place(first, Math.min(first + this.windowRows, total), height);
  }

  place(first, last, height) {
    const focused = this.body.contains(document.activeElement) ? document.activeElement.closest("tr")?.dataset.row : null;
    this.first = first;
    this.top.firstChild.style.height = `${first * height}px`;
    this.bottom.firstChild.style.height = `${(this.rows.length - last) * height}px`;
    const rows = this.rows.slice(first, last).map((row, index) => this.row(row, first + index));
    this.body.replaceChildren(...(first ? [this.top] : []), ...rows, ...(last < this.rows.length ? [this.bottom] : []));
    if (focused) this.body.querySelector(`tr[data-row="${focused}"] a`)?.focus({ preventScroll: true });
  }

  row(row, index) {
    const cells = this.columns.map((column, place) => {
      const content = this.cell(row, column);
      const properties = { class: column.className || "" };
      if (typeof content === "string") properties.title = content;
      return place ? el("td", properties, content) : el("th", { ...properties, scope: "row" }, content);
    });
    return el("tr", { class: "row", "aria-rowindex": String(index + 2), "data-row": String(row) }, cells);
  }

  /** For print: all rows of the filter, at most 2,000. */
  print(isPrinting) {
    this.printing = isPrinting;
    if (isPrinting) {
      this.place(0, Math.min(this.rows.length, PRINTED_ROWS), 0);
      this.bottom.remove();
    } else {
      this.first = -1;
      this.draw();
    }
  }
}

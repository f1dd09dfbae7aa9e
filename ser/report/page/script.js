// The page reads fully without this script. With it, tables sort and filter, and what is too wide says that it scrolls.
(() => {
  "use strict";
  document.documentElement.classList.add("scripted");
  const words = new Intl.Collator("en", { numeric: true });

  function valueOf(row, place) {
    const cell = row.cells[place];
    const text = "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
    if (text === "" || text === "-") return null;
    return Number.isFinite(Number(text)) ? Number(text) : text;
  }

  function compare(one, other) {
    if (typeof one === "number" && typeof other === "number") return one - other;
    return words.compare(one, other);
  }

  function sortable(table) {
    const rows = [...table.tBodies[0].rows].filter((row) => !row.classList.contains("summary"));
    if (rows.length < 2) return;
    const last = rows[rows.length - 1].nextElementSibling; // the summary, which stays at the end
    const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const next = { ascending: "descending", descending: "" }[head.getAttribute("aria-sort")] ?? "ascending";
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        let sorted = rows; // the third click restores the order
        if (next) {
          head.setAttribute("aria-sort", next);
          const valued = rows.map((row) => [valueOf(row, place), row]);
          const known = valued.filter(([value]) => value !== null);
          known.sort(([one], [other]) => (next === "ascending" ? compare(one, other) : compare(other, one)));
          sorted = [...known, ...valued.filter(([value]) => value === null)].map(([, row]) => row);
        }
        sorted.forEach((row) => table.tBodies[0].insertBefore(row, last));
      });
    });
  }

  // No-break spaces are found by spaces.
  function plain(text) {
    return text.replace(/\s+/g, " ").trim().toLowerCase();
  }

  function filterable(table) {
    const rows = [...table.tBodies[0].rows];
    const label = document.createElement("label");
    const input = document.createElement("input");
    const count = document.createElement("output");
    const line = document.createElement("div");
    input.type = "search";
    label.append("Show rows with ", input);
    line.className = "filter";
    line.append(label, count);
    input.addEventListener("input", () => {
      const wanted = plain(input.value);
      rows.forEach((row, place) => {
        row.hidden = !plain(row.textContent).includes(wanted);
        ofRow(document, place).forEach((each) => each.classList.toggle("filtered", row.hidden));
      });
      count.textContent = wanted ? `${rows.filter((row) => !row.hidden).length} of ${rows.length} rows` : "";
    });
    table.closest(".block").querySelector("h3").after(line);
  }

  // Curves and matrices of a table's row are elsewhere on the page; the filter hides them with their row.
  function ofRow(part, place) {
    return part.querySelectorAll(`[data-row="${place}"]`);
  }

  function selectable(key) {
    const figure = key.closest("figure");
    const boxes = [...key.children].map((item) => {
      const label = document.createElement("label");
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = true;
      label.append(box, ...item.childNodes);
      item.append(label);
      box.addEventListener("change", () => {
        const lines = [...ofRow(figure, item.dataset.row)].filter((each) => each !== item);
        lines.forEach((each) => each.classList.toggle("hidden", !box.checked));
      });
      return box;
    });
    const line = document.createElement("div");
    line.className = "filter";
    for (const [text, checked] of [["Show all", true], ["Hide all", false]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = text;
      button.addEventListener("click", () => {
        const others = boxes.filter((box) => box.checked !== checked && !box.closest(".filtered"));
        others.forEach((box) => box.click());
      });
      line.append(button);
    }
    key.before(line);
  }

  function scrolls(box) {
    const frame = box.parentElement;
    const note = frame.previousElementSibling?.matches(".sideways") ? frame.previousElementSibling : null;
    const show = () => {
      const left = box.scrollLeft;
      const rest = box.scrollWidth - box.clientWidth - left;
      const wide = box.scrollWidth - box.clientWidth > 1;
      frame.classList.toggle("before", wide && left > 1);
      frame.classList.toggle("after", wide && rest > 1);
      note?.classList.toggle("shown", wide);
      if (wide || box.scrollHeight - box.clientHeight > 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    };
    box.addEventListener("scroll", show, { passive: true });
    new ResizeObserver(show).observe(box);
    show();
  }

  document.querySelectorAll("table:not(.matrix)").forEach(sortable);
  document.querySelectorAll("table[data-filter]").forEach(filterable);
  document.querySelectorAll("[data-key]").forEach(selectable);
  document.querySelectorAll(".scroll").forEach(scrolls);
})();

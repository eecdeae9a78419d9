"use strict";
(() => {
  const json = id => JSON.parse(document.getElementById(id).textContent);
  /** An element with attributes and children; text is always text. */
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== null && value !== false) element.setAttribute(name, value);
    }
    element.append(...children.filter(child => child !== null));
    return element;
  };
  const pairs = list => make("dl", {}, ...list.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]));

  // MARK: Where a number comes from

  const dialog = document.getElementById("origin");
  let provenance = null;
  const show = index => {
    provenance ??= json("provenance");
    const number = provenance.numbers[index];
    const run = provenance.runs[number.run];
    const steps = make("table", {}, make("thead", {}, make("tr", {}, ...["step", "of", "key", "when", "took"].map(
      title => make("th", { scope: "col" }, title)))), make("tbody", {}, ...run.steps.map(
        ([kind, label, key, status, took]) => make("tr", {}, make("th", { scope: "row" }, kind), make("td", {}, label),
          make("td", {}, make("code", {}, key.slice(0, 12), make("span", { title: key }, "…"))), make("td", {}, status), make("td", {}, took)))));
    const keys = make("pre", {}, run.steps.map(step => `${step[2]}  ${step[0]}${step[1] ? ", " + step[1] : ""}`).join("\n"));
    dialog.lastElementChild.replaceChildren(
      make("h2", { id: "origin-title" }, number.name), pairs(number.subject.concat(number.facts)),
      make("h3", {}, "Run"), pairs(run.facts),
      make("details", {}, make("summary", {}, `${run.steps.length} steps with their keys`), make("div", { class: "scroll" }, steps), keys),
      make("details", {}, make("summary", {}, "Spec"), make("pre", {}, run.spec)));
    dialog.showModal();
    dialog.scrollTop = 0;
  };
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });

  // A table is one stop of the Tab key; within it the arrows move.
  for (const table of document.querySelectorAll("table.numbers")) {
    const rows = [...table.tBodies[0].rows].map(row => [...row.cells].map(cell => cell.querySelector("button")));
    const buttons = rows.flat().filter(Boolean);
    buttons.forEach((button, index) => { button.tabIndex = index ? -1 : 0; });
    table.addEventListener("click", event => {
      const button = event.target.closest("button[data-n]");
      if (button) show(Number(button.dataset.n));
    });
    table.addEventListener("focusin", event => {
      if (event.target.tagName === "BUTTON") buttons.forEach(button => { button.tabIndex = button === event.target ? 0 : -1; });
    });
    table.addEventListener("keydown", event => {
      const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
      let row = rows.findIndex(cells => cells.includes(document.activeElement));
      if (!step || row < 0) return;
      let column = rows[row].indexOf(document.activeElement);
      do { row += step[0]; column += step[1]; } while (rows[row] && column >= 0 && column < rows[row].length && !rows[row][column]);
      const next = rows[row]?.[column];
      if (next) { event.preventDefault(); next.focus(); }
    });
  }

  // MARK: Cards

  const shownAtOnce = 48;
  const percent = value => (100 * value).toFixed(1) + " %";
  const written = (value, measure) => {
    const text = value === null || value === undefined ? "–" : measure.isShare ? percent(value) : value.toFixed(2);
    return (/[1-9]/.test(text) ? text : text.replace("-", "")).replace("-", "−");
  };
  const signed = value => (value < 0 ? "−" : "+") + Math.abs(value).toPrecision(2);
  const words = text => text.normalize("NFC").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

  class Deck {
    constructor(section) {
      this.section = section;
      this.form = section.querySelector("form");
      this.list = section.querySelector(".cards");
      this.data = json("deck-" + section.dataset.deck);
      this.urls = [];
      this.parts = this.data.pools.map(pool => pool.words.map(words));
      this.form.addEventListener("submit", event => event.preventDefault());
      this.form.addEventListener("input", event => { if (event.target.name !== "word") this.name = null; this.update(); this.remember(); });
      section.querySelector(".more button").addEventListener("click", () => this.append());
      this.follow();
    }

    /** A sheet of pictures, decoded when the first of it is wanted. */
    sheet(index) {
      if (!this.urls[index]) {
        const text = atob(this.data.sheets.sheets[index]);
        const bytes = Uint8Array.from(text, character => character.charCodeAt(0));
        this.urls[index] = URL.createObjectURL(new Blob([bytes], { type: "image/jpeg" }));
      }
      return this.urls[index];
    }

    /** `#word=dog` searches, `#card=0.69` shows one card. */
    follow() {
      const match = /^#(word|card)=(.*)$/s.exec(location.hash);
      let text = "";
      try { text = match ? decodeURIComponent(match[2].replaceAll("+", " ")) : ""; } catch { /* no text of a URL */ }
      this.name = match?.[1] === "card" ? text : null;
      if (match?.[1] === "word") this.form.elements.word.value = text;
      this.update();
      return match !== null;
    }

    remember() {
      const word = this.form.elements.word.value.trim();
      try { history.replaceState(null, "", word ? "#word=" + encodeURIComponent(word) : location.pathname + location.search); } catch { /* without a place to remember */ }
    }

    /** The cards that are wanted, in order. */
    update() {
      const { word, pool, group, order } = this.form.elements;
      const wanted = words(word.value);
      const chosen = this.pool = Number(pool.value || 0);
      if (word.value.trim()) this.name = null;
      // Every word of the search begins a word of one phrase.
      this.hits = new Set(wanted.length ? this.parts[chosen].flatMap(
        (parts, index) => wanted.every(start => parts.some(part => part.startsWith(start))) ? [index] : []) : []);
      const weight = card => Math.max(...card.texts[chosen].words.map(
        (index, place) => this.hits.has(index) ? Math.abs(card.texts[chosen].weights[place]) : 0));
      let found = this.data.cards.map((card, index) => ({ card, index }));
      if (this.name) found = found.filter(({ card }) => card.name === this.name);
      if (group.value !== "") found = found.filter(({ card }) => card.group === Number(group.value));
      if (word.value.trim()) found = found.filter(({ card }) => card.texts[chosen].words.some(index => this.hits.has(index)));
      const number = Number(order.value.slice(1));
      const key = order.value.startsWith("m") ? card => card.values[number] : order.value.startsWith("t")
        ? card => card.texts[chosen].values[number] : this.hits.size ? weight : () => 0;
      found.forEach(entry => { entry.key = key(entry.card) ?? -Infinity; });
      found.sort((a, b) => b.key - a.key || a.index - b.index);
      this.found = found.map(entry => entry.card);
      this.shown = 0;
      this.list.replaceChildren();
      this.append();
    }

    append() {
      const next = this.found.slice(this.shown, this.shown + shownAtOnce);
      this.list.append(...next.map(card => this.card(card)));
      this.shown += next.length;
      const all = this.found.length;
      const cards = `${all} ${all === 1 ? "card" : "cards"}`;
      this.section.querySelector(".count").textContent = this.shown < all ? `${cards}, the first ${this.shown} shown` : cards;
      this.section.querySelector(".more").hidden = this.shown >= all;
    }

    card(card) {
      const { measures, pools, grouping, groups } = this.data;
      const text = card.texts[this.pool];
      const longest = Math.max(...text.weights.map(Math.abs), 1e-9);
      const values = measures.map((measure, index) => [measure.title, written(card.values[index], measure)])
        .concat(pools.length ? pools[this.pool].measures.map((measure, index) => [measure.title, written(text.values[index], measure)]) : []);
      const phrases = text.words.map((index, place) => {
        const phrase = pools[this.pool].words[index];
        const weight = text.weights[place];
        const item = make("li", { class: [weight < 0 ? "minus" : "", this.hits.has(index) ? "hit" : ""].join(" ").trim() || null },
          make("a", { href: "#word=" + encodeURIComponent(phrase), tabindex: -1 }, phrase),
          make("i", {}, (weight < 0 ? "−" : "+") + Math.abs(weight).toFixed(2)));
        item.style.setProperty("--w", Math.abs(weight) / longest);
        return item;
      });
      const isLong = text.words.some(index => pools[this.pool].words[index].length > 22);
      return make("article", { class: isLong ? "card long" : "card", "data-card": card.name },
        make("h4", {}, card.name, make("small", {}, `${grouping} ${groups[card.group]}`)),
        make("ul", { class: "thumbs" }, ...card.pictures.map((picture, place) => this.thumb(picture, card.strengths[place]))),
        make("p", { class: "values" }, ...values.map(([title, value]) => make("span", {}, title + " ", make("b", {}, value)))),
        make("ul", { class: "phrases" }, ...phrases));
    }

    /** A picture is cut out of its sheet. */
    thumb(index, strength) {
      const { columns, rows, count } = this.data.sheets;
      const { name, caption } = this.data.pictures[index];
      const sheet = Math.floor(index / (columns * rows));
      const place = index % (columns * rows);
      const lines = Math.ceil(Math.min(columns * rows, count - sheet * columns * rows) / columns);
      const image = make("img", { src: this.sheet(sheet), alt: caption || name, title: caption ? `${caption} (${name})` : name });
      Object.assign(image.style, {
        width: `${100 * columns}%`, height: `${100 * lines}%`, left: `${-100 * (place % columns)}%`, top: `${-100 * Math.floor(place / columns)}%`,
      });
      return make("li", { class: strength < 0 ? "against" : null }, make("span", { class: "thumb" }, image), signed(strength));
    }
  }

  const decks = [...document.querySelectorAll("section.deck")].map(section => new Deck(section));
  const follow = () => {
    if (decks.some(deck => deck.follow())) decks[0].section.scrollIntoView();
  };
  // Rows named after a card lead to it.
  const cards = new Set(decks.flatMap(deck => deck.data.cards.map(card => card.name)));
  for (const header of document.querySelectorAll("table.numbers tbody th")) {
    const name = header.textContent;
    if (cards.has(name)) header.replaceChildren(make("a", { href: "#card=" + encodeURIComponent(name) }, name));
  }
  addEventListener("hashchange", follow);
  if (/^#(word|card)=/.test(location.hash)) follow();
})();

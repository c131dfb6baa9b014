/* Plots over time with a cursor, the time line's marks, and the path from above. */

function niceStep(span, count) {
  const rough = Math.max(span, 1e-9) / count, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((s) => s * power >= rough) || 10;
  return step * power;
}

function ticks(low, high, count) {
  const step = niceStep(high - low, count), found = [];
  for (let v = Math.ceil(low / step - 1e-9) * step; v <= high + 1e-9 * step; v += step) found.push(v);
  return found;
}

const tickText = (v) => String(Math.abs(v) < 1e-9 ? 0 : Number(v.toPrecision(6)));

class Plot {
  /* series: [{values, colour (css name), label}], and where wanted {width, dash, alpha, quiet (not
     named at the cursor), spread (named there after the value)}; flags: {spans, observed}; bands: [{values (0 or 1), colour}], drawn as
     stripes at the bottom; areas: [{low, high, colour}] */
  constructor(parent, { title, unit, series, time, flags, onSeek, floor, least = 0, bands = [], areas = [], xUnit = " s", digits = 1 }) {
    Object.assign(this, { series, time, flags, floor, least, bands, areas, xUnit, digits });
    const box = document.createElement("div");
    box.className = "plot";
    const head = document.createElement("div");
    head.className = "plot-head";
    const name = document.createElement("span");
    name.textContent = unit ? `${title}, ${unit}` : title;
    this.values = document.createElement("span");
    this.values.className = "values";
    head.append(name, this.values);
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-label", title);
    box.append(head, this.canvas);
    parent.append(box);
    this.box = box;
    this.name = name;
    this.left = 38;
    this.show(0, Infinity);
    const seek = (event) => {
      const rect = this.canvas.getBoundingClientRect();
      const share = (event.clientX - rect.left - this.left) / (rect.width - this.left - 4);
      onSeek(this.start + Math.max(0, Math.min(1, share)) * (this.end - this.start));
    };
    this.canvas.addEventListener("pointerdown", (event) => { this.canvas.setPointerCapture(event.pointerId); seek(event); });
    this.canvas.addEventListener("pointermove", (event) => { if (event.buttons & 1) seek(event); });
  }

  /* Show the time from start to end, as far as the take goes. */
  show(start, end) {
    const last = this.time.length - 1;
    this.start = Math.max(this.time[0], start);
    this.end = Math.max(Math.min(this.time[last], end), this.start + 1e-6);
    this.from = this.time.findIndex((t) => t >= this.start);
    this.from = Math.max(0, this.from - 1);
    this.to = this.time.findIndex((t) => t > this.end);
    if (this.to < 0) this.to = last;
  }

  range() {
    let low = Infinity, high = -Infinity;
    const all = [...this.series.map((one) => one.values), ...this.areas.flatMap((area) => [area.low, area.high])];
    for (const values of all) for (const v of values) if (v !== null) { low = Math.min(low, v); high = Math.max(high, v); }
    if (!(low <= high)) { low = 0; high = 1; }
    if (this.floor !== undefined) low = Math.min(low, this.floor);
    if (high - low < this.least) { const mid = (low + high) / 2; low = mid - this.least / 2; high = mid + this.least / 2; }
    if (high - low < 1e-6) high = low + 1;
    const pad = 0.06 * (high - low);
    return [this.floor !== undefined ? low : low - pad, high + pad];
  }

  render() {
    const { context, width, height } = fitCanvas(this.canvas);
    const bottom = height - 16, top = 4, right = width - 4, left = this.left;
    const [low, high] = this.range();
    const t0 = this.start, t1 = this.end;
    this.x = (t) => left + ((t - t0) / (t1 - t0)) * (right - left);
    this.y = (v) => bottom - ((v - low) / (high - low)) * (bottom - top);
    context.clearRect(0, 0, width, height);
    context.save();
    context.beginPath(); context.rect(left, 0, right - left + 3, height); context.clip();
    drawFlags(context, this.flags, this.time, this.x, top, bottom - top);
    context.restore();
    context.font = "11px system-ui, sans-serif";
    context.lineWidth = 1;
    context.textAlign = "right";
    for (const v of ticks(low, high, height > 110 ? 4 : 2)) {
      context.strokeStyle = cssColour("--line");
      context.beginPath(); context.moveTo(left, this.y(v)); context.lineTo(right, this.y(v)); context.stroke();
      context.fillStyle = cssColour("--soft");
      context.fillText(tickText(v), left - 5, this.y(v) + 4);
    }
    context.textAlign = "center";
    context.fillStyle = cssColour("--soft");
    for (const t of ticks(t0, t1, width / 80)) context.fillText(`${tickText(t)}${t === 0 ? this.xUnit : ""}`, Math.max(left + 6, Math.min(right - 10, this.x(t))), height - 3);
    context.save();
    context.beginPath(); context.rect(left, 0, right - left + 3, height); context.clip();
    this.bands.forEach(({ values, colour }, row) => {
      context.fillStyle = cssColour(colour);
      context.globalAlpha = 0.45;
      eachRun(values, (from, to) => context.fillRect(this.x(this.time[from]), bottom - 9 + 5 * row, Math.max(1.5, this.x(this.time[to]) - this.x(this.time[from])), 4));
      context.globalAlpha = 1;
    });
    for (const area of this.areas) this.area(context, area);
    for (const one of this.series) this.curve(context, one);
    context.restore();
    this.still = this.still || document.createElement("canvas");
    this.still.width = this.canvas.width;
    this.still.height = this.canvas.height;
    this.still.getContext("2d").drawImage(this.canvas, 0, 0);
  }

  area(context, { low, high, colour }) {
    context.fillStyle = cssColour(colour);
    context.globalAlpha = 0.2;
    eachRun(low.map((v, i) => v !== null && high[i] !== null), (from, to) => {
      context.beginPath();
      for (let i = from; i <= to; i++) context.lineTo(this.x(this.time[i]), this.y(high[i]));
      for (let i = to; i >= from; i--) context.lineTo(this.x(this.time[i]), this.y(low[i]));
      context.fill();
    });
    context.globalAlpha = 1;
  }

  curve(context, { values, colour, width = 1.6, dash = [], alpha = 1 }) {
    context.strokeStyle = cssColour(colour);
    context.globalAlpha = alpha;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.lineJoin = "round";
    context.beginPath();
    let open = false;
    for (let i = this.from; i <= this.to; i++) {
      const v = values[i];
      if (v === null) { open = false; continue; }
      const x = this.x(this.time[i]), y = this.y(v);
      if (open) context.lineTo(x, y);
      else { context.moveTo(x, y); if (values[i + 1] === null || i + 1 === values.length) context.lineTo(x + 1.5, y); }
      open = true;
    }
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  cursor(index) {
    if (!this.still) return;
    const context = this.canvas.getContext("2d");
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.still, 0, 0);
    context.restore();
    const x = this.x(this.time[index]);
    context.strokeStyle = cssColour("--ink");
    context.lineWidth = 1;
    context.beginPath(); context.moveTo(x, 2); context.lineTo(x, this.canvas.clientHeight - 16); context.stroke();
    this.values.replaceChildren();
    for (const { values, colour, label, quiet, spread } of this.series) {
      if (quiet) continue;
      const v = values[index];
      const text = document.createElement("span");
      text.className = colour === "--left" ? "l" : colour === "--right" ? "r" : "";
      text.textContent = ` ${label ? label + " " : ""}${v === null ? "–" : v.toFixed(this.digits)}`;
      if (spread && spread[index] !== null) text.textContent += ` ± ${spread[index].toFixed(this.digits)}`;
      this.values.append(text);
      if (v === null) continue;
      context.fillStyle = cssColour(colour);
      context.beginPath(); context.arc(x, this.y(v), 3, 0, 7); context.fill();
    }
  }
}

/* Doubtful spans and unseen stretches as coloured grounds. */
function drawFlags(context, { spans, observed }, time, x, top, height) {
  context.globalAlpha = 0.2;
  context.fillStyle = cssColour("--doubt");
  for (const [start, end] of spans) context.fillRect(x(start), top, Math.max(1.5, x(end) - x(start)), height);
  context.globalAlpha = 0.3;
  context.fillStyle = cssColour("--unseen");
  eachRun(observed.map((seen) => !seen), (from, to) => {
    context.fillRect(x(time[from]), top, Math.max(1.5, x(time[to]) - x(time[from])), height);
  });
  context.globalAlpha = 1;
}

/* Calls back with the first and last index of each stretch of true values. */
function eachRun(values, found) {
  for (let i = 0; i < values.length; i++) {
    if (!values[i]) continue;
    let j = i;
    while (j + 1 < values.length && values[j + 1]) j++;
    found(i, j);
    i = j;
  }
}

function drawMarks(canvas, take) {
  const { context, width, height } = fitCanvas(canvas);
  const last = Math.max(1, take.time.length - 1);
  /* The slider's thumb is 8 pixels wide, and its places follow frames. */
  const atFrame = (i) => 4 + (i / last) * (width - 8);
  const frameOf = (t) => { let i = 0; while (i < last && take.time[i] < t - 1e-9) i++; return i; };
  context.clearRect(0, 0, width, height);
  context.fillStyle = cssColour("--line");
  context.fillRect(4, height / 2 - 3, width - 8, 6);
  context.fillStyle = cssColour("--doubt");
  for (const [start, end] of take.spans) {
    const a = atFrame(frameOf(start)), b = atFrame(frameOf(end));
    context.fillRect(a, height / 2 - 8, Math.max(3, b - a), 16);
  }
  context.fillStyle = cssColour("--unseen");
  take.observed.forEach((seen, i) => {
    if (!seen) context.fillRect(atFrame(i) - 0.5, height / 2 - 3, Math.max(2, (width - 8) / last + 1), 6);
  });
}

function drawTop(canvas, people) {
  const { context, width, height } = fitCanvas(canvas);
  const all = people.flatMap((p) => p.path);
  const low = [0, 1].map((a) => all.reduce((v, p) => Math.min(v, p[a]), Infinity));
  const high = [0, 1].map((a) => all.reduce((v, p) => Math.max(v, p[a]), -Infinity));
  const mid = [0, 1].map((a) => (low[a] + high[a]) / 2);
  const pad = 34;
  const [spanX, spanY] = [0, 1].map((a) => Math.max(1.2, high[a] - low[a]));
  const scale = Math.min((width - 2 * pad) / spanX, (height - 2 * pad) / spanY);
  const place = (p) => [width / 2 + (p[0] - mid[0]) * scale, height / 2 - (p[1] - mid[1]) * scale];
  context.clearRect(0, 0, width, height);
  const step = Math.max(1e-9, niceStep(Math.min(width, height) / scale, 5));
  context.font = "11px system-ui, sans-serif";
  context.lineWidth = 1;
  const reachX = width / 2 / scale, reachY = height / 2 / scale;
  for (const [axis, reach] of [[0, reachX], [1, reachY]]) {
    for (let v = Math.ceil((mid[axis] - reach) / step) * step; v <= mid[axis] + reach; v += step) {
      const p = axis === 0 ? place([v, mid[1]]) : place([mid[0], v]);
      context.strokeStyle = cssColour("--line");
      context.beginPath();
      if (axis === 0) { context.moveTo(p[0], 0); context.lineTo(p[0], height); } else { context.moveTo(0, p[1]); context.lineTo(width, p[1]); }
      context.stroke();
      context.fillStyle = cssColour("--soft");
      context.fillText(`${tickText(v)} m`, axis === 0 ? p[0] + 3 : 3, axis === 0 ? height - 4 : p[1] - 3);
    }
  }
  context.fillText("y ↑", 3, 12);
  context.fillText("x →", width - 24, height - 18);
  for (const person of people) {
    context.globalAlpha = person.faint ? 0.35 : 1;
    context.lineWidth = 2.5;
    context.lineJoin = "round";
    /* First the whole way, then what was not observed over it. */
    for (const unseen of [false, true]) {
      context.strokeStyle = unseen ? cssColour("--unseen") : person.colour;
      context.beginPath();
      person.path.forEach((p, i) => {
        const draw = i > 0 && (!unseen || !person.observed[i] || !person.observed[i - 1]);
        context[draw ? "lineTo" : "moveTo"](...place(p));
      });
      context.stroke();
    }
    const now = place(person.now);
    context.strokeStyle = cssColour("--ink");
    context.lineWidth = 2;
    context.beginPath(); context.arc(now[0], now[1], 6, 0, 7); context.stroke();
    const start = place(person.path[0]);
    context.fillStyle = person.colour;
    context.beginPath(); context.arc(start[0], start[1], 4, 0, 7); context.fill();
  }
  context.globalAlpha = 1;
}

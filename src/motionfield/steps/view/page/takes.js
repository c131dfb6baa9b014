/* Takes of one action: one current phase and one chosen take (or none); all is drawn from these. */

/* Many small figures on one canvas, turned together, each in a cell of its own. */
class TakesView extends Scene {
  constructor(canvas, parents, jointNames, onChange, onPick) {
    super(canvas, parents, jointNames, onChange);
    this.wheelNeedsCtrl = true;
    this.cells = [];
    let start = null;
    canvas.addEventListener("pointerdown", (event) => { start = [event.clientX, event.clientY]; });
    canvas.addEventListener("pointerup", (event) => {
      if (!start || Math.hypot(event.clientX - start[0], event.clientY - start[1]) > 4) return;
      const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
      const cell = this.cells.findIndex((c) => x >= c.x && x < c.x + c.w && y >= c.y && y < c.y + c.h);
      if (cell >= 0) onPick(cell);
    });
  }

  /* As few rows as fit; a cell is 150 CSS pixels wide at least (100 of very many). */
  layout(count) {
    const width = Math.max(1, this.canvas.clientWidth), least = count > 24 ? 100 : 150;
    const columns = Math.max(1, Math.min(count, Math.floor(width / least)));
    const rows = Math.ceil(count / columns), w = width / Math.ceil(count / rows);
    const h = Math.min(rows === 1 ? 320 : rows === 2 ? 240 : 170, 1.7 * w);
    this.canvas.style.height = `${Math.round(rows * h)}px`;
    const columnsUsed = Math.ceil(count / rows);
    this.cells = Array.from({ length: count }, (_, k) => ({ x: (k % columnsUsed) * w, y: Math.floor(k / columnsUsed) * h, w, h }));
  }

  focal() { const cell = this.cells[0]; return cell ? 1.75 * Math.min(1.3 * cell.w, cell.h) : 1; }

  /* figures: [{joints, ghost (joints or null), faint, name, chosen}], middle: the height looked at */
  drawTakes(figures, middle) {
    this.layout(figures.length);
    /* Without highlights where figures are small and many. */
    this.plain = figures.length > 24;
    const { context, width, height } = fitCanvas(this.canvas);
    context.fillStyle = cssColour("--scene");
    context.fillRect(0, 0, width, height);
    figures.forEach((figure, k) => this.drawCell(context, figure, this.cells[k], middle));
  }

  drawCell(context, figure, cell, middle) {
    const { back, forward, right, up } = this.axes();
    const root = figure.joints[0];
    const target = [root[0] + this.offset[0], root[1] + this.offset[1], middle + this.offset[2]];
    const eye = target.map((v, i) => v + back[i] * this.distance), f = this.focal();
    this.project = (p) => {
      const d = sub(p, eye), z = dot(d, forward);
      return [cell.x + cell.w / 2 + (f * dot(d, right)) / z, cell.y + (cell.h - 14) / 2 - (f * dot(d, up)) / z, z];
    };
    this.f = f;
    context.save();
    context.beginPath(); context.rect(cell.x, cell.y, cell.w, cell.h); context.clip();
    this.tiles(context, root);
    const people = [{ joints: figure.joints, faint: figure.faint }];
    if (figure.ghost) {
      /* On the same root over the ground: what differs is the movement. */
      const shift = [root[0] - figure.ghost[0][0], root[1] - figure.ghost[0][1], 0];
      people.unshift({ joints: figure.ghost.map((p) => p.map((v, i) => v + shift[i])), faint: true });
    }
    this.drawShadow(context, people[people.length - 1]);
    for (const person of people) {
      const bones = this.bonesOf(person).sort((a, b) => b.depth - a.depth);
      for (const bone of bones) this.drawBone(context, bone);
    }
    context.globalAlpha = 1;
    context.font = `${figure.chosen ? "600 " : ""}12px system-ui, sans-serif`;
    context.textAlign = "center";
    context.fillStyle = cssColour(figure.chosen ? "--chosen" : "--soft");
    context.fillText(figure.name, cell.x + cell.w / 2, cell.y + cell.h - 6, cell.w - 8);
    if (figure.chosen) {
      context.strokeStyle = cssColour("--chosen");
      context.lineWidth = 2;
      context.strokeRect(cell.x + 2, cell.y + 2, cell.w - 4, cell.h - 4);
    }
    context.restore();
  }

  /* Tiles of 1 m under the figure; they stand still in the world. */
  tiles(context, root) {
    const cx = Math.round(root[0]), cy = Math.round(root[1]);
    context.strokeStyle = cssColour("--grid");
    context.lineWidth = 1;
    context.globalAlpha = 0.7;
    context.beginPath();
    for (let i = -1.5; i <= 1.5; i++) {
      this.line(context, [cx + i, cy - 1.5, 0], [cx + i, cy + 1.5, 0]);
      this.line(context, [cx - 1.5, cy + i, 0], [cx + 1.5, cy + i, 0]);
    }
    context.stroke();
    context.globalAlpha = 1;
  }
}

/* Phase over each take's own time: the cursor is where each take is at the current phase. */
class WarpPlot extends Plot {
  at(percent) {
    if (!this.still) return;
    const context = this.canvas.getContext("2d");
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.drawImage(this.still, 0, 0);
    context.restore();
    context.strokeStyle = cssColour("--soft");
    context.lineWidth = 1;
    const y = this.y(percent);
    context.beginPath(); context.moveTo(this.left, y); context.lineTo(this.canvas.clientWidth - 4, y); context.stroke();
    for (const { values, colour, alpha = 1 } of this.series) {
      const k = values.findIndex((v) => v !== null && v >= percent);
      if (k < 0 || values[0] > percent) continue;
      const before = k > 0 ? values[k - 1] : values[k], share = values[k] > before ? (percent - before) / (values[k] - before) : 0;
      const t = k > 0 ? this.time[k - 1] + share * (this.time[k] - this.time[k - 1]) : this.time[0];
      context.globalAlpha = Math.min(1, alpha + 0.3);
      context.fillStyle = cssColour(colour);
      context.beginPath(); context.arc(this.x(t), y, 3, 0, 7); context.fill();
    }
    context.globalAlpha = 1;
  }
}

(() => {
  const byId = (id) => document.getElementById(id);
  if (!byId("group-data")) return;
  const data = JSON.parse(byId("group-data").textContent), page = JSON.parse(byId("data").textContent);
  const count = data.names.length, points = data.percent.length, last = points - 1;
  const JOINTS = page.joints.length;
  const HEAT_ROWS = ["head", "neck", "spine3", "left_shoulder", "left_elbow", "left_wrist", "left_hand", "right_shoulder",
    "right_elbow", "right_wrist", "right_hand", "left_hip", "left_knee", "left_ankle", "left_foot", "right_hip", "right_knee",
    "right_ankle", "right_foot"].map((name) => page.joints.indexOf(name));
  const HEAT_LEFT = 96, HEAT_ROW = 15;
  const state = { point: 0, chosen: null, playing: false };
  let plots = [], warp = null, pending = false;
  const chips = new Set(["hip flexion", "knee flexion", "elbow flexion", "shoulder elevation"]);
  const flags = { spans: [], observed: data.percent.map(() => true) };

  const jointsAt = (flat, i) => Array.from({ length: JOINTS }, (_, k) => [0, 1, 2].map((a) => flat[(i * JOINTS + k) * 3 + a] / 1000));
  const everyone = [data.canonical_mm, ...data.joints_mm];
  /* The height looked at: the middle between the ground and the highest joint of all. */
  const highest = everyone.reduce((v, flat) => { for (let i = 2; i < flat.length; i += 3) v = Math.max(v, flat[i]); return v; }, 0) / 1000;
  const view = new TakesView(byId("row"), page.parents, page.joints, schedule, (cell) => choose(cell === 0 || cell - 1 === state.chosen ? null : cell - 1));
  /* Seen from a little to the side of ahead: left hip minus right hip, turned clockwise, is ahead. */
  const [, left, right] = jointsAt(data.canonical_mm, 0);
  view.azimuth = Math.atan2(-(left[0] - right[0]), left[1] - right[1]) - 0.6;
  view.elevation = 0.16;
  view.distance = Math.max(4, 2.1 * highest);

  const takeColour = (take) => (state.chosen === take ? "--chosen" : "--soft");
  const takeAlpha = (take) => (state.chosen === null ? Math.max(0.25, 0.75 - 0.02 * count) : state.chosen === take ? 1 : 0.15);

  function schedule() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; draw(); });
  }

  function draw() {
    const i = state.point, canonical = jointsAt(data.canonical_mm, i), ghost = byId("ghost").checked ? canonical : null;
    byId("phase").value = i;
    byId("phase-now").textContent = `${Math.round(data.percent[i])} %`;
    const takes = data.joints_mm.map((flat, take) => ({ joints: jointsAt(flat, i), ghost, faint: !data.covered[take][i],
      name: data.names[take] + (data.mirrored[take] ? " (mirrored)" : ""), chosen: state.chosen === take }));
    view.drawTakes([{ joints: canonical, ghost: null, faint: false, name: "canonical", chosen: false }, ...takes], highest / 2);
    for (const plot of plots) plot.cursor(i);
    warp.at(data.percent[i]);
    drawHeat();
  }

  function setPoint(point) {
    state.point = Math.max(0, Math.min(last, Math.round(point)));
    schedule();
  }

  function play(on) {
    state.playing = on;
    byId("phase-play").textContent = on ? "Pause" : "Play";
    if (!on) return;
    const from = state.point >= last ? 0 : state.point, since = performance.now();
    const step = (now) => {
      if (!state.playing) return;
      const point = from + (((now - since) / 1000) * last) / Math.max(data.duration_s, 0.2);
      setPoint(point);
      if (point >= last) play(false); else requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
  }

  function choose(take) {
    state.chosen = take;
    byId("chosen").value = take === null ? "" : String(take);
    for (const row of document.querySelectorAll("#take-table [data-row]")) row.classList.toggle("chosen", Number(row.dataset.row) === take);
    makePlots();
    makeWarp();
    schedule();
  }

  /* ---- curves over phase ---- */
  const kinds = new Map();
  for (const signal of data.signals) {
    if (!kinds.has(signal.kind)) kinds.set(signal.kind, []);
    kinds.get(signal.kind).push(signal);
  }

  const around = (mean, spread, sign) => mean.map((v, i) => (v === null || spread[i] === null ? null : v + sign * spread[i]));

  function plotOf(signal) {
    const colour = signal.side ? `--${signal.side}` : "--accent";
    const takes = signal.takes.map((values, take) => ({ values, colour: takeColour(take), width: state.chosen === take ? 2 : 1, alpha: takeAlpha(take), quiet: state.chosen !== take, label: "take" }));
    const measured = signal.measured ? [1, -1].map((sign) => ({ values: around(signal.mean, signal.measured, sign), colour: "--unseen", width: 1.2, dash: [2, 3], quiet: true })) : [];
    return new Plot(byId("signals"), {
      title: `${signal.side} ${signal.kind}`.trim(), unit: signal.unit, time: data.percent, flags, xUnit: " %", digits: signal.digits, least: signal.unit === "°" ? 10 : 0,
      onSeek: (percent) => { play(false); setPoint((percent / 100) * last); },
      areas: [{ low: around(signal.mean, signal.sd, -1), high: around(signal.mean, signal.sd, 1), colour }],
      series: [...takes, ...measured,
        { values: signal.canonical, colour: "--ink", width: 1.2, dash: [6, 4], quiet: true },
        { values: signal.mean, colour, width: 2.4, label: "mean", spread: signal.sd }],
    });
  }

  function makePlots() {
    byId("signals").replaceChildren();
    plots = [...kinds].filter(([kind]) => chips.has(kind)).flatMap(([, signals]) => signals.map(plotOf));
    for (const plot of plots) plot.render();
  }

  function makeWarp() {
    byId("warp").replaceChildren();
    const series = data.warp.takes.map((values, take) => ({ values, colour: takeColour(take), width: state.chosen === take ? 2.4 : 1.4, alpha: takeAlpha(take) }));
    series.push({ values: data.warp.canonical, colour: "--ink", dash: [6, 4], width: 1.4 });
    warp = new WarpPlot(byId("warp"), { title: "phase, %", unit: "", series, time: data.warp.time, flags: { spans: [], observed: [] }, floor: 0,
      onSeek: (time) => {
        const k = data.warp.time.findIndex((t) => t >= time), of = state.chosen === null ? data.warp.canonical : data.warp.takes[state.chosen];
        play(false);
        if (k >= 0) setPoint(((of[k] === null ? 100 : of[k]) / 100) * last);
      } });
    warp.render();
  }

  for (const kind of kinds.keys()) {
    const chip = document.createElement("button");
    chip.type = "button";
    chip.textContent = kind;
    chip.setAttribute("aria-pressed", String(chips.has(kind)));
    chip.addEventListener("click", () => {
      if (chips.has(kind)) chips.delete(kind); else chips.add(kind);
      chip.setAttribute("aria-pressed", String(chips.has(kind)));
      makePlots();
      schedule();
    });
    byId("signal-chips").append(chip);
  }

  /* ---- joints over phase ---- */
  function drawHeat() {
    const canvas = byId("heat"), of = state.chosen === null ? data.spread_mm : data.difference_mm[state.chosen];
    canvas.style.height = `${HEAT_ROWS.length * HEAT_ROW + 18}px`;
    const { context, width, height } = fitCanvas(canvas);
    const w = (width - HEAT_LEFT) / points;
    const most = HEAT_ROWS.reduce((v, j) => { for (let i = 0; i < points; i++) v = Math.max(v, of[i * JOINTS + j] || 0); return v; }, 1);
    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    HEAT_ROWS.forEach((joint, row) => {
      context.textAlign = "right";
      context.fillStyle = cssColour("--soft");
      context.globalAlpha = 1;
      context.fillText(page.joints[joint].replace("_", " "), HEAT_LEFT - 6, row * HEAT_ROW + 11);
      const colours = [cssColour("--soft"), cssColour(state.chosen === null ? "--accent" : "--chosen")];
      for (let i = 0; i < points; i++) {
        const v = of[i * JOINTS + joint];
        if (v === null) continue;
        const clear = state.chosen !== null || !data.clear || data.clear[i * JOINTS + joint];
        context.fillStyle = colours[clear ? 1 : 0];
        context.globalAlpha = v / most;
        const x = Math.round(HEAT_LEFT + i * w);
        context.fillRect(x, row * HEAT_ROW, Math.round(HEAT_LEFT + (i + 1) * w) - x, HEAT_ROW - 1);
      }
    });
    context.globalAlpha = 1;
    context.textAlign = "center";
    context.fillStyle = cssColour("--soft");
    for (const percent of [0, 25, 50, 75, 100]) context.fillText(`${percent}${percent ? "" : " %"}`, HEAT_LEFT + Math.min(width - HEAT_LEFT - 10, Math.max(8, (percent / 100) * (width - HEAT_LEFT))), height - 4);
    const x = HEAT_LEFT + (state.point + 0.5) * w;
    context.strokeStyle = cssColour("--ink");
    context.beginPath(); context.moveTo(x, 0); context.lineTo(x, height - 18); context.stroke();
    byId("heat-title").textContent = state.chosen === null ? "Where the takes differ" : `Where ${data.names[state.chosen]} differs from the others`;
    byId("heat-key").textContent = `${state.chosen === null ? "Spread over takes" : "Distance from the mean of the others"} of each joint relative to the root; darkest: ${Math.round(most)} mm.`;
    if (byId("heat-grey")) byId("heat-grey").hidden = state.chosen !== null;
  }

  const seekHeat = (event) => {
    const box = byId("heat").getBoundingClientRect();
    play(false);
    setPoint(((event.clientX - box.left - HEAT_LEFT) / (box.width - HEAT_LEFT)) * points - 0.5);
  };
  byId("heat").addEventListener("pointerdown", (event) => { byId("heat").setPointerCapture(event.pointerId); seekHeat(event); });
  byId("heat").addEventListener("pointermove", (event) => { if (event.buttons & 1) seekHeat(event); });

  /* ---- controls ---- */
  byId("phase").max = last;
  byId("phase").addEventListener("input", (event) => { play(false); setPoint(Number(event.target.value)); });
  byId("phase-play").addEventListener("click", () => play(!state.playing));
  byId("ghost").addEventListener("change", schedule);
  byId("chosen").addEventListener("change", (event) => choose(event.target.value === "" ? null : Number(event.target.value)));
  byId("take-table").addEventListener("click", (event) => {
    const take = Number(event.target.closest("[data-row]")?.dataset.row), at = event.target.closest("[data-phase]");
    if (at) { play(false); choose(take); setPoint((Number(at.dataset.phase) / 100) * last); }
    else if (event.target.closest(".pick")) choose(take === state.chosen ? null : take);
  });
  const relayout = () => { for (const plot of plots) plot.render(); warp.render(); schedule(); };
  window.addEventListener("resize", relayout);
  window.addEventListener("beforeprint", relayout);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", relayout);
  choose(null);
})();

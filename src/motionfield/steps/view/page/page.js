/* The page: one current take and one current frame; everything is drawn from these two. */

(() => {
  const byId = (id) => document.getElementById(id);
  const data = JSON.parse(byId("data").textContent);
  const takes = data.takes;
  const START_ANGLES = ["hip flexion", "knee flexion", "elbow flexion", "shoulder elevation"];
  const state = { take: 0, index: 0, playing: false };
  const LONG_S = 25;
  let plots = [], strips = [], page = null, pending = false, chosen = new Set(START_ANGLES);

  for (const take of takes) {
    const n = take.time.length, j = take.joints_mm;
    take.joints = (i) => Array.from({ length: 24 }, (_, k) => [0, 1, 2].map((a) => j[(i * 24 + k) * 3 + a] / 1000));
    const place = (i) => [j[i * 72] / 1000, j[i * 72 + 1] / 1000];
    take.place = place;
    /* Paths are drawn with every frame: some 800 points are enough. */
    const step = Math.ceil(n / 800), count = Math.ceil(n / step);
    take.path = Array.from({ length: count }, (_, k) => place(Math.min(n - 1, k * step)));
    take.pathSeen = Array.from({ length: count }, (_, k) => take.observed.slice(k * step, (k + 1) * step).every(Boolean));
    take.angleGroups = groupAngles(take.angles);
  }

  const css = (c) => `rgb(${c.join(",")})`;
  const current = () => takes[state.take];
  const people = () => {
    const clip = current().clip;
    const together = takes.filter((t) => t.clip === clip);
    return together.map((t, k) => {
      const i = Math.min(state.index, t.time.length - 1);
      const spread = t.std_mm && byId("spread").checked ? Array.from({ length: 24 }, (_, q) => t.std_mm[i * 24 + q] / 1000) : null;
      return { joints: t.joints(i), faint: t !== current(), unseen: !t.observed[i], path: t.path, observed: t.pathSeen,
        now: t.place(i), colour: css(data.colours[k % data.colours.length]), spread };
    });
  };
  const camera = () => {
    const c = current().camera, many = c.place_mm.length > 3;
    const i = many ? state.index : 0;
    return { place: c.place_mm.slice(3 * i, 3 * i + 3).map((v) => v / 1000), axes: c.axes.slice(9 * i, 9 * i + 9), half: c.half_view };
  };

  function groupAngles(angles) {
    const groups = new Map();
    for (const name of Object.keys(angles)) {
      const side = name.startsWith("left_") ? "left" : name.startsWith("right_") ? "right" : "";
      const plain = name.slice(side ? side.length + 1 : 0).replaceAll("_", " ");
      if (!groups.has(plain)) groups.set(plain, {});
      groups.get(plain)[side || "middle"] = name;
    }
    return groups;
  }

  const scene = new Scene(byId("scene"), data.parents, data.joints, schedule);

  function schedule() {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => { pending = false; drawFrame(); });
  }

  function drawFrame() {
    const take = current(), i = state.index, t = take.time[i];
    byId("time").value = i;
    byId("clock-time").textContent = `${t.toFixed(2)} s`;
    byId("clock-frame").textContent = ` · frame ${take.frame_index[i]}`;
    const everyone = people();
    scene.draw(everyone, camera());
    drawTop(byId("path"), everyone);
    turnPage();
    for (const plot of [...plots, ...strips]) plot.cursor(i);
    for (const button of document.querySelectorAll(`[data-take="${state.take}"] .span`)) {
      const [start, end] = take.spans[[...button.closest("ol").children].indexOf(button.parentElement)];
      button.classList.toggle("now", t >= start - 1e-6 && t <= end + 1e-6);
    }
  }

  /* ---- video ---- */
  const boxes = [...document.querySelectorAll(".clip-video")];
  const video = () => boxes[current().clip].querySelector("video");
  function load(box) {
    const text = box.querySelector("script.mp4");
    const player = box.querySelector("video");
    if (!text || player.src) return;
    const raw = atob(text.textContent);
    const bytes = new Uint8Array(raw.length);
    for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
    player.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
    text.remove();
  }
  const ready = (player) => player && player.readyState >= 1 && Number.isFinite(player.duration) && player.duration > 0;
  const rate = (player) => current().frames / player.duration;
  const indexOfVideo = (player) => Math.floor(player.currentTime * rate(player) + 1e-3) / current().stride;

  function setIndex(index, moveVideo = true) {
    state.index = Math.max(0, Math.min(current().time.length - 1, Math.floor(index)));
    const player = video();
    if (moveVideo && ready(player)) player.currentTime = (state.index * current().stride + 0.5) / rate(player);
    schedule();
  }

  /* To the nearest frame, or to the first one that is not before the time. */
  function seek(time, nearest = true) {
    const times = current().time;
    let low = 0, high = times.length - 1;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (times[mid] < time - 1e-4) low = mid + 1; else high = mid;
    }
    if (nearest && low > 0 && time - times[low - 1] < times[low] - time) low--;
    setIndex(low);
  }

  function play(on) {
    const stopped = state.playing && !on;
    state.playing = on;
    byId("play").textContent = on ? "Pause" : "Play";
    byId("play").setAttribute("aria-label", on ? "Pause" : "Play");
    const player = video();
    const last = current().time.length - 1;
    if (on && state.index >= last) setIndex(0);
    if (ready(player)) {
      player.playbackRate = Number(byId("speed").value);
      if (on) player.play().catch(() => play(false));
      else { player.pause(); if (stopped && !player.ended) setIndex(indexOfVideo(player), false); }
    }
    if (on) run(performance.now(), current().time[state.index]);
  }

  /* The clock is the video's where there is one, else our own in capture time. */
  function run(since, from) {
    requestAnimationFrame((now) => {
      if (!state.playing) return;
      const player = video(), times = current().time;
      if (ready(player)) {
        setIndex(indexOfVideo(player), false);
        if (player.ended) { setIndex(times.length - 1, false); play(false); return; }
        run(since, from);
        return;
      }
      const time = from + ((now - since) / 1000) * Number(byId("speed").value);
      let i = state.index;
      while (i + 1 < times.length && times[i + 1] <= time) i++;
      setIndex(i);
      if (i === times.length - 1) play(false); else run(since, from);
    });
  }

  /* ---- plots ---- */
  /* Plots of a part of the take show the page of time that holds the current frame. */
  function turnPage(always = false) {
    const span = Number(byId("window").value), time = current().time;
    const number = span ? Math.floor((time[state.index] - time[0]) / span + 1e-6) : 0;
    if (!always && page === `${span} ${number}`) return;
    page = `${span} ${number}`;
    for (const plot of [...plots, ...strips]) {
      if (span) plot.show(time[0] + number * span, time[0] + (number + 1) * span); else plot.show(time[0], Infinity);
      plot.render();
    }
  }

  function makePlots() {
    const take = current(), flags = { spans: take.spans, observed: take.observed };
    const common = { time: take.time, flags, onSeek: seek };
    byId("angles").replaceChildren();
    plots = [];
    for (const [plain, sides] of take.angleGroups) {
      if (!chosen.has(plain)) continue;
      const series = [];
      if (sides.middle) series.push({ values: take.angles[sides.middle], colour: "--accent", label: "" });
      if (sides.left) series.push({ values: take.angles[sides.left], colour: "--left", label: "left" });
      if (sides.right) series.push({ values: take.angles[sides.right], colour: "--right", label: "right" });
      const plot = new Plot(byId("angles"), { ...common, title: plain, unit: "°", series, least: 10 });
      plot.name.title = data.angles[sides.middle || sides.left] || "";
      plots.push(plot);
    }
    byId("strips").replaceChildren();
    const q = take.quality, one = (values, colour = "--accent") => [{ values, colour, label: "" }];
    const list = [
      ["Reprojection error", "px", one(q.reprojection_px)],
      ["Foot slide in contact (stripes)", "mm per 1/30 s", [{ values: q.slide_left_mm, colour: "--left", label: "left" }, { values: q.slide_right_mm, colour: "--right", label: "right" }],
        [{ values: q.contact_left, colour: "--left" }, { values: q.contact_right, colour: "--right" }]],
      ["Floor penetration", "mm", one(q.penetration_mm)],
      ["Jitter", "m/s³", one(q.jitter_m_s3)],
    ];
    if (take.doubt_mm) list.push(["Uncertainty of joints (mean)", "mm", one(take.doubt_mm)]);
    if (take.rest_percent) {
      const [left, right] = take.rest_percent;
      list.push(["Foot rests, as the motion has it", "%", [{ values: left, colour: "--left", label: "left" }, { values: right, colour: "--right", label: "right" }]]);
    }
    strips = list.map(([title, unit, series, bands]) => new Plot(byId("strips"), { ...common, title, unit, series, bands, floor: 0 }));
    turnPage(true);
  }

  function makeChips() {
    byId("chips").replaceChildren();
    for (const plain of current().angleGroups.keys()) {
      const chip = document.createElement("button");
      chip.type = "button";
      chip.textContent = plain;
      chip.setAttribute("aria-pressed", String(chosen.has(plain)));
      chip.addEventListener("click", () => {
        if (chosen.has(plain)) chosen.delete(plain); else chosen.add(plain);
        chip.setAttribute("aria-pressed", String(chosen.has(plain)));
        makePlots();
        schedule();
      });
      byId("chips").append(chip);
    }
  }

  function relayout() {
    drawMarks(byId("marks"), current());
    for (const plot of [...plots, ...strips]) plot.render();
    schedule();
  }

  function showTake(index) {
    const keep = current().time[state.index];
    const sameClip = current().clip === takes[index].clip;
    play(false);
    state.take = index;
    const take = current();
    for (const part of document.querySelectorAll("[data-take]")) part.hidden = Number(part.dataset.take) !== index;
    for (const part of document.querySelectorAll("[data-clip]")) part.hidden = Number(part.dataset.clip) !== take.clip;
    const box = boxes[take.clip];
    load(box);
    document.querySelector(".stage").classList.toggle("alone", !box.querySelector("video"));
    const others = byId("others-key");
    if (others) others.hidden = takes.filter((t) => t.clip === take.clip).length < 2;
    byId("spread-label").hidden = !take.std_mm;
    byId("time").max = take.time.length - 1;
    byId("window").value = take.time[take.time.length - 1] - take.time[0] > LONG_S ? "20" : "0";
    makeChips();
    makePlots();
    if (sameClip) seek(keep); else { scene.placed = false; setIndex(0); }
    relayout();
  }

  /* ---- controls ---- */
  function look(from) {
    const axes = camera().axes;
    const back = [-axes[6], -axes[7]];
    const filmed = Math.atan2(back[1], back[0]);
    const [hip, other] = [current().joints(state.index)[1], current().joints(state.index)[2]];
    /* Left hip minus right hip, turned clockwise seen from above, is where the person faces. */
    const facing = Math.atan2(-(hip[0] - other[0]), hip[1] - other[1]);
    scene.elevation = from === "top" ? 1.5 : 0.22;
    scene.azimuth = { camera: filmed, front: facing, side: facing - Math.PI / 2, top: filmed }[from];
    scene.offset = [0, 0, 0];
    schedule();
  }

  byId("time").addEventListener("input", (event) => { if (state.playing) play(false); setIndex(Number(event.target.value)); });
  byId("play").addEventListener("click", () => play(!state.playing));
  byId("back").addEventListener("click", () => { play(false); setIndex(state.index - 1); });
  byId("forth").addEventListener("click", () => { play(false); setIndex(state.index + 1); });
  byId("speed").addEventListener("change", () => { if (state.playing) play(true); });
  byId("window").addEventListener("change", schedule);
  byId("follow").addEventListener("change", (event) => { scene.follow = event.target.checked; schedule(); });
  byId("spread").addEventListener("change", schedule);
  if (byId("take")) byId("take").addEventListener("change", (event) => showTake(Number(event.target.value)));
  for (const button of document.querySelectorAll("[data-look]")) button.addEventListener("click", () => look(button.dataset.look));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-seek]");
    if (button) { play(false); seek(Number(button.dataset.seek), !button.classList.contains("span")); }
  });
  for (const box of boxes) {
    const player = box.querySelector("video");
    if (!player) continue;
    player.addEventListener("click", () => play(!state.playing));
    player.addEventListener("loadedmetadata", () => { if (player === video()) setIndex(state.index); });
  }
  document.addEventListener("keydown", (event) => {
    if (["INPUT", "SELECT", "BUTTON", "TEXTAREA"].includes(event.target.tagName)) return;
    if (event.key === " ") { event.preventDefault(); play(!state.playing); }
    if (event.key === "ArrowLeft") { play(false); setIndex(state.index - (event.shiftKey ? 10 : 1)); }
    if (event.key === "ArrowRight") { play(false); setIndex(state.index + (event.shiftKey ? 10 : 1)); }
  });
  window.addEventListener("resize", relayout);
  window.addEventListener("beforeprint", relayout);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", relayout);

  showTake(0);
  look("camera");
  scene.azimuth += 0.55;
  document.documentElement.dataset.ready = "yes";
})();

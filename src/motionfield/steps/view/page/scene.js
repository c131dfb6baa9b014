"use strict";
/* The turnable skeleton: a small projection of our own on a plain canvas. World: Z up, metres. */

const RADII = [0, .088, .088, .115, .07, .07, .118, .05, .05, .122, .036, .036, .06, .062, .062, .05,
  .06, .06, .046, .046, .037, .037, .03, .03];
const HEAD_RADIUS = 0.105;

const sub = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const unit = (a) => { const n = Math.hypot(...a) || 1; return a.map((v) => v / n); };
const along = (a, b, s) => a.map((v, i) => v + s * (b[i] - v));

/* Asked for thousands of times a picture: looked up once, and again when the scheme changes. */
const knownColours = new Map();
window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => knownColours.clear());
function cssColour(name) {
  if (!knownColours.has(name)) knownColours.set(name, getComputedStyle(document.documentElement).getPropertyValue(name).trim());
  return knownColours.get(name);
}

/* A canvas whose pixels are the screen's; returns its size in CSS pixels. */
function fitCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, canvas.clientWidth), height = Math.max(1, canvas.clientHeight);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

class Scene {
  constructor(canvas, parents, jointNames, onChange) {
    this.canvas = canvas;
    this.parents = parents;
    this.sides = jointNames.map((n) => (n.startsWith("left_") ? "--left" : n.startsWith("right_") ? "--right" : "--middle"));
    this.head = jointNames.indexOf("head");
    this.onChange = onChange;
    this.azimuth = -0.9; this.elevation = 0.28; this.distance = 4.2;
    this.target = [0, 0, 0.9];
    this.offset = [0, 0, 0];
    this.follow = true;
    this.listen();
  }

  listen() {
    const pointers = new Map();
    let pinch = 0;
    this.canvas.addEventListener("pointerdown", (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    this.canvas.addEventListener("pointermove", (event) => {
      const last = pointers.get(event.pointerId);
      if (!last) return;
      const dx = event.clientX - last[0], dy = event.clientY - last[1];
      pointers.set(event.pointerId, [event.clientX, event.clientY]);
      if (pointers.size === 2) {
        const [a, b] = [...pointers.values()];
        const apart = Math.hypot(a[0] - b[0], a[1] - b[1]);
        if (pinch) this.zoom(pinch / apart);
        pinch = apart;
        this.pan(dx / 2, dy / 2);
      } else if (event.shiftKey || event.buttons & 6) this.pan(dx, dy);
      else this.turn(-dx * 0.008, dy * 0.008);
      this.onChange();
    });
    const release = (event) => { pointers.delete(event.pointerId); pinch = 0; };
    this.canvas.addEventListener("pointerup", release);
    this.canvas.addEventListener("pointercancel", release);
    this.canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    this.canvas.addEventListener("wheel", (event) => {
      if (this.wheelNeedsCtrl && !event.ctrlKey) return;
      event.preventDefault();
      this.zoom(Math.exp(Math.max(-60, Math.min(60, event.deltaY)) * 0.003));
      this.onChange();
    }, { passive: false });
    this.canvas.addEventListener("dblclick", () => { this.offset = [0, 0, 0]; this.distance = 4.2; this.onChange(); });
  }

  turn(about, up) {
    this.azimuth += about;
    this.elevation = Math.max(-0.2, Math.min(1.5, this.elevation + up));
  }

  zoom(factor) { this.distance = Math.max(0.6, Math.min(80, this.distance * factor)); }

  pan(dx, dy) {
    const { right, up } = this.axes();
    const scale = this.distance / this.focal();
    this.offset = this.offset.map((v, i) => v - right[i] * dx * scale + up[i] * dy * scale);
  }

  focal() { return 1.35 * Math.min(this.canvas.clientWidth, this.canvas.clientHeight); }

  axes() {
    const ce = Math.cos(this.elevation), se = Math.sin(this.elevation);
    const back = [ce * Math.cos(this.azimuth), ce * Math.sin(this.azimuth), se];
    const forward = back.map((v) => -v);
    const right = [-Math.sin(this.azimuth), Math.cos(this.azimuth), 0];
    return { back, forward, right, up: cross(right, forward) };
  }

  /* people: [{joints: [[x,y,z]…], faint, unseen, spread?, path: [[x,y]…], colour}], camera: {place, axes, half} */
  draw(people, camera) {
    const { context, width, height } = fitCanvas(this.canvas);
    const main = people.find((p) => !p.faint) || people[0];
    const root = main.joints[0];
    if (this.follow || !this.placed) {
      /* The height is followed only beyond a jump's: who stands on a roof stays in view. */
      const above = root[2] - 0.9;
      const height = 0.9 + Math.sign(above) * Math.max(0, Math.abs(above) - 0.6);
      this.target = [root[0], root[1], height];
      this.placed = true;
    }
    const { back, forward, right, up } = this.axes();
    const middle = this.target.map((v, i) => v + this.offset[i]);
    const eye = middle.map((v, i) => v + back[i] * this.distance);
    const f = this.focal();
    this.project = (p) => {
      const d = sub(p, eye), z = dot(d, forward);
      return [width / 2 + (f * dot(d, right)) / z, height / 2 - (f * dot(d, up)) / z, z];
    };
    this.f = f;
    context.fillStyle = cssColour("--scene");
    context.fillRect(0, 0, width, height);
    this.drawGround(context, middle);
    for (const person of people) this.drawPath(context, person);
    if (camera) this.drawCamera(context, camera);
    for (const person of people) this.drawShadow(context, person);
    const bones = people.flatMap((person) => this.bonesOf(person));
    bones.sort((a, b) => b.depth - a.depth);
    for (const bone of bones) this.drawBone(context, bone);
    if (main.spread) this.drawSpread(context, main);
    context.globalAlpha = 1;
  }

  line(context, a, b) {
    let p = this.project(a), q = this.project(b);
    const near = 0.08;
    if (p[2] < near && q[2] < near) return;
    if (p[2] < near || q[2] < near) {
      const s = (near - p[2]) / (q[2] - p[2]);
      const cut = this.project(along(a, b, p[2] < near ? s + 1e-4 : s - 1e-4));
      if (p[2] < near) p = cut; else q = cut;
    }
    context.moveTo(p[0], p[1]);
    context.lineTo(q[0], q[1]);
  }

  drawGround(context, middle) {
    const reach = Math.min(40, Math.max(5, Math.round(this.distance * 1.6)));
    const step = reach > 20 ? 5 : 1;
    const cx = Math.round(middle[0] / step) * step, cy = Math.round(middle[1] / step) * step;
    context.strokeStyle = cssColour("--grid");
    const rings = 5;
    for (let ring = 0; ring < rings; ring++) {
      context.globalAlpha = 1 - ring / rings;
      context.lineWidth = 1;
      context.beginPath();
      for (let i = -reach; i <= reach; i += step) {
        for (let j = -reach; j < reach; j += step) {
          const away = Math.hypot(i, j + step / 2) / reach;
          if (Math.min(rings, Math.floor(away * rings)) !== ring) continue;
          this.line(context, [cx + i, cy + j, 0], [cx + i, cy + j + step, 0]);
          this.line(context, [cx + j, cy + i, 0], [cx + j + step, cy + i, 0]);
        }
      }
      context.stroke();
    }
    context.globalAlpha = 1;
    this.drawAxes(context);
  }

  drawAxes(context) {
    context.lineWidth = 2;
    context.font = "11px system-ui, sans-serif";
    const names = [["x", [0.5, 0, 0], "--unseen"], ["y", [0, 0.5, 0], "--good"], ["z", [0, 0, 0.5], "--left"]];
    for (const [name, end, colour] of names) {
      context.strokeStyle = context.fillStyle = cssColour(colour);
      context.beginPath();
      this.line(context, [0, 0, 0], end);
      context.stroke();
      const p = this.project(end.map((v) => v * 1.15));
      if (p[2] > 0.1) context.fillText(name, p[0] - 3, p[1] + 4);
    }
  }

  drawPath(context, person) {
    context.strokeStyle = person.colour;
    context.lineWidth = 1.5;
    context.globalAlpha = person.faint ? 0.25 : 0.7;
    context.beginPath();
    for (let i = 1; i < person.path.length; i++) {
      this.line(context, [...person.path[i - 1], 0], [...person.path[i], 0]);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  drawCamera(context, camera) {
    const size = 0.45;
    const corner = (sx, sy) => {
      const ray = [sx * camera.half[0] * size, sy * camera.half[1] * size, size];
      return camera.place.map((v, i) => v + ray[0] * camera.axes[i] + ray[1] * camera.axes[3 + i] + ray[2] * camera.axes[6 + i]);
    };
    const corners = [corner(-1, -1), corner(1, -1), corner(1, 1), corner(-1, 1)];
    context.strokeStyle = cssColour("--soft");
    context.lineWidth = 1.2;
    context.beginPath();
    corners.forEach((c, i) => { this.line(context, camera.place, c); this.line(context, c, corners[(i + 1) % 4]); });
    context.stroke();
  }

  drawShadow(context, person) {
    context.strokeStyle = "#000";
    context.lineCap = "round";
    context.globalAlpha = person.faint ? 0.03 : 0.08;
    const j = person.joints.map((p) => [p[0] + 0.12 * p[2], p[1] - 0.08 * p[2], 0]);
    this.parents.forEach((parent, child) => {
      if (parent < 0) return;
      const depth = this.project(j[child])[2];
      if (depth < 0.1) return;
      context.lineWidth = Math.max(1, (1.7 * RADII[child] * this.f) / depth);
      context.beginPath();
      this.line(context, j[parent], j[child]);
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  bonesOf(person) {
    const colours = this.sides.map((side) => cssColour(person.unseen ? "--unseen" : side));
    const bones = [];
    this.parents.forEach((parent, child) => {
      if (parent < 0) return;
      const a = this.project(person.joints[parent]), b = this.project(person.joints[child]);
      if (a[2] < 0.1 || b[2] < 0.1) return;
      const depth = (a[2] + b[2]) / 2;
      bones.push({ a, b, depth, width: (2 * RADII[child] * this.f) / depth, colour: colours[child], faint: person.faint });
    });
    const neck = person.joints[this.parents[this.head]], skull = person.joints[this.head];
    const up = unit(sub(skull, neck));
    const c = this.project(skull.map((v, i) => v + 0.075 * up[i]));
    if (c[2] > 0.1) bones.push({ a: c, b: c, depth: c[2], width: (2 * HEAD_RADIUS * this.f) / c[2], colour: colours[this.head], faint: person.faint });
    return bones;
  }

  drawBone(context, { a, b, width, colour, faint }) {
    context.lineCap = "round";
    context.globalAlpha = faint ? 0.22 : 1;
    const stroke = (style, w, shift = 0) => {
      context.strokeStyle = style;
      context.lineWidth = w;
      context.beginPath();
      context.moveTo(a[0] - shift, a[1] - shift);
      context.lineTo(b[0] - shift + 0.01, b[1] - shift);
      context.stroke();
    };
    if (!faint) stroke(cssColour("--body-edge"), width + 2);
    stroke(colour, width);
    if (faint || this.plain) return;
    context.globalAlpha = 0.16;
    stroke("#fff", width * 0.66, width * 0.1);
    context.globalAlpha = 0.2;
    stroke("#fff", width * 0.3, width * 0.17);
    context.globalAlpha = 1;
  }

  drawSpread(context, person) {
    context.strokeStyle = cssColour("--ink");
    context.lineWidth = 1;
    person.joints.forEach((joint, i) => {
      const p = this.project(joint);
      if (p[2] < 0.1) return;
      context.beginPath();
      context.arc(p[0], p[1], Math.max(1, (person.spread[i] * this.f) / p[2]), 0, 7);
      context.stroke();
    });
  }
}

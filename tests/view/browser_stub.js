// Just enough of a browser for the viewer's script: elements, a canvas pen and a WebGL 2 that counts its draws.
"use strict";
const fs = require("fs");
const text = fs.readFileSync(process.argv[2], "utf8");
const scripts = [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map(found => found[1]);
let drawn = 0;
const gl = new Proxy({}, {
  get: (_, name) => {
    if (name === "getShaderParameter") return () => true;
    if (name === "drawElements") return () => { drawn++; };
    return /^[A-Z0-9_]+$/.test(name) ? 1 : () => ({});
  },
});
const pen = new Proxy({}, { get: () => () => ({ width: 20 }), set: () => true });
const elements = new Map();
function element(id) {
  const made = {
    id, clientWidth: 800, clientHeight: 600, style: {}, children: [], textContent: "", value: "0", hidden: false,
    append(child) { this.children.push(child); }, replaceChildren() { this.children = []; },
    addEventListener() {}, setPointerCapture() {}, getBoundingClientRect: () => ({ left: 0, top: 0 }),
    getContext: kind => (kind === "webgl2" ? gl : pen),
  };
  if (id === "data") made.textContent = scripts[0];
  return made;
}
global.document = {
  getElementById: id => { if (!elements.has(id)) elements.set(id, element(id)); return elements.get(id); },
  createElement: () => element("made"),
};
global.window = { devicePixelRatio: 1, addEventListener() {} };
global.Option = function Option() {};
global.requestAnimationFrame = paint => setImmediate(paint);
new Function(scripts[1])();
setImmediate(() => {
  const get = id => document.getElementById(id), stage = get("stage"), told = {};
  if (!get("timing").hidden) { get("time").value = String(get("time").max / 2); get("time").oninput(); }
  stage.onpointermove({ clientX: 400, clientY: 300 });
  told.middle = get("readout").textContent;
  stage.onpointermove({ clientX: 2, clientY: 2 });
  told.outside = get("readout").textContent;
  stage.onpointerdown({ clientX: 400, clientY: 300, pointerId: 1 });
  stage.onpointermove({ clientX: 420, clientY: 290 });
  stage.onpointerup({});
  get("lift").onchange({ target: { checked: true } });
  get("reset").onclick();
  told.clock = get("clock").textContent;
  told.marks = get("bar").children.length;
  setImmediate(() => { told.drawn = drawn; console.log(JSON.stringify(told)); });
});

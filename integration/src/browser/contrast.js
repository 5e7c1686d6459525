// The texts with less contrast than WCAG 2.2 asks for at level AA (1.4.3): 3:1 for large ones, 4.5:1
// for all others. Controls that are disabled are exempt, and so is what cannot be seen.
//
// A text's background is what its ancestors paint, each over the next one, with their opacity. What
// another element paints there (one that is positioned over it, or a shape in an SVG) is not seen, and
// frames and shadow trees are not entered.

const pixel = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });

// A colour as [red, green, blue, alpha], each from 0 to 1. Only Chromium itself reads all of them
// (oklch, color-mix, ...): it paints one.
const parse = (css) => {
  const rgb = css.match(/^rgba?\(([\d.]+), ([\d.]+), ([\d.]+)(?:, ([\d.]+))?\)$/);
  if (rgb) return [rgb[1] / 255, rgb[2] / 255, rgb[3] / 255, Number(rgb[4] ?? 1)];
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = css;
  pixel.fillRect(0, 0, 1, 1);
  return [...pixel.getImageData(0, 0, 1, 1).data].map((byte) => byte / 255);
};
const faded = ([red, green, blue, alpha], opacity) => [red, green, blue, alpha * opacity];
const over = (top, below) => {
  const through = below[3] * (1 - top[3]);
  const alpha = top[3] + through;
  const mix = (of) => (alpha === 0 ? 0 : (top[of] * top[3] + below[of] * through) / alpha);
  return [mix(0), mix(1), mix(2), alpha];
};
const written = (colour) => `rgb(${colour.slice(0, 3).map((part) => Math.round(part * 255)).join(", ")})`;

// https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, #dfn-contrast-ratio
const luminance = (colour) => {
  const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2]);
};
const contrast = (one, other) => {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
};

// What a page without any colour is painted on: not white, if it says that it can be dark.
const sheet = () => {
  const probe = document.createElement("div");
  probe.style.backgroundColor = "Canvas";
  document.documentElement.append(probe);
  const colour = parse(getComputedStyle(probe).backgroundColor);
  probe.remove();
  return colour;
};
const bottom = sheet();

// What is painted behind a text, from the nearest: each with whose style it is.
const layers = (element, pseudo) => {
  const all = pseudo ? [{ of: element, style: getComputedStyle(element, pseudo) }] : [];
  for (let of = element; of; of = of.parentElement) all.push({ of, style: getComputedStyle(of) });
  return all.filter(({ style }) => style.display !== "contents");
};

// The problem with a text of this element, or of a pseudo-element of it, if there is one.
const problem = (text, element, pseudo = null) => {
  const style = getComputedStyle(element, pseudo);
  const isShape = element instanceof SVGElement;
  const ink = isShape ? style.fill : style.color;
  if (ink === "none") return null;
  const shown = text.trim().replace(/\s+/g, " ").slice(0, 60);
  const what = `"${shown}" in ${path(element)}${pseudo ?? ""}`;
  if (ink.startsWith("url(")) return `${what} is filled with ${ink}: its contrast is not known`;

  let front = faded(parse(ink), isShape ? style.fillOpacity : 1);
  let back = [0, 0, 0, 0];
  for (const { of, style } of layers(element, pseudo)) {
    if (style.backgroundImage !== "none" && back[3] < 1) {
      return `${what} is on a background image, of ${path(of)}: its contrast is not known`;
    }
    const paint = parse(style.backgroundColor);
    front = faded(over(front, paint), style.opacity);
    back = faded(over(back, paint), style.opacity);
  }
  front = over(front, bottom);
  back = over(back, bottom);

  const size = parseFloat(style.fontSize);
  const isLarge = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
  const needed = isLarge ? 3 : 4.5;
  const ratio = contrast(front, back);
  if (ratio >= needed) return null;
  // Rounded down: 4.499 is not 4.5.
  const has = (Math.floor(ratio * 100) / 100).toFixed(2);
  return `${what} has ${has}:1 and needs ${needed}:1: ${written(front)} on ${written(back)}`;
};

const isDisabled = (element) => {
  const control = element.closest("label")?.control ?? element;
  return control.closest(":disabled, [aria-disabled=true]") !== null;
};
// Whether something of a box can be seen: it is not left of the page or above it, and not cut down to
// a pixel, as is done with what is for screen readers alone.
const isOnPage = (box) => box.width > 1 && box.height > 1 && box.right + scrollX > 0 && box.bottom + scrollY > 0;
const isCutAway = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const box = at.getBoundingClientRect();
    const style = getComputedStyle(at);
    if (style.overflow !== "visible" && style.display !== "inline" && !(box.width > 1 && box.height > 1)) return true;
  }
  return false;
};
const counts = (element, boxes) =>
  isSeen(element) && [...boxes].some(isOnPage) && !isCutAway(element) && !isDisabled(element);

const found = [];
const texts = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const node = texts.currentNode;
  const range = document.createRange();
  range.selectNodeContents(node);
  // The text itself of what is folded has a box, though it is not shown.
  const isFolded = node.parentElement.matches("details:not([open])");
  if (node.data.trim() && !isFolded && counts(node.parentElement, range.getClientRects())) {
    found.push(problem(node.data, node.parentElement));
  }
}
// What a control shows is no text of the page.
const withoutText = ["checkbox", "color", "file", "hidden", "image", "radio", "range"];
for (const control of document.querySelectorAll("input, select, textarea")) {
  if (withoutText.includes(control.type) || !counts(control, control.getClientRects())) continue;
  const value = control.selectedOptions?.[0]?.label ?? control.value;
  if (value.trim()) found.push(problem(value, control));
  else if (control.placeholder?.trim()) found.push(problem(control.placeholder, control, "::placeholder"));
}
// Nor is what a style sheet writes. Signs without a letter are taken for ornaments.
for (const element of document.querySelectorAll("*")) {
  for (const pseudo of ["::before", "::after"]) {
    const content = getComputedStyle(element, pseudo).content;
    const isText = content.startsWith('"') && /[\p{L}\p{N}]/u.test(content);
    if (isText && counts(element, element.getClientRects())) {
      found.push(problem(content.slice(1, -1), element, pseudo));
    }
  }
}
return found.filter((one) => one !== null);
